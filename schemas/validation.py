"""Checking frames against the registry: good rows pass, the others come back with reasons."""

from typing import Any

import pandera.errors
import polars as pl

from schemas.table import Table


def split_valid(table: type[Table], frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of `frame` that pass the checks of `table`, and those that do not with a `_reason`.

    `frame` must have the table's columns and types. Copies of a key beyond the first are refused
    first, because Pandera would name every copy.

    Raises:
        pandera.errors.SchemaErrors: if a column is missing, unknown or of another type.
    """
    numbered = frame.with_row_index("_row")
    first = numbered.unique(subset=table.key_columns(), keep="first", maintain_order=True)
    copies = numbered.join(first, on="_row", how="anti").with_columns(
        _reason=pl.lit(f"another row has the same {', '.join(table.key_columns())}")
    )
    failures = _failures(table, first.drop("_row"))
    checked = first.with_columns(_checked=pl.int_range(pl.len(), dtype=pl.Int64))
    joined = checked.join(failures, left_on="_checked", right_on="row", how="left").drop("_checked")
    good = joined.filter(pl.col("_reason").is_null()).drop("_reason")
    bad = pl.concat([copies, joined.filter(pl.col("_reason").is_not_null())])
    return good.sort("_row").drop("_row"), bad.sort("_row").drop("_row")


def _failures(table: type[Table], frame: pl.DataFrame) -> pl.DataFrame:
    """One line a failing row: its number in `frame` and all reasons in words."""
    empty = pl.DataFrame(schema={"row": pl.Int64, "_reason": pl.String})
    if frame.is_empty():
        return empty
    try:
        table.schema().validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
        if cases["index"].null_count():
            raise
        return (
            cases.select(
                row=pl.col("index").cast(pl.Int64),
                _reason=pl.struct("column", "check", "failure_case").map_elements(
                    _sentence, return_dtype=pl.String
                ),
            )
            .group_by("row")
            .agg(pl.col("_reason").unique(maintain_order=True).str.join("; "))
        )
    return empty


def _sentence(case: dict[str, Any]) -> str:
    value = str(case["failure_case"])
    shown = value if len(value) <= 80 else value[:77] + "…"
    return f"{case['column']} is {shown!r}, which fails {case['check']}"
