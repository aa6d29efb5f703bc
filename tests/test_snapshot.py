"""The file for readers: as the warehouse after every load, at the cost of what changed."""

import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

import flows.load.snapshot
from flows.load.warehouse import open_readonly, snapshot_path
from schemas.ddl import HISTORY_SUFFIX, has_history
from schemas.registry import TABLES
from schemas.views import VIEWS
from tests.test_load import OTHER, SPEECH, Loader, article


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.chdir(tmp_path)
    return Loader(tmp_path)


def everything(path: Path) -> dict[str, list[Any]]:
    names = [table.table_name() for table in (*TABLES, *VIEWS)]
    names += [table.table_name() + HISTORY_SUFFIX for table in TABLES if has_history(table)]
    with duckdb.connect(str(path), read_only=True) as connection:
        return {name: connection.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in names}


def assert_shown(loader: Loader) -> None:
    shown, stored = everything(snapshot_path(loader.warehouse)), everything(loader.warehouse)
    for name, rows in stored.items():
        assert shown[name] == rows, name


def part_rows(loader: Loader, table: str) -> list[int]:
    parts = loader.warehouse.with_name("warehouse.parts").rglob(f"{table}-*.parquet")
    return [pq.read_metadata(path).num_rows for path in sorted(parts)]


def test_readers_see_after_every_load_what_the_warehouse_holds(loader: Loader) -> None:
    long_text = " ".join(SPEECH.format(day=f"day {n}") for n in range(8))
    loader.load("a.jsonl", [article(1), article(2), article(3, text=long_text)])
    assert_shown(loader)
    loader.load("b.jsonl", [article(4, text=OTHER), article(5, text=f"{long_text} And more.")])
    assert_shown(loader)
    assert loader.ask("SELECT count(duplicate_cluster_id) FROM articles") > [(1,)]
    loader.load("a.jsonl", [article(1, text=SPEECH.format(day="the last day")), article(2)])
    assert_shown(loader)
    loader.load("old.jsonl", [article(4, text=OTHER, published_at="2026-01-01")])
    assert_shown(loader)
    loader.load("bad.jsonl", [{"title": "nothing"}])
    assert_shown(loader)
    loader.load("b.jsonl", [article(9)])
    assert_shown(loader)
    assert len(part_rows(loader, "articles")) == 6


def test_a_load_writes_what_changed_and_no_more(loader: Loader) -> None:
    loader.load("a.jsonl", [article(n, text=f"{OTHER} Lamp {n}.") for n in range(8)])
    loader.load("b.jsonl", [article(9)])
    assert part_rows(loader, "articles") == [8, 1]
    assert part_rows(loader, "statements")[1] < part_rows(loader, "statements")[0]


def hold_file(warehouse: Path, held: Any, release: Any) -> None:
    with duckdb.connect(str(warehouse)):
        held.set()
        release.wait(60)


@contextmanager
def written_elsewhere(warehouse: Path) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    process = context.Process(target=hold_file, args=(warehouse, held, release))
    process.start()
    assert held.wait(60)
    yield
    release.set()
    process.join()


def test_readers_are_served_while_another_process_writes(loader: Loader) -> None:
    loader.load("a.jsonl", [article(1)])
    before = loader.ask("SELECT title, text FROM articles")
    with written_elsewhere(loader.warehouse):
        with pytest.raises(duckdb.IOException):
            duckdb.connect(str(loader.warehouse), read_only=True)
        assert loader.ask("SELECT title, text FROM articles") == before
        with open_readonly(loader.warehouse) as connection:
            assert connection.execute("FROM speaker_timeline('Ada Moreau')").fetchall()


@contextmanager
def reader_elsewhere(snapshot: Path) -> Iterator[Callable[[], int]]:
    """Another process that keeps `snapshot` open, and counts articles when asked."""
    code = (
        "import duckdb, sys\n"
        "with duckdb.connect(sys.argv[1], read_only=True) as snapshot:\n"
        "    for _ in sys.stdin:\n"
        "        print(*snapshot.execute('SELECT count(*) FROM articles').fetchone(), flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(snapshot)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        asked, told = process.stdin, process.stdout
        assert asked
        assert told

        def count() -> int:
            asked.write("count\n")
            asked.flush()
            return int(told.readline())

        assert count() == 1
        yield count
        asked.close()


def test_a_reader_that_stays_open_disturbs_no_load_and_keeps_its_view(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader.load("a.jsonl", [article(1)])
    monkeypatch.setattr(flows.load.snapshot, "MOST_PARTS", 2)
    with reader_elsewhere(snapshot_path(loader.warehouse)) as count_articles:
        for number in (2, 3):
            loader.load(f"{number}.jsonl", [article(number)])
            assert count_articles() == 1
            assert_shown(loader)
    generations = list(loader.warehouse.with_name("warehouse.parts").iterdir())
    assert len(generations) == 2, "after two parts all are written anew; the former stay"
    for number in (4, 5):
        loader.load(f"{number}.jsonl", [article(number)])
    assert_shown(loader)
    assert len(list(loader.warehouse.with_name("warehouse.parts").iterdir())) == 2


def test_after_a_run_that_was_not_shown_all_parts_are_written_anew(loader: Loader) -> None:
    loader.load("a.jsonl", [article(1)])
    with duckdb.connect(str(loader.warehouse)) as connection:
        connection.execute(
            "INSERT INTO runs BY NAME SELECT * REPLACE ('unseen' AS run_id) FROM runs LIMIT 1"
        )
    loader.load("b.jsonl", [article(2)])
    assert_shown(loader)
