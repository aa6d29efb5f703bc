"""Training of the attribution model: labels, windows, decoding, loss, export, evaluation."""

from itertools import pairwise, product

import numpy as np
import pytest
from tokenizers import Tokenizer

from flows.extract.decode import best_tags, tag_spans
from flows.extract.pieces import encode, plan_windows, quoted_characters
from flows.extract.tagger import MODEL_FOLDER
from flows.training.data import Annotation, Article, Cut, hold_back, make_examples
from flows.training.judge import calibration_error, right_attributions

TEXT = (
    "“We will rebuild,” Mayor Ana Duarte said, “and soon.”\n\n"
    "The road authority expects costs of two million euros, it told reporters on Monday.\n"
)


def span(words: str) -> list[int]:
    start = TEXT.index(words)
    return [start, start + len(words)]


SPLIT = {
    "source": [span("Mayor Ana Duarte")],
    "cue": [span("said")],
    "content": [span("“We will rebuild,”"), span("“and soon.”")],
}
COSTS = {
    "source": [span("The road authority")],
    "cue": [span("expects")],
    "content": [span("costs of two million euros")],
}
ARTICLE = Article("a", "own", TEXT, (SPLIT, COSTS))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))


def random_scores(units: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(units, 7)).astype(np.float32) * 2


def bio_rules() -> np.ndarray:
    rules = np.zeros((7, 7), dtype=np.float32)
    for inner in (2, 4, 6):
        rules[:, inner] = -1e4
        rules[inner - 1 : inner + 1, inner] = 0.0
    return rules


@pytest.mark.parametrize("units", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("seed", range(4))
def test_best_tags_are_those_of_an_exhaustive_search(units: int, seed: int) -> None:
    scores, rules = random_scores(units, seed), bio_rules()

    def total(tags: tuple[int, ...]) -> float:
        begun = rules[0, tags[0]] + sum(scores[i, t] for i, t in enumerate(tags))
        return begun + sum(rules[a, b] for a, b in pairwise(tags))

    best = max(product(range(7), repeat=units), key=total)
    assert tuple(best_tags(scores, rules)) == best


@pytest.mark.parametrize("units", [50, 97, 100, 101, 850])
def test_best_tags_of_long_texts_follow_the_rules(units: int) -> None:
    tags = best_tags(random_scores(units, units), bio_rules())
    assert len(tags) == units
    for before, after in pairwise([0, *tags]):
        assert after % 2 == 1 or after == 0 or before in {after, after - 1}


def test_tags_of_an_annotation_give_its_spans_back(tokenizer: Tokenizer) -> None:
    pieces = encode(TEXT, tokenizer)
    spans = tag_spans(Annotation(pieces, ARTICLE.attributions).tags())
    found = [
        {TEXT[pieces.starts[low] : pieces.ends[high - 1]] for low, high in kind} for kind in spans
    ]
    assert found[0] == {"Mayor Ana Duarte", "The road authority"}
    assert found[1] == {"said", "expects"}
    assert found[2] == {"“We will rebuild,”", "“and soon.”", "costs of two million euros"}


def test_links_of_an_example_lead_to_the_annotated_spans(tokenizer: Tokenizer) -> None:
    (example,) = make_examples(ARTICLE, tokenizer, cut=Cut())
    content_to_cue = example.links[0]
    chosen = content_to_cue.candidates.index[[0, 1, 2], content_to_cue.target]
    assert chosen.tolist() == [0, 0, 1]


@pytest.mark.parametrize("capacity", [20, 33, 80])
def test_windows_cover_every_piece_once(tokenizer: Tokenizer, capacity: int) -> None:
    pieces = encode(TEXT * 5, tokenizer)
    windows = plan_windows(pieces, capacity, 12, 6)
    owned = [place for w in windows for place in range(w.start, w.end)]
    assert owned == list(range(len(pieces)))
    for w in windows:
        assert w.end - w.start <= capacity
        assert w.start - 12 <= w.left <= w.start < w.end <= w.right <= w.end + 6


@pytest.mark.parametrize(
    ("line", "inside"),
    [
        ("He said “yes” twice", "yes"),
        ('He said "yes" twice', "yes"),
        ("He said ''yes'' twice", "yes"),
        ("He said ‘it’s fine’ twice", "it’s fine"),
        ("He said 'it's fine' twice", "it's fine"),
        ("« Oui » disait-il", " Oui "),
        ("„Ja“, sagte er", "Ja"),
        ("the workers' rights and the '90s", ""),
        ("“unclosed to the end", "unclosed to the end"),
        ("a ”reversed” pair", "reversed"),
    ],
)
def test_characters_inside_quotation_marks(line: str, inside: str) -> None:
    marks = quoted_characters(line)
    assert "".join(c for c, m in zip(line, marks, strict=True) if m) == inside


def test_articles_held_back_stay_the_same_when_others_join() -> None:
    articles = [Article(str(i), "own", "", ()) for i in range(50)]
    rest, held = hold_back(articles, 10)
    assert len(held) == 10
    assert {a.article_id for a in rest}.isdisjoint(a.article_id for a in held)
    _, again = hold_back(articles[::-1], 10)
    assert {a.article_id for a in again} == {a.article_id for a in held}


def test_what_equals_the_annotation_is_right() -> None:
    assert right_attributions(ARTICLE, [SPLIT, COSTS]) == [True, True]


def test_a_wrong_source_is_wrong() -> None:
    assert right_attributions(ARTICLE, [{**SPLIT, "source": COSTS["source"]}, COSTS]) == [
        False,
        True,
    ]


def test_half_of_a_split_quotation_is_wrong() -> None:
    assert right_attributions(ARTICLE, [{**SPLIT, "content": [span("“and soon.”")]}]) == [False]


def test_calibration_error_of_honest_and_of_boastful_confidence() -> None:
    right = [True, False] * 50
    assert calibration_error([0.5] * 100, right) == 0.0
    assert calibration_error([0.95] * 100, right) == pytest.approx(0.45)
