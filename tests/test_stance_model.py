"""The stance model as shipped: what its rows claim, and that a statement is read by itself."""

import itertools
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.extract.records import Attribution, Spans, Speaker, Stance
from flows.extract.stance_model import STANCE_FOLDER, StanceModel, default_stance_model
from flows.extract.stance_rows import find_stances
from flows.extract.stance_spans import BEGIN, INSIDE, OUT, Candidates, span_chances
from flows.extract.statements import find_statements
from flows.extract.tagger import MODEL_FOLDER, ModelError, find_attributions

COUNCIL = (
    "Mayor Ana Duarte rejected any talks with the harbour company on Monday.\n\n"
    "“We strongly support the new tram line,” she said, “and we will never accept a toll on the "
    "old bridge.”\n\n"
    "Opposition councillor Piet Brandsma accused the mayor of ignoring earlier warnings. He said "
    "that the council meets again on Tuesday at nine.\n\n"
    "Residents urged the city to cancel the contract. The company denied bribing officials.\n"
)
SPEAKER = Speaker("Ana Duarte", "person", "full_name", ("Ana Duarte",), 1.0)


@pytest.fixture(scope="module")
def model() -> StanceModel:
    return StanceModel()


@pytest.fixture(scope="module")
def statements() -> list[Attribution]:
    return find_attributions(COUNCIL, "body")


def rows_of(
    model: StanceModel, text: str, statements: Sequence[Attribution]
) -> list[tuple[Stance, ...]]:
    count = len(statements)
    return find_stances(text, statements, [SPEAKER] * count, [lambda _: None] * count, model)


def part(text: str, words: str) -> Spans:
    start = text.index(words)
    return ((start, start + len(words)),)


def said(text: str, source: str, cue: str, content: str) -> Attribution:
    return Attribution("body", part(text, source), part(text, cue), part(text, content), 1.0)


def rows_by_words(text: str, rows: Sequence[Stance]) -> dict[str, str]:
    return {text[slice(*row.target[0])]: row.stance for row in rows}


def test_rows_are_verbatim_and_can_be_audited(
    model: StanceModel, statements: list[Attribution]
) -> None:
    found = rows_of(model, COUNCIL, statements)
    assert any(found)
    for statement, rows in zip(statements, found, strict=True):
        assert len(rows) <= 3
        for row in rows:
            ((start, end),) = row.target
            words = COUNCIL[start:end]
            assert words == words.strip(" ,.;“”") != ""
            assert row.intensity in {1, 2, 3}
            assert row.target_type in {"actor", "policy", "event", "claim", "other"}
            assert 0 < row.confidence < 1
            assert re.fullmatch(r"model(\+rule:.+)?", row.method)
            assert row.basis
            if row.method == "model":
                assert row.basis == (statement.cue or statement.content)
        confidences = [row.confidence for row in rows]
        assert confidences == sorted(confidences, reverse=True)


def test_plain_stances_of_the_codebook_are_found(model: StanceModel) -> None:
    statements = [
        said(COUNCIL, "Mayor Ana Duarte", "rejected", "any talks with the harbour company"),
        said(COUNCIL, "Residents", "urged", "the city to cancel the contract"),
        said(COUNCIL, "He", "said", "the council meets again on Tuesday at nine"),
    ]
    rejected, urged, procedure = rows_of(model, COUNCIL, statements)
    assert rows_by_words(COUNCIL, rejected)["any talks with the harbour company"] == "against"
    assert "favor" in {row.stance for row in urged if "cancel" in COUNCIL[slice(*row.target[0])]}
    assert procedure == ()


def test_who_holds_no_view_takes_no_side(model: StanceModel) -> None:
    statement = said(COUNCIL, "Mayor Ana Duarte", "rejected", "any talks with the harbour company")
    assert find_stances(COUNCIL, [statement], [None], [lambda _: None], model) == [()]


def test_a_rule_that_agrees_is_named_with_the_words_it_goes_by(model: StanceModel) -> None:
    statement = said(COUNCIL, "Mayor Ana Duarte", "rejected", "any talks with the harbour company")
    (rows,) = rows_of(model, COUNCIL, [statement])
    row = next(row for row in rows if row.method == "model+rule:reject")
    assert [COUNCIL[start:end] for start, end in row.basis] == ["rejected"]


def test_a_statement_yields_the_same_rows_in_any_company(
    model: StanceModel, statements: list[Attribution]
) -> None:
    together = rows_of(model, COUNCIL, statements)
    backwards = rows_of(model, COUNCIL, statements[::-1])[::-1]
    alone = [rows_of(model, COUNCIL, [statement])[0] for statement in statements]
    assert together == backwards == alone


