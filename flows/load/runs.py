"""The record of runs: begun, ended, and what each of them has seen."""

import json
from datetime import UTC, datetime
from typing import Any

import duckdb

from schemas.operations import Runs


def new_run_id(now: datetime) -> str:
    """A run's name, such as `20260823T194210.052Z`: sortable by time."""
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z"


def begin_run(
    connection: duckdb.DuckDBPyConnection,
    parameters: dict[str, Any],
    versions: dict[str, str],
) -> str:
    """Write down that a run begins and return its id.

    The caller holds the writer lock, so a run that still stands as running was cut off.
    """
    connection.execute(
        "UPDATE runs SET status = 'interrupted', finished_at = ?, error = ? "
        "WHERE status = 'running'",
        [_now(), "The process ended before the run did; the next run goes on from there."],
    )
    now = _now()
    run_id = new_run_id(now)
    row = {
        "run_id": run_id,
        "status": "running",
        "started_at": now,
        "parameters": json.dumps(parameters, ensure_ascii=False),
        "versions": json.dumps(versions),
    }
    frame = Runs.frame([row])
    connection.register("_begun", frame)
    connection.execute("INSERT INTO runs BY NAME SELECT * FROM _begun")
    connection.unregister("_begun")
    return run_id


def end_run(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    status: str,
    *,
    counts: dict[str, int] | None = None,
    error: str | None = None,
) -> None:
    """Write down how a run ended. Called inside the load's transaction where rows were loaded."""
    connection.execute(
        "UPDATE runs SET status = ?, finished_at = ?, counts = ?, error = ? WHERE run_id = ?",
        [status, _now(), json.dumps(counts) if counts is not None else None, error, run_id],
    )


def last_completion(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """When the last complete run ended (UTC); None if there is none."""
    query = "SELECT max(finished_at) FROM runs WHERE status = 'complete'"
    ended: datetime | None = connection.execute(query).fetchall()[0][0]
    return ended.replace(tzinfo=UTC) if ended else None


def known_hashes(connection: duckdb.DuckDBPyConnection, *, refused: bool = True) -> set[str]:
    """SHA-256 of every file and archive member that earlier runs have read.

    Without `refused`, those of which nothing could be read are left out, and so are the archives
    that they lie in: a run that names the input's fields otherwise has to try them again.
    """
    query = "SELECT raw_sha256 FROM sources"
    if not refused:
        query += """ AS source WHERE NOT EXISTS (
            FROM sources AS other
            WHERE other.status = 'rejected' AND other.raw_file = source.raw_file AND (
                source.raw_member IN ('', other.raw_member)
                OR starts_with(other.raw_member, source.raw_member || ':')))"""
    rows = connection.execute(query).fetchall()
    return {sha256 for (sha256,) in rows}


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
