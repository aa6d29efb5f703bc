"""The build flow as users run it: the command line, real files, a real Prefect server, DuckDB."""

import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import duckdb
import pytest

from tests.conftest import PROJECT, Command

TABLES = ("articles", "statements", "stances", "removed_lines", "rejects", "sources")


def ask(folder: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "warehouse/stancebank.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    return {table: ask(folder, f"FROM {table} ORDER BY ALL") for table in TABLES}


def write_articles(path: Path, texts: list[str]) -> None:
    path.parent.mkdir(exist_ok=True)
    lines = [
        json.dumps({"url": f"https://herald.example/{n}", "title": f"Number {n}", "text": text})
        for n, text in enumerate(texts)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_samples_of_every_format_are_loaded(samples: Path) -> None:
    files = {str(name).split("/")[1] for (name,) in ask(samples, "SELECT raw_file FROM articles")}
    assert files >= {
        "html",
        "wordpress",
        "feeds",
        "crawl",
        "archives",
        "april.parquet",
        "briefs.csv",
    }
    assert ask(samples, "SELECT status, count(*) FROM runs GROUP BY 1") == [("complete", 1)]


def test_every_bad_sample_is_rejected_with_a_reason(samples: Path) -> None:
    found = dict(ask(samples, "SELECT raw_file, string_agg(reason, ' ') FROM rejects GROUP BY 1"))
    bad = {f"raw/bad/{path.name}" for path in (samples / "raw" / "bad").iterdir()}
    assert bad <= set(found)
    assert "empty" in found["raw/bad/empty.txt"]
    assert "binary" in found["raw/bad/binary.txt"]
    assert "encoding" in found["raw/bad/wrong-encoding.txt"]
    assert "cut off" in found["raw/bad/truncated.jsonl.gz"]
    assert "not JSON" in found["raw/bad/broken-lines.jsonl"]


def test_no_boilerplate_is_left_in_the_samples(samples: Path) -> None:
    left = ask(
        samples,
        "SELECT raw_file FROM articles WHERE regexp_matches(text, "
        "'(?i)akismet|email address will not be published|bloggers like this')",
    )
    assert left == []
    assert ask(samples, "SELECT count(*) FROM removed_lines WHERE line ILIKE '%Akismet%'") != [(0,)]


def test_the_wire_story_of_two_outlets_is_one_cluster(samples: Path) -> None:
    clusters = ask(
        samples,
        "SELECT count(DISTINCT outlet) FROM articles WHERE duplicate_cluster_id IS NOT NULL "
        "GROUP BY duplicate_cluster_id",
    )
    assert (2,) in clusters


def test_an_unsupported_language_is_loaded_and_marked_without_statements(samples: Path) -> None:
    spanish = ask(
        samples,
        "SELECT extraction_status, count(statement_id) FROM articles LEFT JOIN statements "
        "USING (article_id) WHERE language = 'es' GROUP BY ALL",
    )
    assert spanish == [("unsupported_language", 0)]


def test_the_summary_tells_what_a_person_wants_to_know(samples: Path) -> None:
    summary = (samples / "summary.txt").read_text()
    for words in ("Articles", "Duplicates", "Statements", "Most quoted", "Not loaded", "Next:"):
        assert words in summary


def test_the_query_that_the_summary_prints_works_as_printed(
    samples: Path, stancebank: Command
) -> None:
    summary = (samples / "summary.txt").read_text()
    line = next(line for line in summary.splitlines() if line.startswith("stancebank sql"))
    query = line.split('"')[1]
    done = stancebank(samples, "sql", query)
    assert done.returncode == 0, done.stderr
    assert "favor" in done.stdout or "against" in done.stdout


def test_a_second_run_adds_no_row_and_says_so(samples: Path, stancebank: Command) -> None:
    before = rows(samples)
    done = stancebank(samples, "run")
    assert done.returncode == 0, done.stderr
    assert "nothing new" in done.stdout
    assert rows(samples) == before


def test_the_run_leaves_its_report_in_prefect(
    samples: Path, stancebank: Command, environment: dict[str, str]
) -> None:
    stancebank(samples, "server", "start")
    state = Path(environment["PREFECT_HOME"]) / "stancebank-server.json"
    port = json.loads(state.read_text())["port"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/artifacts/filter",
        data=json.dumps({"artifacts": {"key": {"any_": ["build-report"]}}}).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        artifacts = json.load(response)
    assert any("Statements" in artifact["data"] for artifact in artifacts)


def test_results_do_not_depend_on_workers_or_order(
    samples: Path, stancebank: Command, tmp_path: Path
) -> None:
    shutil.copytree(samples / "raw", tmp_path / "raw")
    files = sorted(
        str(p.relative_to(tmp_path))
        for p in (tmp_path / "raw").rglob("*.*")
        if p.name != "README.md"
    )
    done = stancebank(tmp_path, "run", "--workers", "1", *reversed(files))
    assert done.returncode == 0, done.stderr
    query = "SELECT statement_id, text, kind FROM statements ORDER BY ALL"
    assert ask(tmp_path, query) == ask(samples, query)


def test_what_another_extractor_read_is_read_again_when_asked(
    tmp_path: Path, stancebank: Command
) -> None:
    write_articles(tmp_path / "raw" / "a.jsonl", ['Minister Ada Moreau said: "We will go on."'])
    stancebank(tmp_path, "run")
    before = ask(tmp_path, "SELECT statement_id, text FROM statements")
    assert before
    with duckdb.connect(str(tmp_path / "warehouse/stancebank.duckdb")) as connection:
        connection.execute("UPDATE articles SET extractor_version = 'older'")
    assert "nothing new" in stancebank(tmp_path, "run").stdout
    done = stancebank(tmp_path, "run", "--reextract")
    assert done.returncode == 0, done.stderr
    assert ask(tmp_path, "SELECT statement_id, text FROM statements") == before
    assert ask(tmp_path, "SELECT statement_id, text FROM statements_history") == before
    assert ask(tmp_path, "SELECT count(*) FROM articles WHERE extractor_version = 'older'") == [
        (0,)
    ]
    again = stancebank(tmp_path, "run", "--reextract")
    assert "nothing new" in again.stdout


def test_inputs_of_which_nothing_can_be_used_end_with_status_1(
    tmp_path: Path, stancebank: Command
) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "empty.txt").touch()
    done = stancebank(tmp_path, "run")
    assert done.returncode == 1
    assert "is empty" in done.stdout
    missing = stancebank(tmp_path, "run", "nosuch.txt")
    assert missing.returncode == 1
    assert "nosuch.txt" in missing.stderr


def test_a_dry_run_tells_and_writes_nothing(tmp_path: Path, stancebank: Command) -> None:
    write_articles(tmp_path / "raw" / "a.jsonl", ["Ministers said on Monday that talks go on."])
    done = stancebank(tmp_path, "run", "--dry-run")
    assert "Would read 1 articles" in done.stdout
    assert not (tmp_path / "warehouse").exists()


def test_a_limited_run_is_completed_by_the_next_one(tmp_path: Path, stancebank: Command) -> None:
    texts = [f"Minister {n} said on Monday that the talks would go on." for n in "ABCD"]
    write_articles(tmp_path / "raw" / "a.jsonl", texts)
    stancebank(tmp_path, "run", "--limit", "2")
    assert ask(tmp_path, "SELECT count(*) FROM articles") == [(2,)]
    stancebank(tmp_path, "run")
    assert ask(tmp_path, "SELECT count(*) FROM articles") == [(4,)]
    assert ask(tmp_path, "SELECT count(*) FROM articles_history") == [(0,)]


def test_a_run_without_server_leaves_none_behind(
    tmp_path: Path, stancebank: Command, environment: dict[str, str]
) -> None:
    stancebank(tmp_path, "server", "stop")
    write_articles(tmp_path / "raw" / "a.jsonl", ["Ministers said on Monday that talks go on."])
    done = stancebank(tmp_path, "run", "--server", "none")
    assert done.returncode == 0, done.stderr
    assert not (Path(environment["PREFECT_HOME"]) / "stancebank-server.json").exists()
    assert "none running" in stancebank(tmp_path, "status").stdout


def test_an_interrupted_run_leaves_a_consistent_warehouse_and_the_next_goes_on(
    tmp_path: Path, stancebank: Command, environment: dict[str, str]
) -> None:
    stancebank(tmp_path, "server", "start")
    sentence = 'Finance Minister Ada Moreau said on day {} that "the levy will stay". '
    texts = ["".join(sentence.format(n * 100 + m) for m in range(8)) for n in range(250)]
    write_articles(tmp_path / "raw" / "a.jsonl", texts)
    program = Path(sys.executable).with_name("stancebank")
    process = subprocess.Popen(
        [program, "run"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    wait_for_a_batch(tmp_path / "warehouse" / ".stancebank.staging")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run again to go on" in errors
    assert ask(tmp_path, "SELECT status FROM runs") == [("interrupted",)]
    assert ask(tmp_path, "SELECT count(*) FROM articles") == [(0,)]
    done = stancebank(tmp_path, "run")
    assert done.returncode == 0, done.stderr
    assert ask(tmp_path, "SELECT count(*) FROM articles") == [(250,)]
    assert not (tmp_path / "warehouse" / ".stancebank.staging").exists()


def test_a_configured_api_that_does_not_answer_is_told(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    write_articles(tmp_path / "raw" / "a.jsonl", ["Ministers said on Monday that talks go on."])
    program = Path(sys.executable).with_name("stancebank")
    done = subprocess.run(
        [program, "run"],
        cwd=tmp_path,
        env=environment | {"PREFECT_API_URL": "http://127.0.0.1:9/api"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "No Prefect API answers at http://127.0.0.1:9/api" in done.stderr
    assert "Traceback" not in done.stderr


def wait_for_a_batch(staging: Path) -> None:
    for _ in range(1200):
        if list(staging.glob("*/.cleaned")):
            return
        time.sleep(0.1)
    pytest.fail("no batch was begun within two minutes")


def test_the_seed_article_is_whole_and_nothing_after_it_survives(
    tmp_path: Path, stancebank: Command, shared_data: Path
) -> None:
    shutil.copytree(shared_data / "seed", tmp_path / "raw")
    done = stancebank(tmp_path, "run")
    assert done.returncode == 0, done.stderr
    ((title, text),) = ask(tmp_path, "SELECT title, text FROM articles")
    assert title == "Ayatollah Khamenei: No direct talks with Trump"
    assert str(text).startswith("The Supreme Leader of Iranian Republic")
    assert str(text).rstrip().endswith("is another hallmark of his approach.")
    stances = ask(
        tmp_path,
        "SELECT DISTINCT speaker, stance FROM speaker_statement_stance WHERE stance <> 'neutral'",
    )
    speakers = {"Ali Khamenei", "Donald Trump", "Javad Zarif"}
    assert speakers <= {speaker for speaker, _ in stances}
    assert {("Ali Khamenei", "against"), ("Javad Zarif", "against")} <= set(stances)


def test_commands_without_a_flow_never_import_prefect(tmp_path: Path) -> None:
    modules = "flows.cli, flows.query, flows.status, flows.extract.filter, flows.clean.filter"
    code = f"import {modules}, flows.export, sys; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0