def copied(folder: Path) -> Path:
    shutil.copytree(STANCE_FOLDER, folder / STANCE_FOLDER.name)
    (folder / MODEL_FOLDER.name).mkdir()
    shutil.copy(MODEL_FOLDER / "tokenizer.json", folder / MODEL_FOLDER.name)
    return folder / STANCE_FOLDER.name


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    weights = folder / "model.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00\x01")
    with pytest.raises(ModelError, match=r"model\.onnx is damaged"):
        StanceModel(folder)


def test_another_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    with (tmp_path / MODEL_FOLDER.name / "tokenizer.json").open("a") as file:
        file.write("\n")
    with pytest.raises(ModelError, match=r"tokenizer\.json is damaged"):
        StanceModel(folder)


FRAGMENTS = [
    "“We will not leave,” said Farida Köhler. ",
    "''Never again,'' he vowed to fight the tax.\n",
    "قال الوزير: «سنعود غدا» ",
    "👩‍👩‍👧‍👦 backs 😀 the “fun” ",
    "e\u0301cole rejects n\u0303andu\u0301 ",
    "\x00\u2028 \ufeff ",
    "w" * 300,
    "… — – ' \" ",
    "\n\n",
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=12).map("".join),
    st.lists(st.integers(0, 400), min_size=6, max_size=6),
)
def test_any_statement_of_any_text_is_borne(text: str, places: list[int]) -> None:
    spans = [
        ((min(a, len(text)), min(a + b % 60 + 1, len(text))),)
        for a, b in zip(places[:3], places[3:], strict=True)
    ]
    statement = Attribution("body", *spans, 1.0)
    for row in rows_of(default_stance_model(), text, [statement])[0]:
        ((start, end),) = row.target
        assert 0 <= start < end <= len(text)


def enumerated(scores: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """Probability of every span from all tag sequences of one sign, [units, longest]."""
    units = len(scores)
    chances = np.zeros((units, units))
    total = 0.0
    for tags in itertools.product((OUT, BEGIN, INSIDE), repeat=units):
        path = [OUT, *tags]
        if any(a == OUT and b == INSIDE for a, b in itertools.pairwise(path)):
            continue
        moves = sum(transitions[a, b] for a, b in itertools.pairwise(path))
        weight = float(np.exp(sum(scores[u, t] for u, t in enumerate(tags)) + moves))
        total += weight
        for start in (u for u, tag in enumerate(tags) if tag == BEGIN):
            size = sum(1 for _ in itertools.takewhile(lambda t: t == INSIDE, tags[start + 1 :]))
            chances[start, size] += weight
    return chances / total


def test_span_probabilities_are_those_of_all_tag_sequences() -> None:
    random = np.random.default_rng(3)
    transitions = random.normal(size=(2, 3, 3))
    transitions[:, OUT, INSIDE] = -1e4
    looks = [2 * random.normal(size=(units, 2, 3)) for units in (6, 1, 4)]
    for look, chances in zip(looks, span_chances(looks, transitions), strict=True):
        for sign in range(2):
            wanted = enumerated(look[:, sign], transitions[sign])
            assert np.allclose(chances[sign, :, : len(look)], wanted)


def test_the_span_that_most_agree_with_is_chosen() -> None:
    chances = np.zeros((2, 6, 16))
    chances[1, 0, 0] = 0.30  # the first unit alone
    chances[1, 2, 1] = 0.25  # units 2 and 3 …
    chances[1, 2, 2] = 0.25  # … or 2 to 4
    best = Candidates(chances, np.ones(6, dtype=np.bool_)).likeliest(0.1, 3)
    assert [(one.sign, one.low, one.high) for one in best] == [(1, 2, 4), (1, 0, 1)]
    assert [round(one.chance, 2) for one in best] == [0.5, 0.3]


def test_the_main_stances_of_the_iran_article_are_found(shared_data: Path) -> None:
    (article,) = (shared_data / "seed").iterdir()
    title, text = article.read_text(encoding="utf-8").split("\n\n", 1)
    found = {
        (statement.speaker.name, row.stance, field[slice(*row.target[0])])
        for statement in find_statements(text, title)
        if statement.speaker
        for field in [text if statement.attribution.part == "body" else title]
        for row in statement.stances
    }
    assert {
        ("Ali Khamenei", "against", "any negotiations with US President Donald Trump"),
        ("Ali Khamenei", "against", "West"),
        ("Donald Trump", "favor", "negotiate with Iran"),
        ("Javad Zarif", "against", "West"),
        ("Javad Zarif", "against", "supplying arms to the coalition forces"),
    } <= found
    assert not {side for name, side, _ in found if name == "Donald Trump"} & {"against"}
