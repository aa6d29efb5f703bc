"""CSV and Parquet files: a row an article."""

import csv
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import polars as pl

from flows.ingest.decode import UNDECODABLE, decode
from flows.ingest.fields import FIELDS, check_columns, page_from
from flows.ingest.limits import MAX_RECORD_BYTES, in_megabytes
from flows.ingest.lines import byte_lines
from flows.ingest.origins import Origin
from flows.ingest.refusals import RefusedError
from schemas.records import RawArticle, Reject

_DELIMITERS = ",;\t|"
_BATCH_ROWS = 100


def read_csv(
    stream: BinaryIO, origin: Origin, encoding: str, mapping: Mapping[str, str]
) -> Iterator[RawArticle | Reject]:
    """Yield an article or a reject for each row. The header tells the delimiter.

    Raises:
        RefusedError: there is no column with text, or the file breaks off or is no CSV.

    """
    lines = _DecodedLines(stream, encoding)
    rows = _rows(lines)
    _, header = next(rows, (1, []))
    check_columns(header, mapping)
    for line, row in rows:
        try:
            lines.check()
            yield _article(_cells(header, row), origin, f"line {line}", mapping)
        except RefusedError as refused:
            yield origin.reject(refused, f"line {line}")


def read_parquet(
    stream: BinaryIO, origin: Origin, path: Path | None, mapping: Mapping[str, str]
) -> Iterator[RawArticle | Reject]:
    """Yield an article or a reject for each row, of `path` where the file lies there unpacked.

    Raises:
        RefusedError: there is no column with text, or the file is damaged.

    """
    with _on_disk(stream, path) as file:
        for number, row in enumerate(_parquet_rows(file, mapping), 1):
            where = f"record {number}"
            try:
                yield _article(row, origin, where, mapping)
            except RefusedError as refused:
                yield origin.reject(refused, where)


def _article(
    row: Mapping[str, object], origin: Origin, where: str, mapping: Mapping[str, str]
) -> RawArticle:
    page = page_from(row, mapping)
    record = json.dumps(row, default=str, sort_keys=True)
    return origin.article(page, hashlib.sha256(record.encode()).hexdigest(), where)


class _DecodedLines:
    """Lines of a CSV file as text. A line that cannot be decoded spoils the row that it is in."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._lines = byte_lines(stream, encoding)
        self._encoding = "utf-8" if encoding.startswith("utf") else encoding
        self._spoilt: bytes | None = None

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            try:
                yield self._decoded(line)
            except (UnicodeDecodeError, RefusedError):
                self._spoilt = line
                yield line.decode("ascii", "replace")

    def _decoded(self, line: bytes) -> str:
        if self._encoding == "ascii" and not line.isascii():
            return decode(line)
        return line.decode(self._encoding)

    def check(self) -> None:
        """Raise `RefusedError` if the row just read holds a spoilt line."""
        spoilt, self._spoilt = self._spoilt, None
        if spoilt is not None:
            raise RefusedError(UNDECODABLE, spoilt)


def _rows(lines: _DecodedLines) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the number of its first line."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    texts = iter(lines)
    header = next(texts, "")
    reader = csv.reader(chain([header], texts), delimiter=max(_DELIMITERS, key=header.count))
    line = 1
    try:
        for row in reader:
            if any(row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise RefusedError(
            f"breaks off at line {line} ({error}; a quotation mark that is not closed, or a field "
            f"over {in_megabytes(MAX_RECORD_BYTES)}?): correct the file from there"
        ) from error


def _cells(header: list[str], row: list[str]) -> dict[str, object]:
    if len(row) != len(header):
        raise RefusedError(
            f"has {len(row)} cells where the header has {len(header)}: put cells that hold the "
            "delimiter in quotation marks",
            " | ".join(row),
        )
    return dict(zip(header, row, strict=True))


@contextmanager
def _on_disk(stream: BinaryIO, path: Path | None) -> Iterator[Path]:
    if path is not None:
        yield path
        return
    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy:
        shutil.copyfileobj(stream, copy)
        copy.flush()
        yield Path(copy.name)


def _parquet_rows(path: Path, mapping: Mapping[str, str]) -> Iterator[dict[str, object]]:
    wanted = {mapping.get(name, name) for name in FIELDS}
    try:
        table = pl.scan_parquet(path, glob=False)
        names = table.collect_schema().names()
        check_columns(names, mapping)
        columns = [name for name in names if name.strip().casefold() in wanted]
        for batch in table.select(columns).collect_batches(chunk_size=_BATCH_ROWS):
            yield from batch.iter_rows(named=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise RefusedError(
            f"is a damaged Parquet file ({_first_line(error)}): fetch it again"
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
