"""The attribution model as shipped: what it finds, and that it bears any text."""

import random
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.extract.records import Attribution, Spans
from flows.extract.tagger import (
    LONGEST_STRETCH,
    MODEL_FOLDER,
    ModelError,
    Tagger,
    find_attributions,
)

BRIDGE = (
    "The old bridge across the Varde was closed on Monday after an inspection found cracks.\n\n"
    "“We will rebuild this bridge,” Mayor Ana Duarte said, “and we will do it before the "
    "winter.”\n\n"
    "According to the regional road authority, the repair will cost two million euros. "
    "Opposition councillor Piet Brandsma accused the mayor of ignoring earlier warnings.\n"
)
HARBOUR = (
    "Dock workers in the port walked out on Tuesday.\n\n"
    "Union leader Maeve Tiernan told reporters that the strike would last a week. "
    "“Nobody here wants this,” she said.\n\n"
    "The ministry denied that it had broken off the talks.\n"
)
PLAIN = "The library opens at nine. The park has two gates and a pond with ducks in it.\n"

FRAGMENTS = [
    "“We will not leave,” said Farida Köhler.",
    '"It is over," the minister told\r\nreporters.',
    "''Never again,'' he vowed.",
    "‘I don’t know,’ she whispered – twice.",
    "« Nous verrons », a déclaré le maire.",
    "قال الوزير: «سنعود غدا»",
    'אמר ראש הממשלה: "נחזור"',
    "👩‍👩‍👧‍👦🇺🇳 said 😀 that 🎉 is “fun”",
    "e\u0301cole, n\u0303andu\u0301 and Z\u0351\u0352\u0353algo said that they agree",
    "according to police\u200b, \u202eevil\u202c text \ufeff",
    "東京 said 日本語。",
    "\x00\x01\x1f control \t tabs \u2028 line \u2029 paragraph",
    "“open “ never ” closed '' \" ' ‘",
    "word" * 60,
    "\n",
    "\r\n\r\n",
    "   ",
    "",
]


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger()


def texts_of(text: str, spans: Spans) -> list[str]:
    return [text[start:end] for start, end in spans]


def find(text: str, found: Sequence[Attribution], words: str) -> Attribution:
    """The attribution whose content holds `words`."""
    return next(one for one in found if any(words in part for part in texts_of(text, one.content)))


def assert_sound(text: str, found: Sequence[Attribution]) -> None:
    """Spans are in the text, in order, disjoint, without blanks at their ends."""
    contents = [span for one in found for span in one.content]
    assert len(set(contents)) == len(contents)
    for one in found:
        assert one.content
        assert 0.0 <= one.confidence <= 1.0
        for spans in (one.source, one.cue, one.content):
            ends = [0] + [place for span in spans for place in span]
            assert ends == sorted(ends)
            for start, end in spans:
                assert 0 <= start < end <= len(text)
                assert text[start:end] == text[start:end].strip()
                assert end == len(text) or not unicodedata.combining(text[end])


def test_split_quotation_is_one_attribution(tagger: Tagger) -> None:
    one = find(BRIDGE, tagger.attribute([BRIDGE])[0], "rebuild this bridge")
    first, second = texts_of(BRIDGE, one.content)
    assert first.strip("“”,") == "We will rebuild this bridge"
    assert second.strip("“”.") == "and we will do it before the winter"
    assert texts_of(BRIDGE, one.source) == ["Mayor Ana Duarte"]
    assert texts_of(BRIDGE, one.cue) == ["said"]


def test_reported_speech_with_source_and_cue(tagger: Tagger) -> None:
    found = tagger.attribute([BRIDGE])[0]
    cost = find(BRIDGE, found, "two million euros")
    assert texts_of(BRIDGE, cost.source) == ["the regional road authority"]
    assert texts_of(BRIDGE, cost.cue) == ["According to"]
    charge = find(BRIDGE, found, "ignoring earlier warnings")
    assert "Piet Brandsma" in texts_of(BRIDGE, charge.source)[0]


def test_pronoun_is_the_source_where_it_stands_at_the_cue(tagger: Tagger) -> None:
    one = find(HARBOUR, tagger.attribute([HARBOUR])[0], "Nobody here wants this")
    assert texts_of(HARBOUR, one.source) == ["she"]


