"""Loading batches into a real DuckDB file."""

import json
import multiprocessing
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from flows.clean.duplicates import cluster_duplicates
from flows.clean.shard import clean_shard
from flows.extract.shard import extract_shard
from flows.ingest import ingest
from flows.load.batches import known_signatures, new_signatures
from flows.load.merge import IntegrityError, Load, check_references, load_batches
from flows.load.migrate import SchemaError
from flows.load.runs import begin_run, known_hashes
from flows.load.snapshot import publish
from flows.load.validate import validate_shard
from flows.load.warehouse import WarehouseError, open_readonly, open_writable, writer_lock
from schemas.ddl import SCHEMA_VERSION
from schemas.operations import Rejects, Sources
from schemas.shards import read_shard, write_shard
from schemas.statements import Statements

SPEECH = (
    "Finance Minister Ada Moreau said on {day} that the levy would stay. "
    '"We will not scrap the levy," Moreau told reporters in Port Ellis. '
    "Opposition leader Tomas Brandt condemned the levy and called for a vote. "
    "The debate goes on next week in the lower house, where the government has a majority of two."
)
OTHER = (
    "The lighthouse keeper of Cape Wren retires after forty winters. Neighbours said they would "
    "miss his lamp. Councillor Ines Vidal promised that the tower will not be sold to a hotel."
)


def article(number: int, **fields: Any) -> dict[str, Any]:
    """An article of its own, dated so that a higher number is newer."""
    return {
        "url": f"https://herald.example/levy-{number}",
        "title": f"Levy stays, part {number}",
        "outlet": "Ellis Herald",
        "published_at": f"2026-03-{number + 1:02}",
        "text": SPEECH.format(day=f"day {number} of the talks"),
    } | fields


