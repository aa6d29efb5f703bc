"""Queries of the warehouse, printed."""

import csv
import json
import sys
from pathlib import Path

import duckdb
import polars as pl
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from flows.load.search import attach_search
from flows.load.warehouse import open_readonly
from schemas.errors import StancebankError


class QueryError(StancebankError):
    """DuckDB refuses the query; the message is DuckDB's."""


def print_rows(warehouse: Path, query: str, output_format: str) -> None:
    """Run one query on the warehouse, opened read-only, and print its rows.

    Raises:
        QueryError: if DuckDB refuses it.
        WarehouseError: if there is no warehouse, or no index for a search.
    """
    with open_readonly(warehouse) as connection:
        if "who_said" in query.lower():
            attach_search(connection, warehouse)
        try:
            found = connection.sql(query)
            frame = found.pl() if found is not None else pl.DataFrame()
        except duckdb.Error as error:
            raise QueryError(str(error)) from None
    _PRINTERS[output_format](frame)


def _print_table(frame: pl.DataFrame) -> None:
    grid = Grid(box=None, header_style="bold")
    for name, dtype in frame.schema.items():
        grid.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        grid.add_row(*(Text("" if value is None else str(value)) for value in row))
    console = Console()
    console.print(grid)
    console.print(f"{frame.height:,} rows", style="dim", highlight=False)


def _print_csv(frame: pl.DataFrame) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(frame.columns)
    writer.writerows([_cell(value) for value in row] for row in frame.iter_rows())


def _cell(value: object) -> object:
    """Lists and structs as JSON."""
    nested = isinstance(value, list | dict)
    return json.dumps(value, default=str, ensure_ascii=False) if nested else value


def _print_json(frame: pl.DataFrame) -> None:
    sys.stdout.write(frame.write_ndjson())


def _print_parquet(frame: pl.DataFrame) -> None:
    frame.write_parquet(sys.stdout.buffer)


_PRINTERS = {
    "table": _print_table,
    "csv": _print_csv,
    "json": _print_json,
    "parquet": _print_parquet,
}
