"""How a field is declared: a helper for every kind of column."""

from collections.abc import Sequence
from typing import Annotated, Any

import pandera.polars as pa
import polars as pl

SPAN_DTYPE = pl.Struct({"start": pl.Int32, "end": pl.Int32})

Timestamp = Annotated[pl.Datetime, "us", None]
Spans = Annotated[pl.List, SPAN_DTYPE]
Texts = Annotated[pl.List, pl.String]

_CHECKS = (
    ("isin", "isin", "allowed_values"),
    ("greater_than_or_equal_to", "ge", "min_value"),
    ("less_than_or_equal_to", "le", "max_value"),
)


def field(description: str, *, nullable: bool = False, **checks: Any) -> Any:
    """A plain column. `checks` are Pandera's (`ge`, `le`, `str_length`, `str_matches`, …)."""
    return pa.Field(description=description, nullable=nullable, metadata={}, **checks)


def key(description: str, *, references: str | None = None, **checks: Any) -> Any:
    """A column of the primary key; with `references`, also a foreign key to that table."""
    return _marked(description, {"key": True, "references": references}, **checks)


def reference(table: str, description: str, *, nullable: bool = False) -> Any:
    """A foreign key to the primary key of `table`, which bears the same column name."""
    return _marked(description, {"references": table}, nullable=nullable)


def choice(allowed: Sequence[str], description: str, *, nullable: bool = False) -> Any:
    """A column that holds one of a closed list of words."""
    return field(description, nullable=nullable, isin=list(allowed))


def probability(description: str, *, nullable: bool = False) -> Any:
    """A column that holds a probability between 0 and 1."""
    return field(description, nullable=nullable, ge=0.0, le=1.0)


def digest(description: str, *, nullable: bool = False) -> Any:
    """A SHA-256 in 64 lower-case hexadecimal digits."""
    return field(description, nullable=nullable, str_matches=r"^[0-9a-f]{64}$")


def same_as(model: type[pa.DataFrameModel], column: str, *, nullable: bool | None = None) -> Any:
    """A plain column with the description and checks of another table's; no key, no reference."""
    source = model.to_schema().columns[column]
    checks = {
        option: (check.statistics or {})[fact]
        for check in source.checks
        for name, option, fact in _CHECKS
        if check.name == name
    }
    return field(
        source.description,
        nullable=source.nullable if nullable is None else nullable,
        **checks,
    )


def _marked(description: str, metadata: dict[str, Any], **options: Any) -> Any:
    return pa.Field(description=description, metadata=metadata, **options)
