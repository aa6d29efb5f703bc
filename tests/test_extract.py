"""Articles in, statements out: the notebook frame, the filter and the shard."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.extract import EXTRACTOR_VERSION, extract_statements, find_statements
from flows.extract.filter import extract_lines
from flows.extract.quotes import Quotations, quotations
from flows.extract.records import Statement
from flows.extract.sentences import sentences
from flows.extract.shard import extract_shard
from schemas.articles import Articles
from schemas.entities import Speakers, Targets
from schemas.operations import Rejects
from schemas.shards import read_shard, shard_dtypes, write_shard
from schemas.statements import Stances, Statements, StatementSpeakers

TITLE = "Lindqvist rejects ferry tax"
TEXT = (
    "Governor Marta Lindqvist rejected any new tax on ferries on Monday. “We will not punish the "
    "islands,” she said.\n\n"
    "The transport minister, Leon Abadi, blamed the governor for the delay. He said that talks "
    "would go on.\n\n"
    "A spokesman for the Harbor Union, which backs the tax, declined to comment."
)

VARIED = [
    "",
    " \n\r\n\t ",
    "“",
    "Ms. Roth said: “Ja 👍🏽 — we’re in.” 🎉🎉 Then e\u0301le\u0301ction day came, she added.",
    "“First line,\r\nsecond line,” said Karl Lenz.\r\n\r\nHe added: ‘no’.\r\n",
    "אמר ראש הממשלה: “שלום”. Anna Weber said \u202bמרחבא\u202c was fine.",
    "''Doubled marks,'' Karl Lenz said, ''are marks.'' 'Single ones too,' he said.",
    "by saying that,” THERE WILL BE NO WAR”. He’ll “never close this",
    "Karl Lenz said that " + "very " * 3000 + "long sentences end.",
    "a" * 5000,
    "\u0000\ufeff\u200b Karl Lenz \u0007 said \ufffd that it works.",
    "Karl Lenz, Anna Weber and " * 200 + "Tom Ferris said no.",
]


def part_text(statement: Statement, text: str, title: str | None) -> str:
    return text if statement.attribution.part == "body" else title or ""


def spans_of(statement: Statement) -> Iterator[tuple[int, int]]:
    attribution = statement.attribution
    yield from (*attribution.source, *attribution.cue, *attribution.content)
    for stance in statement.stances:
        yield from (*stance.target, *stance.basis)


@pytest.mark.parametrize("text", VARIED)
def test_any_text_is_borne_and_every_offset_lies_in_it(text: str) -> None:
    for statement in find_statements(text, "A title: with a colon"):
        field = part_text(statement, text, "A title: with a colon")
        for start, end in spans_of(statement):
            assert 0 <= start < end <= len(field)
            assert field[start:end].strip()


def test_the_frame_has_a_row_per_statement_and_target() -> None:
    frame = extract_statements(TEXT, TITLE)
    assert frame.columns[:6] == ["part", "kind", "statement", "source", "cue", "speaker"]
    polar = frame.filter(pl.col("stance") != "neutral")
    neutral = frame.filter(pl.col("stance") == "neutral")
    assert polar["target"].null_count() == 0
    assert neutral["target"].null_count() == len(neutral)
    assert {"Marta Lindqvist", "Leon Abadi"} <= set(frame["speaker"])
    for row in frame.iter_rows(named=True):
        field = TITLE if row["part"] == "title" else TEXT
        words = [field[span["start"] : span["end"]] for span in row["spans"]]
        assert " … ".join(words) == row["statement"]


def test_a_quoted_statement_is_direct_and_a_reported_one_is_not() -> None:
    kinds = {
        row["statement"]: row["kind"] for row in extract_statements(TEXT).iter_rows(named=True)
    }
    quoted = [kind for words, kind in kinds.items() if "punish" in words]
    reported = [kind for words, kind in kinds.items() if "talks" in words]
    assert quoted == ["direct"]
    assert reported == ["indirect"]


def test_an_article_without_statements_gives_an_empty_frame_of_the_same_columns() -> None:
    empty = extract_statements("")
    assert empty.is_empty()
    assert empty.schema == extract_statements(TEXT).schema


def test_the_filter_answers_every_line_in_order_and_names_bad_ones() -> None:
    lines = [
        json.dumps({"id": "a", "text": TEXT, "title": TITLE}),
        "",
        "{not json",
        json.dumps(["no", "object"]),
        json.dumps({"id": 7}),
        json.dumps({"text": TEXT}),
        json.dumps({"id": "t", "text": TEXT, "title": 3}),
        json.dumps({"article_id": "b", "text": f"{TITLE}\n\n{TEXT}"}),
    ]
    answers = [json.loads(line) for line in extract_lines(lines)]
    assert [answer["id"] for answer in answers] == ["a", None, None, 7, None, "t", "b"]
    errors = {answer["error"].split(":")[0] for answer in answers if "error" in answer}
    assert errors == {"line 3", "line 4", "line 5", "line 6", "line 7"}
    assert all("attributions" in answers[i] for i in (0, -1))


def test_the_filter_gives_what_the_contract_promises() -> None:
    (line,) = extract_lines([json.dumps({"id": "a", "text": TEXT})])
    attributions = json.loads(line)["attributions"]
    assert attributions
    for found in attributions:
        assert set(found) == {
            "part",
            "source",
            "cue",
            "content",
            "speaker",
            "speaker_type",
            "kind",
            "confidence",
            "stances",
        }
        for stance in found["stances"]:
            assert set(stance) == {
                "target",
                "target_name",
                "target_type",
                "stance",
                "intensity",
                "confidence",
                "basis",
                "method",
            }


def article(name: str, **changes: Any) -> dict[str, Any]:
    row = {
        "article_id": name,
        "title": TITLE,
        "authors": [],
        "language": "en",
        "text": TEXT,
        "text_sha256": "0" * 64,
        "raw_file": f"{name}.txt",
        "raw_sha256": "0" * 64,
        "cleaner_version": "1",
        "extraction_status": "extracted",
    }
    return row | changes


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    articles = [
        article("one"),
        article("two", text=f"{TEXT}\n\n{TEXT}"),
        article("spanish", language="es", extraction_status="unsupported_language"),
        article("huge", text="word " * 500_000),
    ]
    write_shard(Articles, Articles.frame(articles), folder)
    extract_shard(folder)
    return folder


def test_a_shard_has_the_columns_and_types_of_its_tables(shard: Path) -> None:
    for table in (Statements, StatementSpeakers, Stances, Speakers, Targets, Articles):
        frame = pl.read_parquet(shard / f"{table.table_name()}.parquet")
        assert dict(frame.schema) == dict(shard_dtypes(table))
    assert not list(shard.glob("*.part"))


def test_a_shard_has_unique_keys_and_no_orphan(shard: Path) -> None:
    statements = read_shard(Statements, shard)
    assert statements["statement_id"].is_unique().all()
    assert read_shard(Speakers, shard)["speaker_id"].is_unique().all()
    assert read_shard(Targets, shard)["target_id"].is_unique().all()
    known = set(statements["statement_id"])
    assert set(read_shard(StatementSpeakers, shard)["statement_id"]) <= known
    assert set(read_shard(Stances, shard)["statement_id"]) <= known
    assert set(read_shard(StatementSpeakers, shard)["speaker_id"]) == set(
        read_shard(Speakers, shard)["speaker_id"]
    )
    assert set(read_shard(Stances, shard)["target_id"]) == set(
        read_shard(Targets, shard)["target_id"]
    )


def test_the_same_words_twice_in_an_article_are_two_statements(shard: Path) -> None:
    statements = read_shard(Statements, shard).filter(pl.col("article_id") == "two")
    again = statements.filter(pl.col("text").is_duplicated())
    assert len(again) > 1
    assert again["statement_id"].n_unique() == len(again)


def test_named_speakers_are_shared_by_articles_and_unnamed_ones_are_not(shard: Path) -> None:
    speakers = read_shard(Speakers, shard)
    assert len(speakers.filter(pl.col("name") == "Marta Lindqvist")) == 1
    unnamed = speakers.filter(pl.col("speaker_type") == "unnamed")
    assert set(unnamed.group_by("name").len()["len"]) <= {2}


def test_articles_that_were_not_read_say_why(shard: Path) -> None:
    articles = read_shard(Articles, shard)
    statuses = dict(articles.select("article_id", "extraction_status").iter_rows())
    assert statuses == {
        "one": "extracted",
        "two": "extracted",
        "spanish": "unsupported_language",
        "huge": "too_long",
    }
    versions = dict(articles.select("article_id", "extractor_version").iter_rows())
    assert (versions["one"], versions["spanish"]) == (EXTRACTOR_VERSION, None)
    (reject,) = read_shard(Rejects, shard).iter_rows(named=True)
    assert (reject["stage"], reject["raw_file"]) == ("extract", "huge.txt")
    assert not set(read_shard(Statements, shard)["article_id"]) & {"spanish", "huge"}


def test_extracting_a_shard_again_changes_nothing(shard: Path) -> None:
    tables = (Statements, StatementSpeakers, Stances, Speakers, Targets, Rejects, Articles)
    before = [read_shard(table, shard) for table in tables]
    extract_shard(shard)
    assert all(
        frame.equals(read_shard(table, shard)) for table, frame in zip(tables, before, strict=True)
    )


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("He said, “one,” and ”two”.", ["one,", "two"]),
        ("''doubled'' and 'single one', isn't it", ["doubled", "single one"]),
        ("that,” THERE WILL BE NO WAR”.", [" THERE WILL BE NO WAR"]),
        ('"open\n"second" x', ["open", "second"]),
        ("„nieder“ «fr» »de«", ["nieder", "fr", "de"]),
        ("the workers' plan is theirs'", []),
        ("sanctions.’", []),
    ],
)
def test_quotation_marks_of_all_kinds_are_known(text: str, inside: list[str]) -> None:
    assert [text[start:end] for start, end in quotations(text)] == inside


def test_nine_tenths_of_the_words_make_a_direct_statement() -> None:
    text = "“one two three four five six seven eight nine” ten eleven"
    marks = Quotations(text)
    end = text.index(" eleven")
    assert marks.kind([(0, end)]) == "direct"
    assert marks.kind([(0, len(text))]) == "mixed"
    assert marks.kind([(end, len(text))]) == "indirect"


def test_sentences_end_where_a_reader_ends_them() -> None:
    text = "Mr. Roth spoke. He (J. Doe) left the U.S. Senate. “Yes.” She went!\nNew line 3.5 long"
    assert [text[start:end] for start, end in sentences(text)] == [
        "Mr. Roth spoke.",
        "He (J. Doe) left the U.S. Senate.",
        "“Yes.”",
        "She went!",
        "New line 3.5 long",
    ]


def test_marks_and_sentences_of_a_very_long_line_take_time_in_proportion() -> None:
    def seconds(copies: int) -> float:
        text = "It's 'odd', said J. “The” Doe's “friend. " * copies
        began = time.process_time()
        quotations(text)
        sentences(text)
        return time.process_time() - began

    assert seconds(5000) < 12 * seconds(1000) + 0.5


@pytest.fixture(scope="module")
def seed(shared_data: Path) -> pl.DataFrame:
    (path,) = (shared_data / "seed").glob("*.txt")
    return extract_statements(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("speaker", ["Ali Khamenei", "Donald Trump", "Javad Zarif"])
def test_the_seed_article_has_its_speakers_under_their_full_names(
    seed: pl.DataFrame, speaker: str
) -> None:
    rows = seed.filter(pl.col("speaker") == speaker)
    assert "neutral" not in set(rows["stance"]) or len(set(rows["stance"])) > 1


@pytest.mark.parametrize(
    ("speaker", "word", "stance"),
    [
        ("Ali Khamenei", "negotiation", "against"),
        ("Donald Trump", "negotiat", "favor"),
        ("Javad Zarif", "West", "against"),
        ("Javad Zarif", "supplying arms", "against"),
    ],
)
def test_the_seed_article_has_their_stances(
    seed: pl.DataFrame, speaker: str, word: str, stance: str
) -> None:
    rows = seed.filter(pl.col("speaker") == speaker, pl.col("target").str.contains(word))
    assert set(rows["stance"]) == {stance}
