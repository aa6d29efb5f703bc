"""A release: every table as Parquet with its columns described, whole or not at all."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.arrow import arrow_schema
from schemas.dictionary import dictionary_markdown
from schemas.errors import StancebankError
from schemas.registry import TABLES

ROW_GROUP = 122_880
FLAT_VIEW = "speaker_statement_stance"
FLAT_ORDER = "published_at, outlet, article_id, statement_id, target"
PUBLISHERS_TEXT = {
    "articles": ("text",),
    "removed_lines": ("line",),
    "rejects": ("payload",),
}


class ReleaseError(StancebankError):
    """The release cannot be written; the message says why."""


def write_release(
    connection: duckdb.DuckDBPyConnection, folder: Path, *, with_text: bool = False
) -> dict[str, int]:
    """Write all tables and the flat view to `folder` and return the rows of each.

    Article texts, removed lines and payloads of rejects are left out unless `with_text`, since
    they belong to their publishers; hashes and offsets stay. The folder appears when complete,
    with a data dictionary and `SHA256SUMS`.

    Raises:
        ReleaseError: if `folder` exists.
    """
    if folder.exists():
        raise ReleaseError(f"{folder} exists already. Give a folder that does not.")
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    rows = {}
    for table in TABLES:
        name = table.table_name()
        left_out = () if with_text else PUBLISHERS_TEXT.get(name, ())
        schema = arrow_schema(table, without=left_out)
        columns = ", ".join(f'"{column}"' for column in schema.names)
        order = ", ".join(table.key_columns())
        query = f"SELECT {columns} FROM {name} ORDER BY {order}"
        rows[name] = _write(connection, query, schema, draft / f"{name}.parquet")
    rows[FLAT_VIEW] = _write_flat(connection, draft)
    (draft / "dictionary.md").write_text(dictionary_markdown(), encoding="utf-8")
    (draft / "SHA256SUMS").write_text("".join(_checksums(draft)), encoding="utf-8")
    draft.rename(folder)
    return rows


def _write_flat(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    query = f"SELECT * FROM {FLAT_VIEW} ORDER BY {FLAT_ORDER}"
    empty = connection.sql(f"{query} LIMIT 0").to_arrow_table()
    return _write(connection, query, empty.schema, folder / f"{FLAT_VIEW}.parquet")


def _write(connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema, path: Path) -> int:
    """Stream the rows of `query` to `path`, a row group at a time; their number."""
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in connection.sql(query).to_arrow_reader(ROW_GROUP):
            table = pa.Table.from_batches([batch]).cast(schema)
            writer.write_table(table, row_group_size=ROW_GROUP)
            rows += batch.num_rows
    return rows


def _checksums(folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            yield f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n"
