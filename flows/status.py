"""What `stancebank status` shows: runs, totals, what failed and why, and the Prefect server."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from flows.load.warehouse import open_readonly
from flows.server import running_server

REASONS_SHOWN = 10
STYLES = {"complete": "green", "failed": "red", "interrupted": "yellow", "running": "cyan"}
COUNTS_SHOWN = {
    "articles": "articles",
    "statements": "statements",
    "stances": "stances",
    "rejects": "rejects",
    "files_unchanged": "skipped",
}


def show_status(warehouse: Path, runs: int, console: Console) -> None:
    """Print the last `runs` runs of the warehouse, its rejects by reason, and the server.

    Raises:
        WarehouseError: if there is no warehouse.
    """
    with open_readonly(warehouse) as connection:
        console.print(_run_grid(connection, runs))
        console.print(_failures(connection, runs))
        console.print(_reject_grid(connection))
    console.print(_server_line())


def _run_grid(connection: duckdb.DuckDBPyConnection, runs: int) -> Grid:
    grid = Grid(title="Runs", title_justify="left", title_style="bold", box=None)
    for heading in ("run (UTC)", "status", "seconds", *COUNTS_SHOWN.values()):
        grid.add_column(heading, no_wrap=True)
    rows = connection.execute(
        "SELECT run_id, status, started_at, finished_at, counts FROM runs "
        "ORDER BY started_at DESC LIMIT ?",
        [runs],
    ).fetchall()
    for run_id, status, started, finished, counts in rows:
        grid.add_row(
            run_id,
            Text(status, style=STYLES[status]),
            _seconds(started, finished),
            *_numbers(counts),
        )
    return grid


def _seconds(started: datetime, finished: datetime | None) -> str:
    return f"{(finished - started).total_seconds():.0f}" if finished else ""


def _numbers(counts: str | None) -> list[str]:
    found: dict[str, Any] = json.loads(counts) if counts else {}
    return [f"{found[name]:,}" if name in found else "" for name in COUNTS_SHOWN]


def _failures(connection: duckdb.DuckDBPyConnection, runs: int) -> Text:
    rows = connection.execute(
        "SELECT run_id, error FROM runs WHERE error IS NOT NULL ORDER BY started_at DESC LIMIT ?",
        [runs],
    ).fetchall()
    return Text("".join(f"{run_id}: {error}\n" for run_id, error in rows))


def _reject_grid(connection: duckdb.DuckDBPyConnection) -> Grid:
    grid = Grid(title="Rejects", title_justify="left", title_style="bold", box=None)
    grid.add_column("rows", justify="right")
    grid.add_column("stage")
    grid.add_column("reason", overflow="fold")
    grid.add_column("for example", overflow="fold")
    rows = connection.execute(
        "SELECT count(*), stage, reason, min(concat_ws(' › ', raw_file, raw_member)) "
        "FROM rejects GROUP BY ALL ORDER BY 1 DESC, 3 LIMIT ?",
        [REASONS_SHOWN],
    ).fetchall()
    for number, stage, reason, example in rows:
        grid.add_row(f"{number:,}", stage, Text(reason), Text(example))
    return grid


def _server_line() -> Text:
    server = running_server()
    if not server:
        return Text("Prefect server: none running; the next run starts one.")
    return Text(
        f"Prefect server: {server.url} (process {server.pid}); "
        "`stancebank server stop` ends it, as does an hour without work."
    )
