"""Takedowns: what they name is gone from every file, and does not come back."""

from pathlib import Path

import duckdb
import pytest

from flows.load.merge import check_references
from flows.load.search import search_folder
from flows.load.warehouse import open_readonly, snapshot_path
from schemas.ddl import HISTORY_SUFFIX, has_history
from schemas.registry import TABLES
from tests.conftest import Command
from tests.test_load import Loader, article
from tests.test_repetitions import vow

MARK = "Quillfeatherstone"
TEXT = (
    f"Minister Ada {MARK} said on Monday that the levy would stay. “The {MARK} levy is fair,” "
    "she told reporters. Opposition leader Tomas Brandt condemned the levy and called for a vote."
)


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.chdir(tmp_path)
    return Loader(tmp_path)


def forget(stancebank: Command, loader: Loader, *lines: str) -> str:
    listed = loader.folder / "takedown.txt"
    listed.write_text("\n".join(lines))
    done = stancebank(
        loader.folder, "forget", "takedown.txt", "--yes", "--warehouse", str(loader.warehouse)
    )
    assert done.returncode == 0, done.stderr
    with open_readonly(loader.warehouse) as connection:
        check_references(connection)
    return done.stdout


def places_of(loader: Loader, words: str) -> list[str]:
    """Tables that hold `words` in any column, and files beside the warehouse in any byte."""
    names = [t.table_name() for t in TABLES]
    names += [t.table_name() + HISTORY_SUFFIX for t in TABLES if has_history(t)]
    found = [
        name
        for name in names
        if loader.ask(f"FROM {name} AS t WHERE contains(lower(t::VARCHAR), '{words.lower()}')")
    ]
    with duckdb.connect(str(snapshot_path(loader.warehouse)), read_only=True) as snapshot:
        found += [
            f"snapshot of {name}"
            for name in names
            if snapshot.execute(
                f"FROM {name} AS t WHERE contains(lower(t::VARCHAR), '{words.lower()}')"
            ).fetchall()
        ]
    files = [loader.warehouse, *search_folder(loader.warehouse).glob("*")]
    return found + [file.name for file in files if words.encode() in file.read_bytes()]


def test_a_forgotten_article_is_in_no_table_and_no_byte_and_stays_away(
    loader: Loader, stancebank: Command
) -> None:
    loader.load("a.jsonl", [article(1, text=TEXT), article(2)])
    loader.load("a.jsonl", [article(1, text=f"{TEXT} More follows."), article(2)])
    assert {"articles", "articles_history", "speakers", "warehouse.duckdb"} <= set(
        places_of(loader, MARK)
    )
    told = forget(stancebank, loader, f"url: {article(1)['url']}?utm_source=feed")
    assert "1  articles\n" in told
    assert "1  articles_history\n" in told
    assert places_of(loader, MARK) == []
    assert len(list(loader.warehouse.with_name("warehouse.parts").iterdir())) == 1
    assert loader.ask("SELECT title FROM articles") == [("Levy stays, part 2",)]
    loader.load("b.jsonl", [article(1, text=f"{TEXT} Another ending."), article(3)])
    loader.load("c.jsonl", [article(7, text=TEXT, url="https://mirror.example/copy")])
    assert loader.ask("SELECT title FROM articles ORDER BY 1") == [
        ("Levy stays, part 2",),
        ("Levy stays, part 3",),
    ]
    assert places_of(loader, MARK) == []
    rejects = loader.ask("SELECT raw_file, payload FROM rejects WHERE reason LIKE '%forgotten%'")
    assert sorted(rejects) == [("b.jsonl", None), ("c.jsonl", None)]


def test_statements_of_a_forgotten_speaker_go_and_stay_away(
    loader: Loader, stancebank: Command
) -> None:
    loader.load("a.jsonl", [article(1, text=TEXT)])
    assert loader.ask(f"FROM speakers WHERE name LIKE '%{MARK}%'")
    forget(stancebank, loader, f"speaker: ada {MARK.lower()}")
    kept = {name for (name,) in loader.ask("SELECT name FROM speakers")}
    assert "Tomas Brandt" in kept
    assert not any(MARK in name for name in kept)
    assert len(loader.ask("FROM articles")) == 1
    loader.load("a.jsonl", [article(1, text=f"{TEXT} More follows.")])
    assert not loader.ask(f"FROM speakers WHERE name LIKE '%{MARK}%'")
    assert loader.ask("SELECT count(*) FROM statements") != [(0,)]
    reasons = loader.ask("SELECT reason FROM rejects")
    assert any("statements of a speaker" in reason for (reason,) in reasons)


def test_an_outlet_goes_with_its_part_in_clusters(loader: Loader, stancebank: Command) -> None:
    loader.load("a.jsonl", [vow(1, outlet="Gone Gazette"), vow(2), vow(3)])
    assert len(loader.ask("FROM statement_clusters WHERE position > 0")) == 2
    forget(stancebank, loader, "outlet: gone gazette")
    (rows,) = [loader.ask("SELECT position FROM statement_clusters ORDER BY 1")]
    assert rows == [(0,), (1,)]
    assert loader.ask("SELECT count(*) FROM statement_clusters_history") == [(2,)]
    loader.load("b.jsonl", [vow(4, outlet="Gone Gazette")])
    assert loader.ask("FROM articles WHERE outlet = 'Gone Gazette'") == []


def test_copies_of_a_forgotten_article_keep_their_cluster(
    loader: Loader, stancebank: Command
) -> None:
    loader.load("a.jsonl", [article(number, text=TEXT * 9) for number in (1, 2, 3)])
    forget(stancebank, loader, f"url: {article(1)['url']}")
    first, second = loader.ask("SELECT article_id, duplicate_cluster_id FROM articles ORDER BY url")
    assert first[1] == second[1] == first[0]
    forget(stancebank, loader, f"url: {article(2)['url']}")
    assert loader.ask("SELECT duplicate_cluster_id FROM articles") == [(None,)]


def test_nothing_is_removed_without_a_yes(loader: Loader, stancebank: Command) -> None:
    loader.load("a.jsonl", [article(1)])
    (loader.folder / "t.txt").write_text("outlet: Ellis Herald\n")
    arguments = ("forget", "t.txt", "--warehouse", str(loader.warehouse))
    assert stancebank(loader.folder, *arguments, given="n\n").returncode == 1
    assert len(loader.ask("FROM articles")) == 1
