"""Targets claimed by the issues of a user's codeframe."""

from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.load.codeframe import (
    CodeframeError,
    claim_targets,
    read_codeframe,
    replace_codeframe,
)
from flows.load.warehouse import open_writable
from tests.conftest import PROJECT, Command

CODEFRAME = """issue,pattern,polarity
levy,(flood )?levy,1
levy,repeal of the levy,-1
port,port|harbou?r,+1
"""


@pytest.fixture
def codeframe(tmp_path: Path) -> Path:
    path = tmp_path / "issues.csv"
    path.write_text(CODEFRAME)
    return path


def add_targets(connection: duckdb.DuckDBPyConnection, *names: str) -> None:
    frame = pl.DataFrame({"name": names})
    connection.execute(
        "INSERT INTO targets SELECT name, name, 'policy', [upper(name)] FROM frame ORDER BY name"
    )
    assert frame.height == len(names)


def claims(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str, int]]:
    return set(connection.execute("FROM target_issues").fetchall())


def test_patterns_claim_whole_words_and_the_longest_decides_the_sign(
    tmp_path: Path, codeframe: Path
) -> None:
    with open_writable(tmp_path / "w.duckdb") as connection:
        add_targets(connection, "Flood Levy", "repeal of the levy", "airport", "the harbor")
        replace_codeframe(connection, read_codeframe(codeframe))
        assert claims(connection) == {
            ("Flood Levy", "levy", 1),
            ("repeal of the levy", "levy", -1),
            ("the harbor", "port", 1),
        }


def test_new_targets_are_claimed_and_vanished_ones_let_go(tmp_path: Path, codeframe: Path) -> None:
    with open_writable(tmp_path / "w.duckdb") as connection:
        replace_codeframe(connection, read_codeframe(codeframe))
        add_targets(connection, "new port")
        claim_targets(connection)
        assert claims(connection) == {("new port", "port", 1)}
        connection.execute("DELETE FROM targets")
        claim_targets(connection)
        assert claims(connection) == set()


def test_a_new_codeframe_takes_the_place_of_the_former(tmp_path: Path, codeframe: Path) -> None:
    with open_writable(tmp_path / "w.duckdb") as connection:
        add_targets(connection, "levy")
        replace_codeframe(connection, read_codeframe(codeframe))
        codeframe.write_text("issue,pattern,polarity\ntaxes,levy,-1\n")
        replace_codeframe(connection, read_codeframe(codeframe))
        assert claims(connection) == {("levy", "taxes", -1)}
        assert connection.execute("SELECT count(*) FROM issues").fetchone() == (1,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("issue,pattern\na,b\n", "lacks the columns polarity"),
        ("issue,pattern,polarity\na,b,1\nc,d,maybe\n", "line 3"),
        ("issue,pattern,polarity\na,(b,1\n", "pattern '\\(b' is wrong"),
    ],
)
def test_a_wrong_codeframe_is_told_with_file_and_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "issues.csv"
    path.write_text(text)
    with pytest.raises(CodeframeError, match=problem):
        read_codeframe(path)
    with pytest.raises(CodeframeError, match="cannot be read"):
        read_codeframe(tmp_path / "missing.csv")


def test_the_example_codeframe_answers_who_stands_where(samples: Path, stancebank: Command) -> None:
    done = stancebank(samples, "run", "--issues", str(PROJECT / "docs" / "issues.example.csv"))
    assert done.returncode == 0, done.stderr
    query = "SELECT DISTINCT issue FROM issue_positions WHERE favor + against > 0 ORDER BY 1"
    shown = stancebank(samples, "sql", query, "-f", "csv").stdout
    assert "Lenna Treaty" in shown
    unclaimed = stancebank(samples, "sql", "FROM unclaimed_targets LIMIT 5", "-f", "csv").stdout
    assert "treaty" not in unclaimed.lower()
