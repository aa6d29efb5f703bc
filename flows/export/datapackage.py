"""`datapackage.json`: a release in the words of Frictionless Data Package 2.0."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandera.polars as pa
import polars as pl
import pyarrow

from flows.export.facts import Facts
from flows.export.tables import WrittenTable
from schemas.ddl import SCHEMA_VERSION
from schemas.records import ReleaseFormat
from schemas.table import Table

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
MEDIA_TYPES = {
    ReleaseFormat.parquet: "application/vnd.apache.parquet",
    ReleaseFormat.csv: "text/csv",
    ReleaseFormat.jsonl: "application/jsonl",
}
_BOUNDS = {"greater_than_or_equal_to": "minimum", "less_than_or_equal_to": "maximum"}


def datapackage(
    tables: Sequence[WrittenTable], facts: Facts, release_format: ReleaseFormat
) -> dict[str, Any]:
    """The descriptor of a release.

    JSON Lines without a line are left out of it, since Frictionless takes them for broken;
    `totalRows` of a resource is not of the standard.
    """
    readable = [t for t in tables if t.rows or release_format is not ReleaseFormat.jsonl]
    released = {table.name for table in readable}
    return {
        "$schema": PROFILE,
        "name": "stancebank",
        "title": "Statements and stances in news articles",
        "description": "Who said what, about what, and whether for or against it.",
        "version": facts.version,
        "schemaVersion": SCHEMA_VERSION,
        "created": f"{facts.changed_at:%Y-%m-%dT%H:%M:%SZ}",
        "keywords": ["news", "politics", "quotation attribution", "stance"],
        "resources": [_resource(table, release_format, released) for table in readable],
    }


def _resource(
    written: WrittenTable, release_format: ReleaseFormat, released: set[str]
) -> dict[str, Any]:
    paths = [part.path for part in written.parts]
    return {
        "name": written.name,
        "description": written.table.table_description(),
        "path": paths[0] if len(paths) == 1 else paths,
        "format": release_format.value,
        "mediatype": MEDIA_TYPES[release_format],
        "encoding": "utf-8",
        "totalRows": written.rows,
        "schema": {
            "missingValues": [""] if release_format is ReleaseFormat.csv else [],
            "fields": [
                _field(written.table.columns()[field.name], field, release_format)
                for field in written.schema
            ],
            **_keys(written.table, set(written.schema.names), released),
        },
    }


def _field(
    column: pa.Column, field: pyarrow.Field, release_format: ReleaseFormat
) -> dict[str, Any]:
    constraints = dict(_constraints(column, release_format))
    return {
        "name": field.name,
        "type": _type(field, release_format),
        "description": column.description,
        **({"constraints": constraints} if constraints else {}),
    }


def _constraints(column: pa.Column, release_format: ReleaseFormat) -> Iterable[tuple[str, Any]]:
    """Constraints on a column; no bounds where Frictionless would hold them against nulls."""
    if not column.nullable and not (release_format is ReleaseFormat.csv and _may_be_empty(column)):
        yield "required", True
    bounded = release_format is not ReleaseFormat.parquet or not column.nullable
    for check in column.checks:
        facts = check.statistics or {}
        if check.name == "isin":
            yield "enum", list(facts["allowed_values"])
        elif bounded and (bound := _BOUNDS.get(check.name)):
            yield bound, facts["min_value" if bound == "minimum" else "max_value"]


def _may_be_empty(column: pa.Column) -> bool:
    """Whether an empty text is a value of the column, which in CSV is as good as none."""
    return column.dtype.type == pl.String and not column.checks


def _type(field: pyarrow.Field, release_format: ReleaseFormat) -> str:
    """The field's type as Frictionless reads it.

    From Parquet it reads through pandas, which has arrays that are no lists, and integers with
    nulls as numbers.
    """
    in_parquet = release_format is ReleaseFormat.parquet
    kind = field.type
    if pyarrow.types.is_nested(kind):
        return "any" if in_parquet else "array"
    if pyarrow.types.is_integer(kind):
        return "number" if in_parquet and field.nullable else "integer"
    if pyarrow.types.is_floating(kind):
        return "number"
    if pyarrow.types.is_boolean(kind):
        return "boolean"
    if pyarrow.types.is_date(kind):
        return "date"
    return "datetime" if pyarrow.types.is_timestamp(kind) else "string"


def _keys(table: type[Table], columns: set[str], released: set[str]) -> dict[str, Any]:
    keys = table.key_columns()
    references = list(_references(table, columns, released))
    return {
        **({"primaryKey": keys} if keys else {}),
        **({"foreignKeys": references} if references else {}),
    }


def _references(
    table: type[Table], columns: set[str], released: set[str]
) -> Iterable[dict[str, Any]]:
    for column, parent in table.references().items():
        if column in columns and parent in released:
            yield {
                "fields": [column],
                "reference": {"resource": parent, "fields": [column]},
            }
