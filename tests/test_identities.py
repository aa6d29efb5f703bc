"""Speakers that the user's speaker file knows."""

from pathlib import Path

import polars as pl
import pytest

from flows.load.identities import (
    SpeakerFileError,
    identify_speakers,
    read_speaker_file,
    replace_speaker_file,
)
from flows.load.warehouse import open_writable
from tests.conftest import PROJECT, Command

FILE = """name,alias,wikidata_id,attribute,value,valid_from,valid_to,source
Ada Moreau,Moreau,Q1,party,Civic List,2019-01-01,2021-12-31,parliament
Ada Moreau,A. Moreau,,party,Harbour Party,2022-01-01,,parliament
Port Council,,,country,Ellis,,,
"""


@pytest.fixture
def speaker_file(tmp_path: Path) -> Path:
    path = tmp_path / "speakers.csv"
    path.write_text(FILE)
    return path


def test_speakers_are_identified_by_name_and_alias_but_never_when_unnamed(
    tmp_path: Path, speaker_file: Path
) -> None:
    speakers = pl.DataFrame(
        {
            "speaker_id": ["1", "2", "3", "4", "5"],
            "name": ["Ada Moreau", "MOREAU", "moreau", "Port Council", "Bo Moreau"],
            "speaker_type": ["person", "person", "unnamed", "organization", "person"],
        }
    )
    with open_writable(tmp_path / "w.duckdb") as connection:
        replace_speaker_file(connection, read_speaker_file(speaker_file))
        connection.register("met", speakers)
        connection.execute("INSERT INTO speakers BY NAME SELECT *, [] AS aliases FROM met")
        identify_speakers(connection)
        found = set(connection.execute("FROM speaker_identities").fetchall())
        assert found == {
            ("1", "Ada Moreau", "name"),
            ("2", "Ada Moreau", "alias"),
            ("4", "Port Council", "name"),
        }
        connection.execute("DELETE FROM speakers")
        identify_speakers(connection)
        assert connection.execute("FROM speaker_identities").fetchall() == []


def test_the_file_is_read_into_spellings_and_facts(speaker_file: Path) -> None:
    known = read_speaker_file(speaker_file)
    assert set(known.aliases.select("alias", "name", "wikidata_id").iter_rows()) == {
        ("Ada Moreau", "Ada Moreau", "Q1"),
        ("Moreau", "Ada Moreau", "Q1"),
        ("A. Moreau", "Ada Moreau", "Q1"),
        ("Port Council", "Port Council", None),
    }
    assert known.attributes["value"].to_list() == ["Civic List", "Harbour Party", "Ellis"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("person\nA\n", "`name` is needed"),
        (
            "name,alias\nAda Moreau,Moreau\nBo Moreau,moreau\n",
            "stands for Ada Moreau and Bo Moreau",
        ),
        ("name,attribute,value,valid_from\nA,party,B,14.8.2018\n", "2018-08-14"),
        ("name,wikidata_id\nA,P5\n", "wikidata_id is 'P5'"),
        ("name,attribute\nA,party\n", "value"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "speakers.csv"
    path.write_text(text)
    with pytest.raises(SpeakerFileError, match=problem):
        read_speaker_file(path)


def test_the_example_file_joins_facts_by_date(samples: Path, stancebank: Command) -> None:
    file = PROJECT / "docs" / "speakers.example.csv"
    done = stancebank(samples, "run", "--speakers", str(file))
    assert done.returncode == 0, done.stderr
    query = "SELECT DISTINCT speaker, value FROM statement_attributes ORDER BY ALL"
    shown = stancebank(samples, "sql", query, "-f", "csv").stdout
    assert "Dragan Toma,Drennia" in shown
    assert "Viktor Halme,opposition leader" in shown
