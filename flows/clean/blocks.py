"""The article's blocks on an HTML page, by the vote of extractors and a trained model.

All text of the page, line by line as resiliparse gives it, is judged on what trafilatura,
resiliparse and the page's own JSON-LD take for the article, on the markup around it and on the
line classifier's opinion. Trained on labelled pages; see `flows.clean.training`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lxml.html import HtmlElement
from numpy.typing import NDArray

from flows.clean.dom import MarkupIndex
from flows.clean.line_features import SHAPE, LineFeatures, Matrix, shifted
from flows.clean.words import WORD

_SHINGLE = 3
_SHORTEST_BODY = 300
_NEIGHBOURS = (-2, -1, 1, 2)
_WINDOWS = (3, 8)
_OWN_SHAPE = (
    "words", "characters", "function_words", "ending", "template", "hinted", "bullet",
    "capitalized", "digits", "first_person", "quotes", "reports",
)  # fmt: skip
_SHAPE_COLUMNS = [SHAPE.index(name) for name in _OWN_SHAPE]


@dataclass(frozen=True, slots=True)
class Opinions:
    """What others take for the article on a page; `body` is empty without JSON-LD."""

    trafilatura: str
    resiliparse: str
    body: str


@dataclass(frozen=True, slots=True)
class PageView:
    """The lines of a page around what anyone takes for its article.

    `first` is the number of `lines[0]` among all lines of the page, `support` as `support` gives.
    """

    tree: HtmlElement
    title: str | None
    lines: list[str]
    first: int
    support: Matrix


def support(lines: Sequence[str], opinions: Opinions) -> Matrix:
    """How far trafilatura, resiliparse and JSON-LD (columns) have each of `lines`: 0 to 1, -1
    where one has nothing to say.
    """
    words = [WORD.findall(line) for line in lines]
    body = opinions.body if len(opinions.body) >= _SHORTEST_BODY else ""
    texts = (opinions.trafilatura, opinions.resiliparse, body)
    return np.column_stack([_shares(words, text) for text in texts])


def block_features(
    view: PageView, line_view: LineFeatures, probabilities: NDArray[np.float32]
) -> Matrix:
    """A row for each line of `view`; `line_view`, `probabilities` are the line classifier's."""
    votes = np.column_stack([probabilities, view.support]).astype(np.float32)
    weight = line_view.column("words") + np.float32(0.01)
    markup = MarkupIndex(view.tree, view.lines).features(view.lines)
    parts = [
        votes,
        line_view.shape[:, _SHAPE_COLUMNS],
        _place_in_vote(votes[:, 1], weight),
        _page_totals(votes, weight),
        _is_title(view.lines, view.title),
        *(shifted(votes, by) for by in _NEIGHBOURS),
        *(shifted(line_view.shape[:, _SHAPE_COLUMNS[:5]], by) for by in (-1, 1)),
        *(_weighted_means(votes, weight, reach) for reach in _WINDOWS),
        markup,
        *(shifted(markup[:, :5], by) for by in (-1, 1)),
    ]
    return np.column_stack(parts).astype(np.float32)


def _shares(lines: Sequence[list[str]], text: str) -> Matrix:
    """Share of each line's word triples that stand in `text`; -1 where there is no text."""
    if not text:
        return np.full(len(lines), -1, dtype=np.float32)
    found = [WORD.findall(line) for line in text.split("\n")]
    triples = _shingles([word for line in found for word in line])
    whole = {" ".join(line) for line in found}
    return np.array([_share(line, triples, whole) for line in lines], dtype=np.float32)


def _share(words: list[str], triples: set[str], whole: set[str]) -> float:
    if " ".join(words) in whole:
        return 1.0
    if len(words) < _SHINGLE:
        return 0.0
    own = _shingles(words)
    return len(own & triples) / len(own)


def _shingles(words: list[str]) -> set[str]:
    return set(map(" ".join, zip(words, words[1:], words[2:], strict=False)))


def _place_in_vote(vote: Matrix, weight: Matrix) -> Matrix:
    """Whether lines stand inside what trafilatura took, before or after it, and how far in."""
    index = np.arange(len(vote))
    firm = np.flatnonzero((vote > 0.8) & (weight >= 5))
    first, last = (firm[0], firm[-1]) if len(firm) else (0, len(vote) - 1)
    taken = weight * (vote > 0.5)
    place: Matrix = np.column_stack(
        [
            (index >= first) & (index <= last),
            np.maximum(first - index, 0),
            np.maximum(index - last, 0),
            np.cumsum(taken) / max(taken.sum(), 1),
        ]
    ).astype(np.float32)
    return place


def _page_totals(votes: Matrix, weight: Matrix) -> Matrix:
    taken = votes > 0.5
    words = max(float((weight * taken[:, 1]).sum()), 1.0)
    shares = [(weight * taken[:, number]).sum() / words for number in (0, 2, 3)]
    missed = [(weight * (taken[:, number] & ~taken[:, 1])).sum() / words for number in (0, 2)]
    return np.broadcast_to(np.array([words, *shares, *missed], dtype=np.float32), (len(votes), 6))


def _is_title(lines: Sequence[str], title: str | None) -> Matrix:
    wanted = WORD.findall(title or "")
    hits = [bool(wanted) and WORD.findall(line) == wanted for line in lines]
    return np.array(hits, dtype=np.float32)


def _weighted_means(votes: Matrix, weight: Matrix, reach: int) -> Matrix:
    padded = np.pad(np.column_stack([votes * weight[:, None], weight]), ((reach, reach), (0, 0)))
    sums = np.cumsum(np.vstack([np.zeros((1, padded.shape[1])), padded]), axis=0)
    width = 2 * reach + 1
    windows = sums[width:] - sums[:-width]
    means: Matrix = (windows[:, :-1] / windows[:, -1:]).astype(np.float32)
    return means
