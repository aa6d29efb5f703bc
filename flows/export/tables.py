"""Tables of a release as files: Parquet by year of publication, or one CSV or JSON Lines file."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.arrow import arrow_schema
from schemas.ddl import quote
from schemas.records import ReleaseFormat
from schemas.releases import left_out
from schemas.table import Table

ROW_GROUP = 122_880
UNDATED = 0
"""Year of the partition of rows whose article has no date."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a table, its path inside the release, and its rows."""

    path: str
    rows: int


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A table of a release: its model, its columns and its files."""

    table: type[Table]
    schema: pa.Schema
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """The table's name, which is that of its folder."""
        return self.table.table_name()

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(part.rows for part in self.parts)


def write_table(
    connection: duckdb.DuckDBPyConnection,
    table: type[Table],
    folder: Path,
    release_format: ReleaseFormat,
    *,
    with_text: bool,
) -> WrittenTable:
    """Write the selected rows of `table` below `folder`, sorted by date, outlet and key.

    Rows that belong to an article are partitioned by its year in Parquet; every such table has a
    part for every year of the release, so that parts of the same year belong together.
    """
    name = table.table_name()
    schema = arrow_schema(table, without=left_out(table, with_text=with_text))
    parts = []
    for year in _years(connection, table, release_format):
        query = _query(table, schema.names, year)
        below = f"{name}/" if year is None else f"{name}/year={year}/"
        path = f"{below}part-0.{release_format}"
        (folder / below).mkdir(parents=True)
        if release_format is ReleaseFormat.parquet:
            rows = _write_parquet(connection, query, schema, folder / path)
        else:
            rows = _write_text(connection, query, schema, folder / path, release_format)
        parts.append(Part(path, rows))
    return WrittenTable(table, schema, tuple(parts))


def _years(
    connection: duckdb.DuckDBPyConnection, table: type[Table], release_format: ReleaseFormat
) -> list[int | None]:
    if not _scope(table) or release_format is not ReleaseFormat.parquet:
        return [None]
    years = connection.execute("SELECT DISTINCT year FROM released_articles ORDER BY 1").fetchall()
    return [year for (year,) in years] or [UNDATED]


def _scope(table: type[Table]) -> str | None:
    """The column that ties rows of `table` to a dated article."""
    return next((key for key in ("statement_id", "article_id") if key in table.dtypes()), None)


def _query(table: type[Table], columns: list[str], year: int | None) -> str:
    selected = ", ".join(f't."{column}"' for column in columns)
    keys = table.key_columns()
    order = ", ".join(f't."{c}"' for c in (*keys, *(c for c in columns if c not in keys)))
    scope = _scope(table)
    if scope is None:
        return f"SELECT {selected} FROM {table.table_name()} AS t ORDER BY {order}"
    dated = "released_statements" if scope == "statement_id" else "released_articles"
    return (
        f"SELECT {selected} FROM {table.table_name()} AS t JOIN {dated} AS d USING ({scope}) "
        f"WHERE {'true' if year is None else f'd.year = {year}'} "
        f"ORDER BY d.published_at, d.outlet, {order}"
    )


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema, path: Path
) -> int:
    """Stream the rows of `query` to `path`, a row group at a time; their number."""
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in connection.sql(query).to_arrow_reader(ROW_GROUP):
            writer.write_table(pa.Table.from_batches([batch]).cast(schema), ROW_GROUP)
            rows += batch.num_rows
    return rows


def _write_text(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    schema: pa.Schema,
    path: Path,
    release_format: ReleaseFormat,
) -> int:
    """Write the rows of `query` as CSV, lists in it as JSON, or as JSON Lines; their number."""
    columns, options = "*", "FORMAT json"
    if release_format is ReleaseFormat.csv:
        nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        as_json = ", ".join(f'to_json("{name}")::VARCHAR AS "{name}"' for name in nested)
        columns = f"* REPLACE ({as_json})" if nested else "*"
        options = "FORMAT csv, HEADER"
    done = connection.execute(
        f"COPY (SELECT {columns} FROM ({query})) TO {quote(str(path))} "
        f"({options}, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S')"
    ).fetchone()
    return done[0] if done else 0