class Loader:
    """Files of articles taken the whole way into one warehouse."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warehouse = folder / "warehouse.duckdb"
        self.loads = 0

    def validated(self, name: str, articles: list[dict[str, Any]]) -> tuple[list[Path], Any]:
        raw = self.folder / name
        raw.write_text("".join(json.dumps(a) + "\n" for a in articles), encoding="utf-8")
        return self.validated_file(raw, None)

    def validated_file(
        self, raw: Path, mapping: Mapping[str, str] | None
    ) -> tuple[list[Path], Any]:
        self.loads += 1
        with open_writable(self.warehouse) as connection:
            known = known_hashes(connection, refused=not mapping)
        staging = self.folder / f"staging-{self.loads}"
        intake = ingest([raw], known, staging, mapping=mapping)
        batches = []
        for number, shard in enumerate(intake.shards):
            batch = self.folder / f"staging-{self.loads}" / str(number)
            clean_shard(shard.path, batch)
            extract_shard(batch)
            validate_shard(batch)
            batches.append(batch / "valid")
        return batches, intake

    def load(self, name: str, articles: list[dict[str, Any]]) -> dict[str, int]:
        return self.load_batches(*self.validated(name, articles))

    def load_file(self, raw: Path, mapping: Mapping[str, str] | None = None) -> dict[str, int]:
        return self.load_batches(*self.validated_file(raw, mapping))

    def load_batches(self, batches: list[Path], intake: Any) -> dict[str, int]:
        new = new_signatures(batches)
        archives = {s.raw_file for s in [*intake.sources, *intake.unchanged] if s.raw_member}
        sources = [
            asdict(s) | {"replaces": bool(s.raw_member) or s.raw_file not in archives}
            for s in intake.sources
        ]
        dtypes = {n: t for n, t in Sources.dtypes().items() if n != "run_id"}
        with open_writable(self.warehouse) as connection:
            run_id = begin_run(connection, {}, {})
            clusters = cluster_duplicates(new, known_signatures(connection, new))
            order = Load(
                run_id,
                batches,
                pl.DataFrame(sources, schema=dtypes | {"replaces": pl.Boolean()}),
                Rejects.from_records(intake.rejects),
                clusters,
            )
            counts = load_batches(connection, order)
            publish(connection, self.warehouse, run_id)
            return counts

    def ask(self, query: str) -> list[Any]:
        with open_readonly(self.warehouse) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.chdir(tmp_path)
    return Loader(tmp_path)


def test_rows_are_loaded_with_their_run_and_refer_to_one_another(loader: Loader) -> None:
    counts = loader.load("a.jsonl", [article(1), article(2)])
    assert counts["articles"] == 2
    assert counts["statements"] > 2
    assert loader.ask("SELECT DISTINCT status FROM runs") == [("complete",)]
    assert loader.ask("SELECT count(DISTINCT run_id) FROM statements") == [(1,)]
    with open_readonly(loader.warehouse) as connection:
        check_references(connection)


def test_every_span_is_verbatim_in_the_warehouse(loader: Loader) -> None:
    loader.load("a.jsonl", [article(1)])
    rows = loader.ask(
        "SELECT s.text, CASE s.part WHEN 'title' THEN a.title ELSE a.text END, s.content_spans "
        "FROM statements AS s JOIN articles AS a USING (article_id)"
    )
    assert rows
    for words, text, spans in rows:
        assert words == " … ".join(text[span["start"] : span["end"]] for span in spans)


def test_an_unchanged_article_in_a_changed_file_stays_as_it_is(loader: Loader) -> None:
    loader.load("a.jsonl", [article(1)])
    before = loader.ask("SELECT article_id, run_id FROM articles")
    counts = loader.load("a.jsonl", [article(1), article(2)])
    assert counts["articles_unchanged"] == 1
    assert counts["articles"] == 1
    assert set(before) < set(loader.ask("SELECT article_id, run_id FROM articles"))
    assert loader.ask("SELECT count(*) FROM articles_history") == [(0,)]


def test_a_changed_article_moves_the_old_rows_to_the_history(loader: Loader) -> None:
    loader.load("a.jsonl", [article(1)])
    old = loader.ask("SELECT statement_id, run_id FROM statements ORDER BY ALL")
    changed = article(1, text=SPEECH.format(day="the last day") + " Nobody knows the outcome.")
    loader.load("a.jsonl", [changed])
    assert loader.ask("SELECT count(*) FROM articles") == [(1,)]
    assert loader.ask("SELECT statement_id, run_id FROM statements_history ORDER BY ALL") == old
    kept = {name for (name,) in loader.ask("SELECT statement_id FROM statements")}
    assert kept & {name for name, _ in old}, "statements with the same words keep their id"
    superseded = loader.ask("SELECT DISTINCT superseded_by_run_id FROM statements_history")
    assert superseded == loader.ask("SELECT DISTINCT run_id FROM statements")


def test_an_article_that_its_file_no_longer_holds_moves_to_the_history(loader: Loader) -> None:
    loader.load("a.jsonl", [article(1), article(2)])
    loader.load("a.jsonl", [article(2)])
    assert loader.ask("SELECT title FROM articles") == [("Levy stays, part 2",)]
    assert loader.ask("SELECT title FROM articles_history") == [("Levy stays, part 1",)]
    assert loader.ask("SELECT count(*) FROM stances_history") != [(0,)]


def test_of_two_versions_of_an_address_the_newer_is_current(loader: Loader) -> None:
    update = article(1, published_at="2026-05-01", text=SPEECH.format(day="an update"))
    loader.load("new.jsonl", [update])
    counts = loader.load("old.jsonl", [article(1)])
    assert counts["articles_older_versions"] == 1
    assert loader.ask("SELECT raw_file FROM articles") == [("new.jsonl",)]
    assert loader.ask("SELECT raw_file FROM articles_history") == [("old.jsonl",)]


def test_copies_share_a_cluster_across_loads(loader: Loader) -> None:
    long_text = " ".join(SPEECH.format(day=f"day {n}") for n in range(8))
    loader.load("a.jsonl", [article(1, text=long_text)])
    loader.load("b.jsonl", [article(2, text=long_text + " More follows."), article(3, text=OTHER)])
    clusters = loader.ask("SELECT title, duplicate_cluster_id FROM articles ORDER BY title")
    first, second, apart = (cluster for _, cluster in clusters)
    assert first is not None
    assert first == second
    assert apart is None


def test_a_broken_reference_rolls_the_whole_load_back(loader: Loader) -> None:
    loader.load("a.jsonl", [article(1)])
    batches, _ = loader.validated("b.jsonl", [article(2)])
    statements = read_shard(Statements, batches[0])
    stray = statements.with_columns(article_id=pl.lit("nowhere"))
    with open_writable(loader.warehouse) as connection:
        run_id = begin_run(connection, {}, {})
        connection.execute(
            "INSERT INTO statements BY NAME "
            "SELECT * REPLACE ('stray' AS statement_id), 'r' AS run_id FROM stray LIMIT 1"
        )
        order = Load(
            run_id,
            batches,
            pl.DataFrame(schema={**Sources.dtypes(), "replaces": pl.Boolean()}).drop("run_id"),
            Rejects.from_records([]),
            pl.DataFrame(schema={"article_id": pl.String, "duplicate_cluster_id": pl.String}),
        )
        with pytest.raises(IntegrityError, match="statements"):
            load_batches(connection, order)
        assert connection.execute("SELECT count(*) FROM articles").fetchone() == (1,)
        connection.execute("SELECT status FROM runs WHERE run_id = ?", [run_id])
        assert connection.fetchone() == ("running",)
    assert stray.height


def test_what_was_refused_is_read_again_once_the_input_fields_are_named(loader: Loader) -> None:
    lines = {name: json.dumps(article(n)) for n, name in enumerate(("good.jsonl", "other.jsonl"))}
    lines["other.jsonl"] = lines["other.jsonl"].replace('"text"', '"body"')
    archive = loader.folder / "both.zip"
    with zipfile.ZipFile(archive, "w") as members:
        for name, line in lines.items():
            members.writestr(name, line)
    loader.load_file(archive)
    assert loader.ask("SELECT title FROM articles") == [("Levy stays, part 0",)]
    assert loader.ask("SELECT count(*) FROM rejects") == [(1,)]
    assert loader.load_file(archive)["sources"] == 0, "without another mapping it is skipped"
    counts = loader.load_file(archive, {"text": "body"})
    assert counts["articles"] == 1
    assert len(loader.ask("FROM articles")) == 2
    assert loader.ask("SELECT count(*) FROM rejects") == [(0,)]
    assert loader.load_file(archive, {"text": "body"})["sources"] == 0


def test_words_that_are_not_at_their_offsets_are_rejected_and_the_rest_loads(
    loader: Loader,
) -> None:
    batches, _ = loader.validated("a.jsonl", [article(1)])
    folder = batches[0].parent
    statements = read_shard(Statements, folder)
    wrong = pl.when(pl.col("position") == 0).then(pl.lit("Never said")).otherwise(pl.col("text"))
    write_shard(Statements, statements.with_columns(text=wrong), folder)
    validate_shard(folder)
    rejects = read_shard(Rejects, folder / "valid")
    assert read_shard(Statements, folder / "valid").height == statements.height - 1
    assert "statements: text is not what the article has" in " ".join(rejects["reason"])
    assert rejects["raw_file"].unique().to_list() == ["a.jsonl"]


def hold_lock(warehouse: Path, held: Any, release: Any) -> None:
    with writer_lock(warehouse):
        held.set()
        release.wait(30)


@contextmanager
def lock_held_elsewhere(warehouse: Path) -> Iterator[int]:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    process = context.Process(target=hold_lock, args=(warehouse, held, release))
    process.start()
    assert held.wait(30)
    yield process.pid or 0
    release.set()
    process.join()


def test_a_second_writer_is_told_who_holds_the_warehouse(tmp_path: Path) -> None:
    warehouse = tmp_path / "w.duckdb"
    with (
        lock_held_elsewhere(warehouse) as pid,
        pytest.raises(WarehouseError, match=f"process {pid}"),
        writer_lock(warehouse),
    ):
        pytest.fail("two writers at once")
    with writer_lock(warehouse):
        assert warehouse.with_name("w.duckdb.writer").exists()


def test_a_file_that_is_no_warehouse_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with pytest.raises(WarehouseError, match="stancebank run"), open_readonly(path):
        pass
    path.write_text("this is no database " * 1000)
    with pytest.raises(WarehouseError, match="not a DuckDB file"), open_readonly(path):
        pass


@pytest.mark.parametrize(
    ("version", "advice"), [("2.0.0", "later version"), ("99", "later version"), ("0.9.0", "NEW")]
)
def test_another_major_version_is_refused_with_what_to_do(
    tmp_path: Path, version: str, advice: str
) -> None:
    path = tmp_path / "w.duckdb"
    with open_writable(path) as connection:
        connection.execute("UPDATE schema_versions SET version = ?", [version])
    for opened in (open_writable, open_readonly):
        with pytest.raises(SchemaError, match=advice), opened(path):
            pass


def test_a_warehouse_of_an_earlier_version_is_brought_forward(loader: Loader) -> None:
    loader.load("a.jsonl", [article(1)])
    before = loader.ask("SELECT article_id, title, text FROM articles")
    with duckdb.connect(str(loader.warehouse)) as old:
        for name in ("positions", "named_speakers", "speaker_statement_stance", "coverage"):
            old.execute(f"DROP VIEW {name}")
        old.execute("DROP TABLE statement_clusters")
        old.execute("DROP TABLE statement_clusters_history")
        for table in ("articles", "articles_history"):
            old.execute(f"ALTER TABLE {table} DROP COLUMN modified_at")
        old.execute("CREATE OR REPLACE TABLE schema_versions AS SELECT 1 AS version, now() AS at")
    counts = loader.load("b.jsonl", [article(2)])
    assert counts["articles"] == 1
    loader.load("a.jsonl", [article(1, text=SPEECH.format(day="the last day"))])
    assert loader.ask("SELECT article_id, title, text FROM articles_history") == before
    assert loader.ask("SELECT max(version) FROM schema_versions") == [(SCHEMA_VERSION,)]
    assert loader.ask("FROM statement_clusters LIMIT 0") == []
    assert loader.ask("FROM positions")


def test_a_failed_step_forward_leaves_the_warehouse_as_it_was(loader: Loader) -> None:
    loader.load("a.jsonl", [article(1)])
    with duckdb.connect(str(loader.warehouse)) as old:
        old.execute("DROP TABLE statement_clusters")
        old.execute("CREATE TABLE statement_clusters (something INTEGER)")
        old.execute("DROP VIEW coverage")
        old.execute("CREATE TABLE coverage (something INTEGER)")
        old.execute("UPDATE schema_versions SET version = '1.0.0'")
    with pytest.raises(duckdb.Error), open_writable(loader.warehouse):
        pass
    with duckdb.connect(str(loader.warehouse)) as old:
        assert old.execute("SELECT version FROM schema_versions").fetchall() == [("1.0.0",)]
        assert old.sql("FROM statement_clusters").columns == ["something"]


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with open_writable(path):
        pass
    with open_readonly(path) as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("DELETE FROM runs")
