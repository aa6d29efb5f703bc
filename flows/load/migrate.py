"""The schema of a warehouse file: made where it is new, brought forward where it is older.

Versions are semantic: a minor version adds tables, nullable columns, views and macros, which is
done in place; a major version changes what is there, so that a warehouse of another one is refused.
"""

from collections.abc import Iterable

import duckdb

from schemas.ddl import (
    HISTORY_SUFFIX,
    SCHEMA_VERSION,
    create_statements,
    duckdb_type,
    has_history,
    view_comments,
)
from schemas.errors import StancebankError
from schemas.registry import TABLES
from warehouse import views_sql

VERSIONS = "schema_versions"
FIRST = "1.0.0"
"""What files are that only bear a number."""


class SchemaError(StancebankError):
    """A warehouse has a schema that this program cannot bring forward."""


def bring_forward(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the warehouse this program's schema, in one transaction.

    Raises:
        SchemaError: if the warehouse has another major version, or a later one.
    """
    found = schema_version(connection)
    check_version(found)
    if found == SCHEMA_VERSION:
        return
    connection.begin()
    try:
        if found is None:
            connection.execute(f"CREATE TABLE {VERSIONS} (version VARCHAR, created_at TIMESTAMP)")
        connection.execute(f"ALTER TABLE {VERSIONS} ALTER version TYPE VARCHAR")
        for statement in _changes(connection):
            connection.execute(statement)
        connection.execute(views_sql())
        for comment in view_comments():
            connection.execute(comment)
        connection.execute(f"INSERT INTO {VERSIONS} VALUES (?, now()::TIMESTAMP)", [SCHEMA_VERSION])
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def schema_version(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The version of the warehouse; None where there is no schema yet."""
    if VERSIONS not in _columns(connection):
        return None
    rows = connection.execute(f"SELECT version::VARCHAR FROM {VERSIONS}").fetchall()
    versions = [version if "." in version else f"{version}.0.0" for (version,) in rows]
    return max(versions, key=_numbers, default=FIRST)


def check_version(found: str | None) -> None:
    """Refuse a schema that this program does not know.

    Raises:
        SchemaError: if it has another major version, or a later one.
    """
    if found is None:
        return
    if _numbers(found) > _numbers(SCHEMA_VERSION):
        raise SchemaError(
            f"The warehouse has schema {found}, this program {SCHEMA_VERSION}. "
            "Install a later version of stancebank, or give another file with --warehouse."
        )
    if _numbers(found)[0] != _numbers(SCHEMA_VERSION)[0]:
        raise SchemaError(
            f"The warehouse has schema {found}, which cannot become {SCHEMA_VERSION}. "
            "Build a new one from the articles with `stancebank run --warehouse NEW`."
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _changes(connection: duckdb.DuckDBPyConnection) -> Iterable[str]:
    """Tables and columns that the warehouse lacks, and comments on all."""
    present = _columns(connection)
    for table in TABLES:
        suffixes = ("", HISTORY_SUFFIX) if has_history(table) else ("",)
        for name in (table.table_name() + suffix for suffix in suffixes):
            for column, dtype in table.dtypes().items():
                if name in present and column not in present[name]:
                    yield f'ALTER TABLE {name} ADD COLUMN "{column}" {duckdb_type(dtype)}'
    yield from create_statements(if_missing=True)


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    rows = connection.execute(
        "SELECT table_name, list(column_name) FROM duckdb_columns() "
        "WHERE database_name = current_database() AND NOT internal GROUP BY 1"
    ).fetchall()
    return {table: set(columns) for table, columns in rows}
