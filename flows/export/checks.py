"""Reading a release back: every file is there and unchanged, every part of every table readable."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.ddl import quote
from schemas.errors import StancebankError

CHECKSUMS = "SHA256SUMS"


class ReleaseError(StancebankError):
    """A release cannot be written, or is not whole; the message says why."""


def write_checksums(folder: Path) -> None:
    """Write `SHA256SUMS` with a line for every file of the release."""
    lines = [f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in _files(folder)]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def check_release(folder: Path) -> None:
    """Check that the release in `folder` is whole.

    Every file has its checksum, every part of every table can be read to its last row and has the
    columns that `datapackage.json` tells, rows add up, and no key comes twice.

    Raises:
        ReleaseError: naming the file or table.
    """
    _check_sums(folder)
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for resource in package["resources"]:
        paths = resource["path"] if isinstance(resource["path"], list) else [resource["path"]]
        rows = sum(_rows(folder, path, resource) for path in paths)
        if rows != resource["totalRows"]:
            raise ReleaseError(
                f"{folder}: {resource['name']} has {rows} rows instead of {resource['totalRows']}."
            )
        _check_key(folder, paths, resource)


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def scan(folder: Path, paths: Iterable[str], file_format: str) -> str:
    """SQL that reads the rows of some parts of a release."""
    files = f"[{', '.join(quote(str(folder / path)) for path in paths)}]"
    return {
        "parquet": f"read_parquet({files}, hive_partitioning = false)",
        "csv": f"read_csv({files}, header = true, all_varchar = true, hive_partitioning = false)",
        "jsonl": f"read_json({files}, format = 'newline_delimited', hive_partitioning = false)",
    }[file_format]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS)


def _check_sums(folder: Path) -> None:
    lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    expected = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    found = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    for name in sorted(expected.keys() ^ found.keys()):
        raise ReleaseError(f"{folder}: {name} is {'missing' if name in expected else 'not listed'}")
    for name, path in found.items():
        if sha256(path) != expected[name]:
            raise ReleaseError(f"{folder}: {name} is not what {CHECKSUMS} says; it was changed.")


def _rows(folder: Path, path: str, resource: dict[str, Any]) -> int:
    """Read a part to its end; its rows."""
    names = [field["name"] for field in resource["schema"]["fields"]]
    try:
        if resource["format"] == "parquet":
            columns, rows = _read_parquet(folder / path)
        else:
            columns, rows = _read_text(scan(folder, [path], resource["format"]))
    except (pa.ArrowException, OSError, duckdb.Error) as error:
        raise ReleaseError(f"{folder}: {path} cannot be read: {error}") from None
    if columns != names:
        raise ReleaseError(f"{folder}: {path} has the columns {columns} instead of {names}.")
    return rows


def _read_parquet(path: Path) -> tuple[list[str], int]:
    with pq.ParquetFile(path) as file:
        rows = sum(batch.num_rows for batch in file.iter_batches())
        return list(file.schema_arrow.names), rows


def _read_text(source: str) -> tuple[list[str], int]:
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT count(hash(COLUMNS(*))) FROM {source}").fetchone()
        columns = connection.sql(f"FROM {source} LIMIT 0").columns
    return columns, int(rows[0]) if rows else 0


def _check_key(folder: Path, paths: list[str], resource: dict[str, Any]) -> None:
    key = resource["schema"].get("primaryKey")
    if not key:
        return
    columns = ", ".join(f'"{column}"' for column in key)
    with duckdb.connect() as connection:
        twice = connection.execute(
            f"SELECT {columns} FROM {scan(folder, paths, resource['format'])} "
            f"GROUP BY ALL HAVING count(*) > 1 LIMIT 1"
        ).fetchone()
    if twice:
        raise ReleaseError(f"{folder}: {resource['name']} has two rows with the key {twice}.")