def test_no_statements_where_nobody_speaks(tagger: Tagger) -> None:
    assert tagger.attribute([PLAIN]) == [[]]


def test_headline_is_marked_as_title() -> None:
    title = "Minister says strike will end on Friday"
    (one,) = find_attributions(title, "title")
    assert one.part == "title"
    assert "strike will end on Friday" in texts_of(title, one.content)[0]
    assert texts_of(title, one.source) == ["Minister"]


def test_output_depends_on_neither_order_nor_company(tagger: Tagger) -> None:
    texts = [BRIDGE, HARBOUR, PLAIN, "", BRIDGE + HARBOUR, HARBOUR * 12, *FRAGMENTS]
    alone = {text: tagger.attribute([text])[0] for text in texts}
    for seed in range(3):
        shuffled = random.Random(seed).sample(texts, len(texts))
        assert tagger.attribute(shuffled) == [alone[text] for text in shuffled]


def test_another_instance_finds_the_same(tagger: Tagger) -> None:
    assert Tagger().attribute([BRIDGE, HARBOUR]) == tagger.attribute([BRIDGE, HARBOUR])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=40), min_size=0, max_size=8),
    st.sampled_from([" ", "\n", "\r\n", "\n\n", ""]),
)
def test_any_text_gives_sound_spans(tagger: Tagger, parts: list[str], glue: str) -> None:
    text = glue.join(parts)
    assert_sound(text, tagger.attribute([text])[0])


@pytest.mark.parametrize(
    "noise",
    [
        "👩‍👩‍👧‍👦 🇺🇳 ",
        "e\u0301a\u0308\u0323 ",
        "שלום עולם ",
        "\r\n\r\n",
        "\x00\u200b\ufeff ",
        "“ " * 3,
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ",
        "\ud800 lone surrogate ",
    ],
)
def test_offsets_hold_behind_unusual_characters(tagger: Tagger, noise: str) -> None:
    text = noise + "\n" + BRIDGE
    one = find(text, tagger.attribute([text])[0], "rebuild this bridge")
    assert texts_of(text, one.source) == ["Mayor Ana Duarte"]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\r\n", "\x00", "\u200b", "\ufeff", "."])
def test_empty_and_blank_texts_give_nothing(tagger: Tagger, text: str) -> None:
    assert tagger.attribute([text]) == [[]]


def test_line_of_200_000_characters(tagger: Tagger) -> None:
    line = ("Mayor Ana Duarte said that the bridge will be rebuilt. " * 4_000)[:200_000]
    found = tagger.attribute([line])[0]
    assert_sound(line, found)
    assert len(found) > 3_000


def test_unbroken_line_of_200_000_characters(tagger: Tagger) -> None:
    text = "x" * 200_000 + "\n" + BRIDGE
    assert find(text, tagger.attribute([text])[0], "rebuild this bridge")


def test_offsets_hold_beyond_the_longest_stretch(tagger: Tagger) -> None:
    text = "\n" * (LONGEST_STRETCH - 100) + BRIDGE + HARBOUR
    found = tagger.attribute([text])[0]
    assert_sound(text, found)
    assert texts_of(text, find(text, found, "rebuild this bridge").source) == ["Mayor Ana Duarte"]
    assert texts_of(text, find(text, found, "Nobody here wants this").source) == ["she"]


@pytest.fixture
def copied_model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL_FOLDER, tmp_path / "model"))


@pytest.mark.parametrize("name", ["model.onnx", "links.onnx", "tokenizer.json"])
def test_damaged_file_is_named_with_both_hashes(copied_model: Path, name: str) -> None:
    path = copied_model / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=rf"{name} is damaged .*sha256 [0-9a-f]{{64}}"):
        Tagger(copied_model)


@pytest.mark.parametrize("name", ["model.json", "model.onnx"])
def test_missing_file_is_named(copied_model: Path, name: str) -> None:
    (copied_model / name).unlink()
    with pytest.raises(ModelError, match=rf"{name} is missing: install the package again"):
        Tagger(copied_model)
