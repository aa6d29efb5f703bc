"""DuckDB tables, generated from the registry."""

from collections.abc import Iterable

import pandera.polars as pa
import polars as pl
from polars.datatypes import DataType, DataTypeClass

from schemas.registry import TABLES
from schemas.table import Table
from schemas.views import VIEWS

SCHEMA_VERSION = "1.2.0"
"""Semantic: a minor version adds, a major one changes what is there."""
HISTORY_SUFFIX = "_history"

_TYPES: dict[type[pl.DataType] | pl.DataType, str] = {
    pl.String: "VARCHAR",
    pl.Int8: "TINYINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.UInt32: "UINTEGER",
    pl.UInt64: "UBIGINT",
    pl.Float64: "DOUBLE",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Datetime("us"): "TIMESTAMP",
}


def duckdb_type(dtype: pl.DataType) -> str:
    """The DuckDB type of a Polars type; `KeyError` for one that no table uses."""
    if isinstance(dtype, pl.List):
        return duckdb_type(_instance(dtype.inner)) + "[]"
    if isinstance(dtype, pl.Struct):
        fields = (f'"{f.name}" {duckdb_type(_instance(f.dtype))}' for f in dtype.fields)
        return f"STRUCT({', '.join(fields)})"
    return _TYPES[dtype]


def create_statements(*, if_missing: bool = False) -> Iterable[str]:
    """SQL that makes every table, its history twin and their comments, parents first."""
    create = "CREATE TABLE IF NOT EXISTS" if if_missing else "CREATE TABLE"
    for table in TABLES:
        yield f"{create} {_table(table)}"
        yield from comments(table, table.table_name())
        if has_history(table):
            yield f"{create} {_history(table)}"
            yield from comments(table, table.table_name() + HISTORY_SUFFIX)


def view_comments() -> Iterable[str]:
    """SQL that describes every declared view and its columns."""
    for view in VIEWS:
        yield from comments(view, view.table_name(), kind="VIEW")


def has_history(table: type[Table]) -> bool:
    """Whether rows of `table` that a run replaces are kept: all that belong to a run."""
    return table.references().get("run_id") == "runs"


def _table(table: type[Table]) -> str:
    lines = [_column(name, column) for name, column in table.columns().items()]
    lines.append(f"PRIMARY KEY ({', '.join(table.key_columns())})")
    return f"{table.table_name()} (\n  " + ",\n  ".join(lines) + "\n)"


def _history(table: type[Table]) -> str:
    lines = [f'"{name}" {duckdb_type(dtype)}' for name, dtype in table.dtypes().items()]
    lines += ["superseded_by_run_id VARCHAR NOT NULL", "superseded_at TIMESTAMP NOT NULL"]
    name = table.table_name() + HISTORY_SUFFIX
    return f"{name} (\n  " + ",\n  ".join(lines) + "\n)"


def _column(name: str, column: pa.Column) -> str:
    parts = [f'"{name}" {duckdb_type(column.dtype.type)}']
    if not column.nullable:
        parts.append("NOT NULL")
    parts += [f"CHECK ({condition})" for condition in _conditions(name, column)]
    return " ".join(parts)


def _conditions(name: str, column: pa.Column) -> Iterable[str]:
    for check in column.checks:
        facts = check.statistics or {}
        match check.name:
            case "isin":
                allowed = ", ".join(quote(value) for value in facts["allowed_values"])
                yield f'"{name}" IN ({allowed})'
            case "greater_than_or_equal_to":
                yield f'"{name}" >= {facts["min_value"]}'
            case "less_than_or_equal_to":
                yield f'"{name}" <= {facts["max_value"]}'
            case "str_length":
                yield f'length("{name}") >= {facts["min_value"]}'
            case "str_matches":
                yield f'regexp_matches("{name}", {quote(_pattern(facts["pattern"]))})'
            case unknown:
                raise ValueError(f"no SQL for the check {unknown} of {name}")


def comments(table: type[Table], name: str, kind: str = "TABLE") -> Iterable[str]:
    """SQL that describes a table or view and its columns."""
    yield f"COMMENT ON {kind} {name} IS {quote(table.table_description())}"
    for column_name, column in table.columns().items():
        yield f'COMMENT ON COLUMN {name}."{column_name}" IS {quote(column.description)}'


def quote(text: str) -> str:
    """`text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _pattern(pattern: object) -> str:
    return getattr(pattern, "pattern", None) or str(pattern)


def _instance(dtype: DataType | DataTypeClass) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype
