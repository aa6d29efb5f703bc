"""Commands that read a warehouse, and the filters that need none."""

import csv
import io
import json
from pathlib import Path

from tests.conftest import Command

ARTICLE = (
    "The council met on Friday.\n\n"
    '"We will never sign the river treaty," Prime Minister Dragan Toma told reporters.\n\n'
    "Foreign Minister Irena Vas condemned the treaty.\n\n"
    "Your email address will not be published. Required fields are marked *\n"
)


def test_help_lists_every_command_and_its_examples(tmp_path: Path, stancebank: Command) -> None:
    listed = stancebank(tmp_path, "--help").stdout
    for command in ("run", "sql", "export", "status", "clean", "extract", "schema", "server"):
        assert command in listed
    assert "stancebank run" in stancebank(tmp_path, "run", "--help").stdout


def test_rows_come_as_csv_json_and_parquet(samples: Path, stancebank: Command) -> None:
    query = "SELECT outlet, authors, published_at FROM articles ORDER BY article_id"
    as_csv = list(
        csv.DictReader(io.StringIO(stancebank(samples, "sql", query, "-f", "csv").stdout))
    )
    as_json = [
        json.loads(line)
        for line in stancebank(samples, "sql", query, "-f", "json").stdout.splitlines()
    ]
    assert len(as_csv) == len(as_json) > 20
    assert [row["outlet"] or None for row in as_csv] == [row["outlet"] for row in as_json]
    assert json.loads(as_csv[0]["authors"]) == as_json[0]["authors"]


def test_a_wrong_query_is_told_in_one_line(samples: Path, stancebank: Command) -> None:
    done = stancebank(samples, "sql", "SELECT nothing FROM articles")
    assert done.returncode == 1
    assert "nothing" in done.stderr
    assert "Traceback" not in done.stderr


def test_sql_cannot_write(samples: Path, stancebank: Command) -> None:
    done = stancebank(samples, "sql", "DELETE FROM articles")
    assert done.returncode == 1
    assert "read-only" in done.stderr


def test_without_a_warehouse_the_user_is_told_what_to_do(
    tmp_path: Path, stancebank: Command
) -> None:
    for arguments in (["sql", "FROM runs"], ["status"], ["export", "release"]):
        done = stancebank(tmp_path, *arguments)
        assert done.returncode == 1
        assert "stancebank run" in done.stderr


def test_status_shows_runs_rejects_and_the_server(samples: Path, stancebank: Command) -> None:
    shown = stancebank(samples, "status").stdout
    assert "complete" in shown
    assert "raw/bad/empty.txt" in shown
    assert "Prefect server" in shown


def test_the_filters_work_in_a_pipe_and_a_bad_line_does_not_end_them(
    tmp_path: Path, stancebank: Command
) -> None:
    pages = json.dumps({"id": "a", "text": ARTICLE}) + "\nnot json\n" + '{"id": "b"}\n'
    cleaned = stancebank(tmp_path, "clean", given=pages)
    first, second, third = map(json.loads, cleaned.stdout.splitlines())
    assert "email address" not in first["text"]
    assert any("email address" in gone["line"] for gone in first["removed"])
    assert "2" in second["error"]
    assert third["id"] == "b"
    assert "error" in third
    extracted = stancebank(tmp_path, "extract", given=cleaned.stdout.splitlines()[0] + "\n")
    (line,) = map(json.loads, extracted.stdout.splitlines())
    assert line["id"] == "a"
    speakers = {found["speaker"] for found in line["attributions"]}
    assert {"Dragan Toma", "Irena Vas"} <= speakers
    for found in line["attributions"]:
        text = first["title"] if found["part"] == "title" else first["text"]
        assert all(text[start:end].strip() for start, end in found["content"])


def test_a_page_is_shown_with_what_was_taken_out(tmp_path: Path, stancebank: Command) -> None:
    page = tmp_path / "page.txt"
    page.write_text(ARTICLE)
    shown = stancebank(tmp_path, "clean", "--explain", str(page)).stdout
    assert "Your email address will not be published" in shown
    assert "template" in shown


def test_the_dictionary_is_printed(tmp_path: Path, stancebank: Command) -> None:
    assert "| `statement_id` |" in stancebank(tmp_path, "schema").stdout
