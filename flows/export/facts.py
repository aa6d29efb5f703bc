"""What a release says of itself, read from the rows that it holds."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from flows.export.checks import ReleaseError

REASONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Facts:
    """Counts and dates of a release; `changed_at` is when the warehouse was last changed (UTC)."""

    changed_at: datetime
    versions: dict[str, str]
    first_date: datetime | None
    last_date: datetime | None
    undated: int
    languages: list[tuple[str, int]]
    statuses: list[tuple[str, int]]
    outlets: list[tuple[str, int]]
    kinds: list[tuple[str, int]]
    stances: list[tuple[str, int]]
    confidence: list[tuple[str, int]]
    rejects: list[tuple[str, int]]
    removed: list[tuple[str, int]]
    left_out: list[tuple[str, int]]

    @property
    def version(self) -> str:
        """Calendar version of the data: the day that the warehouse was last changed."""
        return f"{self.changed_at:%Y.%m.%d}"


def gather_facts(connection: duckdb.DuckDBPyConnection) -> Facts:
    """Read the facts of the selected rows.

    Raises:
        ReleaseError: if no run has been completed.
    """
    changed_at, versions = _last_run(connection)
    first, last, undated = _rows(
        connection,
        "SELECT min(published_at), max(published_at), "
        "count(*) FILTER (published_at IS NULL) FROM articles",
    )[0]
    return Facts(
        changed_at=changed_at,
        versions=versions,
        first_date=first,
        last_date=last,
        undated=undated,
        languages=_counts(connection, "language", "articles"),
        statuses=_counts(connection, "extraction_status", "articles"),
        outlets=_counts(connection, "coalesce(outlet, '(unknown)')", "articles"),
        kinds=_counts(connection, "kind", "statements"),
        stances=_counts(connection, "stance", "speaker_statement_stance"),
        confidence=_histogram(connection),
        rejects=_counts(connection, "concat(stage, ': ', reason)", "rejects"),
        removed=_counts(connection, "reason", "removed_lines"),
        left_out=_rows(connection, "SELECT what, rows FROM left_out"),
    )


def _last_run(connection: duckdb.DuckDBPyConnection) -> tuple[datetime, dict[str, str]]:
    rows = _rows(
        connection,
        "SELECT max(finished_at), arg_max(versions, finished_at) FILTER (versions <> '{}') "
        "FROM runs WHERE status = 'complete' HAVING count(*) > 0",
    )
    if not rows:
        raise ReleaseError("No run has been completed, so there is nothing to release.")
    return rows[0][0], json.loads(rows[0][1] or "{}")


def _histogram(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    """Rows that take a side, by tenths of confidence."""
    return [
        (f"{tenth / 10:.1f} to {(tenth + 1) / 10:.1f}", rows)
        for tenth, rows in _rows(
            connection,
            "SELECT least(floor(confidence * 10), 9)::INTEGER, count(*) "
            "FROM speaker_statement_stance WHERE stance <> 'neutral' GROUP BY 1 ORDER BY 1",
        )
    ]


def _counts(connection: duckdb.DuckDBPyConnection, what: str, table: str) -> list[tuple[str, int]]:
    return _rows(
        connection,
        f"SELECT {what}, count(*) FROM {table} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {REASONS_SHOWN}",
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return connection.execute(query).fetchall()
