"""Views and macros for people, on a warehouse built from raw/."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.load.search import attach_search, search_folder, update_search
from flows.load.warehouse import WarehouseError, open_readonly
from schemas.views import VIEWS
from tests.conftest import Command
from tests.test_load import Loader, article

WAREHOUSE = Path("warehouse/stancebank.duckdb")


def ask(folder: Path, query: str) -> list[dict[str, Any]]:
    with open_readonly(folder / WAREHOUSE) as connection:
        return connection.execute(query).pl().rows(named=True)


def test_views_have_the_columns_that_are_declared_and_every_column_is_described(
    samples: Path,
) -> None:
    for view in VIEWS:
        described = ask(
            samples,
            "SELECT column_name, comment FROM duckdb_columns() "
            f"WHERE table_name = '{view.table_name()}' AND schema_name = 'main'",
        )
        found = {row["column_name"]: row["comment"] for row in described}
        assert found == {name: c.description for name, c in view.columns().items()}
        with open_readonly(samples / WAREHOUSE) as connection:
            view.schema().validate(connection.sql(f"FROM {view.table_name()}").pl())


def test_positions_count_a_repeated_statement_once_and_neutral_ones_too(samples: Path) -> None:
    totals = ask(
        samples,
        "SELECT sum(favor + against) AS sides, sum(neutral) AS neutral, "
        "max(articles) AS articles FROM positions",
    )[0]
    rows = ask(
        samples,
        """
        SELECT count(DISTINCT (ss.speaker_id, t.target_id, t.stance, ss.statement_id)) AS sides
        FROM statement_speakers AS ss JOIN stances AS t USING (statement_id)
        """,
    )[0]
    assert 0 < totals["sides"] < rows["sides"], "the wire story is in two papers"
    assert totals["neutral"] > 0
    assert totals["articles"] > 1
    without_side = ask(samples, "FROM positions WHERE target_name IS NULL")
    assert {(row["favor"], row["against"]) for row in without_side} == {(0, 0)}


def test_a_timeline_is_in_order_of_time_and_takes_names_in_any_case(samples: Path) -> None:
    lower = ask(samples, "FROM speaker_timeline('dragan toma')")
    assert lower == ask(samples, "FROM speaker_timeline('Dragan Toma')")
    assert {row["speaker"] for row in lower} == {"Dragan Toma"}
    dates = [row["published_at"] for row in lower if row["published_at"]]
    assert dates == sorted(dates)
    assert len({row["outlet"] for row in lower}) > 2
    assert max(row["repetitions"] for row in lower) >= 1
    assert ask(samples, "FROM speaker_timeline('Nobody Known')") == []


def test_coverage_has_every_outlet_and_month(samples: Path) -> None:
    rows = ask(samples, "FROM coverage")
    outlets, months = ({row[name] for row in rows} for name in ("outlet", "month"))
    assert len(rows) == len(outlets) * len(months)
    assert min(row["articles"] for row in rows) == 0
    dated = ask(
        samples,
        "SELECT count(*) AS n FROM articles WHERE outlet > '' AND published_at > '1990-01-01'",
    )
    assert sum(row["articles"] for row in rows) == dated[0]["n"]


def test_quality_tells_rejects_by_reason_and_stances_by_confidence(samples: Path) -> None:
    with open_readonly(samples / WAREHOUSE) as connection:
        first = connection.execute("FROM run_quality ORDER BY started_at LIMIT 1").fetchone()
        columns = [name for name, *_ in connection.description or []]
    row = dict(zip(columns, first or (), strict=True))
    assert sum(row["rejects_by_reason"].values()) == row["rejects"] > 5
    assert any(reason.startswith("ingest: is empty") for reason in row["rejects_by_reason"])
    assert sum(row["stances_by_confidence"].values()) == row["stances"] > 50
    assert all(0 <= tenth < 1 for tenth in row["stances_by_confidence"])


def test_a_search_ranks_statements_and_tells_up_to_when_it_knows(
    samples: Path, stancebank: Command
) -> None:
    query = "FROM who_said('treaty sanctions') LIMIT 10"
    done = stancebank(samples, "sql", query, "-f", "json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert all(
        "treat" in row["statement"].lower() or "sanction" in row["statement"].lower()
        for row in rows
    )
    ended = ask(samples, "SELECT max(finished_at) AS ended FROM runs WHERE status = 'complete'")
    assert rows[0]["indexed_until"][:19] <= f"{ended[0]['ended']:%Y-%m-%d %H:%M:%S}"
    inflected = stancebank(samples, "sql", "FROM who_said('“treaties”')", "-f", "json").stdout
    assert "treaty" in inflected.lower()


def test_only_years_that_a_load_touched_are_indexed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loader = Loader(tmp_path)
    loader.load("a.jsonl", [article(1), article(2, published_at="2024-05-01")])
    with open_readonly(loader.warehouse) as connection:
        with pytest.raises(WarehouseError, match="stancebank run"):
            attach_search(connection, loader.warehouse)
        assert update_search(connection, loader.warehouse) == [2024, 2026]
        assert update_search(connection, loader.warehouse) == []
    loader.load("b.jsonl", [article(3)])
    with open_readonly(loader.warehouse) as connection:
        attach_search(connection, loader.warehouse)
        before = len(connection.execute("FROM who_said('scrap the levy')").fetchall())
        assert update_search(connection, loader.warehouse) == [2026]
    with open_readonly(loader.warehouse) as connection:
        attach_search(connection, loader.warehouse)
        assert len(connection.execute("FROM who_said('scrap the levy')").fetchall()) > before > 0
    loader.load("a.jsonl", [article(1)])
    with open_readonly(loader.warehouse) as connection:
        update_search(connection, loader.warehouse)
    left = sorted(path.name for path in search_folder(loader.warehouse).iterdir())
    assert left == ["2026.duckdb"]


def test_any_program_can_open_the_views_without_ours(samples: Path) -> None:
    with duckdb.connect(str(samples / WAREHOUSE), read_only=True) as connection:
        assert connection.execute("FROM speaker_timeline('Dragan Toma')").fetchall()
