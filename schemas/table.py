"""What a table is: a Pandera model whose keys and references stand in its fields' metadata."""

import re
from typing import Any

import pandera.polars as pa
import polars as pl


class Table(pa.DataFrameModel):
    """Base of all tables. A model's class name in snake case is the table's name."""

    class Config:
        """Columns that are not declared are an error."""

        strict = True

    @classmethod
    def table_name(cls) -> str:
        """The table's name in the warehouse, such as `removed_lines`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def table_description(cls) -> str:
        """The first paragraph of the model's docstring, on one line."""
        return " ".join((cls.__doc__ or "").split("\n\n")[0].split())

    @classmethod
    def schema(cls) -> pa.DataFrameSchema:
        """The Pandera schema, with the primary key as a uniqueness check."""
        schema = cls.to_schema()
        schema.unique = cls.key_columns() or None
        return schema

    @classmethod
    def columns(cls) -> dict[str, pa.Column]:
        """Pandera columns by name, in order."""
        return dict(cls.to_schema().columns)

    @classmethod
    def dtypes(cls) -> dict[str, pl.DataType]:
        """Polars types by column name, in order."""
        return {name: column.dtype.type for name, column in cls.columns().items()}

    @classmethod
    def key_columns(cls) -> list[str]:
        """Names of the columns that make the primary key."""
        return [name for name, column in cls.columns().items() if _metadata(column).get("key")]

    @classmethod
    def references(cls) -> dict[str, str]:
        """Foreign keys: column name to the table whose key bears the same name."""
        found = {
            name: _metadata(column).get("references") for name, column in cls.columns().items()
        }
        return {name: table for name, table in found.items() if table}

    @classmethod
    def frame(cls, rows: list[dict[str, Any]]) -> pl.DataFrame:
        """A frame of `rows` with this table's columns and types; missing values are null."""
        return pl.DataFrame(rows, schema=cls.dtypes())


def _metadata(column: pa.Column) -> dict[str, Any]:
    return column.metadata or {}
