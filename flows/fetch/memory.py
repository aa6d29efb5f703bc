"""What collecting remembers between runs: pages, validators of lists, results and failures.

A link that a list names is written down together with the list's validators, so that a list which
has not changed since never hides an article that an interrupted run left behind.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from threading import Lock
from typing import Any

from flows.fetch.links import Link
from flows.fetch.records import Failure, OutletResult

MEMORY_FILE = ".collect.sqlite"
ATTEMPTS = 5

_TABLES = """
CREATE TABLE IF NOT EXISTS pages (
    url TEXT PRIMARY KEY, outlet TEXT NOT NULL, list TEXT NOT NULL, dated_at REAL,
    found_at REAL NOT NULL, status TEXT NOT NULL DEFAULT 'found'
        CHECK (status IN ('found', 'stored', 'refused')),
    attempts INTEGER NOT NULL DEFAULT 0, warc TEXT);
CREATE INDEX IF NOT EXISTS waiting ON pages (outlet, dated_at) WHERE status = 'found';
CREATE TABLE IF NOT EXISTS lists (url TEXT PRIMARY KEY, etag TEXT, last_modified TEXT);
CREATE TABLE IF NOT EXISTS results (
    run_id TEXT NOT NULL, outlet TEXT NOT NULL, lists_read INTEGER NOT NULL,
    found INTEGER NOT NULL, stored INTEGER NOT NULL, reserved INTEGER NOT NULL,
    disallowed INTEGER NOT NULL, left_over INTEGER NOT NULL,
    PRIMARY KEY (run_id, outlet));
CREATE TABLE IF NOT EXISTS failures (
    run_id TEXT NOT NULL, outlet TEXT NOT NULL, what TEXT NOT NULL, url TEXT NOT NULL,
    reason TEXT NOT NULL);
"""


class Memory:
    """The file in raw/ that remembers. May be used by several threads."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(_TABLES)
        self._lock = Lock()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def conditions(self, url: str) -> dict[str, str]:
        """Headers that ask for a list only if it has changed since it was last read."""
        rows = self._rows("SELECT etag, last_modified FROM lists WHERE url = ?", url)
        etag, modified = rows[0] if rows else (None, None)
        headers = {"If-None-Match": etag, "If-Modified-Since": modified}
        return {name: value for name, value in headers.items() if value}

    def add_links(
        self,
        outlet: str,
        where: str,
        links: Sequence[Link],
        etag: str | None = None,
        modified: str | None = None,
    ) -> int:
        """Remember links that the list at `where` names, with its validators; how many are new."""
        with self._transaction() as connection:
            before = connection.total_changes
            connection.executemany(
                "INSERT OR IGNORE INTO pages (url, outlet, list, dated_at, found_at) "
                "VALUES (?, ?, ?, ?, ?)",
                [(link.url, outlet, where, link.dated_at, time.time()) for link in links],
            )
            new = connection.total_changes - before
            connection.execute(
                "INSERT OR REPLACE INTO lists VALUES (?, ?, ?)", [where, etag, modified]
            )
        return new

    def waiting(self, outlet: str, limit: int) -> list[tuple[str, str]]:
        """URLs of an outlet that are to be fetched and the lists that name them, newest first."""
        return self._rows(
            "SELECT url, list FROM pages WHERE status = 'found' AND outlet = ? "
            "ORDER BY attempts, dated_at DESC, found_at, rowid LIMIT ?",
            outlet,
            limit,
        )

    def count_waiting(self, outlet: str) -> int:
        """How many URLs of an outlet are still to be fetched."""
        query = "SELECT count(*) FROM pages WHERE status = 'found' AND outlet = ?"
        return int(self._rows(query, outlet)[0][0])

    def is_stored(self, url: str) -> bool:
        """Whether the page at `url` has been stored."""
        return bool(self._rows("SELECT 1 FROM pages WHERE url = ? AND status = 'stored'", url))

    def mark_stored(self, outlet: str, pages: Sequence[tuple[str, str]], warc: str) -> None:
        """Remember that `pages`, pairs of the URL asked for and the one that answered, are kept."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO pages (url, outlet, list, found_at, status, warc) "
                "VALUES (?, ?, '', ?, 'stored', ?) "
                "ON CONFLICT (url) DO UPDATE SET status = 'stored', warc = excluded.warc",
                [(url, outlet, time.time(), warc) for pair in pages for url in set(pair)],
            )

    def mark_failed(self, url: str, *, lasting: bool) -> None:
        """Remember a failed attempt; after a lasting failure or the fifth there is no other."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE pages SET attempts = attempts + 1, status = "
                "CASE WHEN ? OR attempts + 1 >= ? THEN 'refused' ELSE status END WHERE url = ?",
                [lasting, ATTEMPTS, url],
            )

    def add_result(self, run_id: str, result: OutletResult) -> None:
        """Remember what became of one outlet in a run."""
        with self._transaction() as connection:
            *counts, failures = astuple(result)
            connection.execute(
                "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [run_id, *counts]
            )
            connection.executemany(
                "INSERT INTO failures VALUES (?, ?, ?, ?, ?)",
                [(run_id, result.outlet, *failure) for failure in failures],
            )

    def last_run(self) -> tuple[str, list[OutletResult]] | None:
        """The last run that finished an outlet, and what became of each."""
        ((run_id,),) = self._rows("SELECT max(run_id) FROM results")
        if run_id is None:
            return None
        results = self._rows(
            "SELECT outlet, lists_read, found, stored, reserved, disallowed, left_over "
            "FROM results WHERE run_id = ? ORDER BY rowid",
            run_id,
        )
        return run_id, [OutletResult(*[*row, self._failures(run_id, row[0])]) for row in results]

    def _failures(self, run_id: str, outlet: str) -> list[Failure]:
        query = "SELECT what, url, reason FROM failures WHERE run_id = ? AND outlet = ?"
        return [Failure(*row) for row in self._rows(query, run_id, outlet)]

    def _rows(self, query: str, *parameters: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
