"""A file for readers, who are never refused: views of all tables over immutable Parquet parts.

`latest.duckdb` is replaced, never changed, so that notebooks and other programs may keep it open
while a run writes to the warehouse. A load adds a part with the rows that it wrote and the keys of
rows that it took away; the views leave out a row if a later part names its key. So the cost of a
load is that of what changed. After `MOST_PARTS` loads all parts are written anew.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from flows.load.warehouse import snapshot_path
from schemas.ddl import HISTORY_SUFFIX, SCHEMA_VERSION, comments, has_history, quote
from schemas.entities import Speakers, Targets
from schemas.registry import TABLES
from schemas.table import Table
from schemas.views import VIEWS
from warehouse import views_sql

MOST_PARTS = 100
_ENTITIES = (Speakers, Targets)


@dataclass(frozen=True, slots=True)
class _Former:
    """What the snapshot to be replaced says of itself."""

    generation: str
    parts: int
    runs: frozenset[str]
    schema_version: str


def publish(connection: duckdb.DuckDBPyConnection, warehouse: Path, run_id: str) -> int:
    """Show readers the warehouse as it is after the load of `run_id`; the number of parts.

    `connection` is the one that loaded: its temporary tables tell what changed. Where the former
    snapshot is not that of just before this load, all parts are written anew.
    """
    former = _former(snapshot_path(warehouse))
    if (
        former
        and former.parts < MOST_PARTS
        and former.schema_version == SCHEMA_VERSION
        and former.runs | {run_id} == set(_complete(connection))
    ):
        _publish(connection, warehouse, run_id, former)
        return former.parts + 1
    publish_all(connection, warehouse, run_id, keep=former.generation if former else None)
    return 1


def publish_all(
    connection: duckdb.DuckDBPyConnection, warehouse: Path, run_id: str, *, keep: str | None = None
) -> None:
    """Write all parts anew; of older ones those of the generation `keep` stay for their readers."""
    _publish(connection, warehouse, run_id, None)
    for folder in _parts_folder(warehouse).iterdir():
        if folder.name not in (run_id, keep):
            shutil.rmtree(folder)


def _publish(
    connection: duckdb.DuckDBPyConnection, warehouse: Path, run_id: str, former: _Former | None
) -> None:
    part = former.parts + 1 if former else 1
    generation = former.generation if former else run_id
    folder = (_parts_folder(warehouse) / generation).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        for name in _names(table):
            rows = _changed(table, name, run_id) if former else "true"
            connection.execute(
                f"COPY (SELECT *, {part}::INTEGER AS _part FROM {name} WHERE {rows}) "
                f"TO {quote(str(folder / f'{name}-{part}.parquet'))} "
                "(FORMAT parquet, COMPRESSION zstd)"
            )
    with _drafted(connection, snapshot_path(warehouse)):
        _tell(connection, generation, part)
        for table in (table for table in TABLES if not _is_small(table)):
            _mark_dead(connection, table, run_id, part, known=former is not None)
        connection.execute("USE snapshot")
        for table in TABLES:
            for name in _names(table):
                connection.execute(_view(table, name, folder, part))
        connection.execute(views_sql())
        for statement in _comments():
            connection.execute(statement)


@contextmanager
def _drafted(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    """Inside, `snapshot` is a new database and `former` the one that it replaces in the end."""
    row = connection.execute("SELECT current_database()").fetchone()
    draft = path.with_name(f".{path.name}.part")
    draft.unlink(missing_ok=True)
    attached = ["snapshot"]
    connection.execute(f"ATTACH {quote(str(draft))} AS snapshot")
    if path.exists():
        connection.execute(f"ATTACH {quote(str(path))} AS former (READ_ONLY)")
        attached.append("former")
    try:
        yield
    finally:
        connection.execute(f'USE "{row[0] if row else "main"}"')
        for name in attached:
            connection.execute(f"DETACH {name}")
    draft.replace(path)


def _former(path: Path) -> _Former | None:
    if not path.exists():
        return None
    with duckdb.connect(str(path), read_only=True) as snapshot:
        row = snapshot.execute("SELECT generation, parts, schema_version FROM snapshot_of")
        generation, parts, schema_version = row.fetchall()[0]
        return _Former(generation, parts, frozenset(_complete(snapshot)), schema_version)


def _complete(connection: duckdb.DuckDBPyConnection) -> Iterable[str]:
    rows = connection.execute("SELECT run_id FROM runs WHERE status = 'complete'").fetchall()
    return [run_id for (run_id,) in rows]


def _parts_folder(warehouse: Path) -> Path:
    return warehouse.with_name(f"{warehouse.stem}.parts")


def _names(table: type[Table]) -> Iterable[str]:
    """The table and its history; nothing of tables that are small and shown whole."""
    if _is_small(table):
        return
    yield table.table_name()
    if has_history(table):
        yield table.table_name() + HISTORY_SUFFIX


def _is_small(table: type[Table]) -> bool:
    return not has_history(table) and table not in _ENTITIES


def _changed(table: type[Table], name: str, run_id: str) -> str:
    """Which rows a load has written."""
    if name.endswith(HISTORY_SUFFIX):
        return f"superseded_by_run_id = {quote(run_id)}"
    if table in _ENTITIES:
        key = table.key_columns()[0]
        return f"{key} IN (SELECT {key} FROM changed_{name})"
    also = " OR article_id IN (SELECT article_id FROM _clusters)" if name == "articles" else ""
    return f"run_id = {quote(run_id)}{also}"


def _mark_dead(
    connection: duckdb.DuckDBPyConnection,
    table: type[Table],
    run_id: str,
    part: int,
    *,
    known: bool,
) -> None:
    """Note the keys whose rows in earlier parts are no more."""
    name = table.table_name()
    keys = ", ".join(table.key_columns())
    if not known:
        dead = f"SELECT {keys}, 0 AS _part FROM {name} WHERE false"
    elif table in _ENTITIES:
        dead = (
            f"SELECT {keys}, {part} AS _part FROM changed_{name} UNION ALL FROM former.dead_{name}"
        )
    else:
        dead = (
            f"SELECT {keys}, {part} AS _part FROM {name}{HISTORY_SUFFIX} "
            f"WHERE superseded_by_run_id = {quote(run_id)} AND run_id <> {quote(run_id)} "
            f"UNION ALL FROM former.dead_{name}"
        )
        if name == "articles":
            dead += f" UNION ALL SELECT article_id, {part} FROM _clusters"
    connection.execute(
        f"CREATE TABLE snapshot.dead_{name} AS "
        f"SELECT {keys}, max(_part)::INTEGER AS _part FROM ({dead}) GROUP BY ALL"
    )


def _view(table: type[Table], name: str, folder: Path, part: int) -> str:
    """SQL for the view of a table, or of its history, in the snapshot."""
    paths = (folder / f"{name}-{number}.parquet" for number in range(1, part + 1))
    files = ", ".join(quote(str(path)) for path in paths)
    view = f"CREATE VIEW {name} AS SELECT p.* EXCLUDE (_part) FROM read_parquet([{files}]) AS p"
    if name.endswith(HISTORY_SUFFIX):
        return view
    same = " AND ".join(f'd."{key}" = p."{key}"' for key in table.key_columns())
    return f"{view} WHERE NOT EXISTS (FROM dead_{name} AS d WHERE {same} AND d._part > p._part)"


def _comments() -> Iterable[str]:
    for table in (*VIEWS, *TABLES):
        kind = "TABLE" if table in TABLES and _is_small(table) else "VIEW"
        yield from comments(table, table.table_name(), kind=kind)


def _tell(connection: duckdb.DuckDBPyConnection, generation: str, part: int) -> None:
    """Write down what the snapshot is of, and the small tables."""
    for table in TABLES:
        if _is_small(table):
            name = table.table_name()
            connection.execute(f"CREATE TABLE snapshot.{name} AS FROM {name}")
    connection.execute("CREATE TABLE snapshot.schema_versions AS FROM schema_versions")
    connection.execute(
        "CREATE TABLE snapshot.snapshot_of AS "
        "SELECT ?::VARCHAR AS generation, ?::INTEGER AS parts, ?::VARCHAR AS schema_version, "
        "now()::TIMESTAMP AS published_at",
        [generation, part, SCHEMA_VERSION],
    )
