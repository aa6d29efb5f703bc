"""What changed between two releases: rows added, removed and changed, by reason."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows.export.checks import ReleaseError, scan

_ARTICLE_OF = {
    "article_id": "t.article_id",
    "statement_id": "(SELECT s.article_id FROM {side}.statements AS s "
    "WHERE s.statement_id = t.statement_id)",
}
_WHY_NOT_IN_BOTH = """CASE
    WHEN oa.article_id IS NULL THEN 'article is new'
    WHEN na.article_id IS NULL THEN 'article is gone'
    WHEN oa.text_sha256 <> na.text_sha256 THEN 'text of the article changed'
    WHEN oa.extractor_version IS DISTINCT FROM na.extractor_version THEN 'another extractor'
    WHEN oa.cleaner_version <> na.cleaner_version THEN 'another cleaner'
    ELSE 'selection or takedown' END"""


@dataclass(frozen=True, slots=True)
class Change:
    """Rows of a table with the same outcome (`added`, `removed`, `changed`) and reason."""

    table: str
    outcome: str
    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Versions of two releases as (data, schema), and the changes from the older to the newer."""

    old: tuple[str, str]
    new: tuple[str, str]
    changes: list[Change]


def compare_releases(old: Path, new: Path) -> Difference:
    """Compare two releases by the keys of their tables.

    A row that is in both counts as changed if a column that both have differs; the reason names
    these columns. A row that is in one of them has as reason what became of its article.

    Raises:
        ReleaseError: if a folder is no release, or the formats of the two differ.
    """
    packages = {"old": _package(old), "new": _package(new)}
    formats = {
        resource["format"] for package in packages.values() for resource in package["resources"]
    }
    if len(formats) != 1:
        raise ReleaseError(f"{old} and {new} must have tables of one format, not {formats}.")
    tables = {side: {r["name"]: r for r in p["resources"]} for side, p in packages.items()}
    with _opened({"old": old, "new": new}, tables) as connection:
        changes = [
            change
            for name, table in tables["new"].items()
            if name in tables["old"]
            for change in _changes(connection, tables["old"][name], table)
        ]
    return Difference(_versions(packages["old"]), _versions(packages["new"]), changes)


def _package(folder: Path) -> dict[str, Any]:
    try:
        package: dict[str, Any] = json.loads((folder / "datapackage.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{folder} is no release: {error}") from None
    return package


def _versions(package: dict[str, Any]) -> tuple[str, str]:
    return package["version"], package["schemaVersion"]


@contextmanager
def _opened(
    folders: dict[str, Path], tables: dict[str, dict[str, Any]]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with a schema for each release and its tables in it."""
    with duckdb.connect() as connection:
        for side, resources in tables.items():
            connection.execute(f"CREATE SCHEMA {side}")
            for name, resource in resources.items():
                paths = resource["path"] if isinstance(resource["path"], list) else None
                source = scan(folders[side], paths or [resource["path"]], resource["format"])
                connection.execute(f"CREATE VIEW {side}.{name} AS FROM {source}")
        yield connection


def _changes(
    connection: duckdb.DuckDBPyConnection, old: dict[str, Any], new: dict[str, Any]
) -> Iterable[Change]:
    keys = new["schema"].get("primaryKey", [])
    before, after = ([f["name"] for f in side["schema"]["fields"]] for side in (old, new))
    if not keys or not set(keys) <= set(before):
        return
    common = [name for name in after if name in before and name not in keys]
    for outcome, reason, rows in connection.execute(
        _query(new["name"], keys, common, _article_column(after))
    ).fetchall():
        yield Change(new["name"], outcome, reason, rows)


def _article_column(columns: list[str]) -> str | None:
    return next((name for name in ("article_id", "statement_id") if name in columns), None)


def _query(name: str, keys: list[str], common: list[str], article: str | None) -> str:
    differs = [f'o."{column}" IS DISTINCT FROM n."{column}"' for column in common]
    named = ", ".join(
        f"CASE WHEN {test} THEN '{column}' END"
        for test, column in zip(differs, common, strict=True)
    )
    sides = {
        side: f"(SELECT t.*, true AS _here, "
        f"{_ARTICLE_OF[article].format(side=side) if article else 'NULL::VARCHAR'} AS _article "
        f"FROM {side}.{name} AS t)"
        for side in ("old", "new")
    }
    same_key = " AND ".join(f'o."{key}" = n."{key}"' for key in keys)
    return f"""
        SELECT CASE WHEN o._here IS NULL THEN 'added' WHEN n._here IS NULL THEN 'removed'
                ELSE 'changed' END AS outcome,
            CASE WHEN o._here AND n._here THEN concat_ws(', ', {named or "''"})
                ELSE {_WHY_NOT_IN_BOTH if article else "''"} END AS reason,
            count(*)
        FROM {sides["old"]} AS o FULL JOIN {sides["new"]} AS n ON {same_key}
        LEFT JOIN old.articles AS oa ON oa.article_id = coalesce(o._article, n._article)
        LEFT JOIN new.articles AS na ON na.article_id = coalesce(o._article, n._article)
        WHERE o._here IS NULL OR n._here IS NULL OR {" OR ".join(differs) or "false"}
        GROUP BY ALL ORDER BY 1, 3 DESC, 2
    """
