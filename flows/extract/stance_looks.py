"""What the stance model reads of a statement: the pieces around it, each with its role."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.extract.lexicon import word_list
from flows.extract.pieces import N_SHAPES, Ints, Pieces
from flows.extract.records import Spans

LONGEST_LOOK = 142
"""Pieces of text read for a statement; a longer one is cut at its end."""
OTHER, SOURCE, CUE, CONTENT = range(4)
N_KINDS = 4 * N_SHAPES
"""Kinds of a piece: its shape (see `pieces.N_SHAPES`) and its role."""

_CLS, _SEP = 101, 102
_LEFT, _RIGHT, _LEAST_LEFT = 28, 12, 10


@dataclass(frozen=True)
class Look:
    """A statement as the model reads it: some pieces of its text, with the classifier's marks.

    `ids`, `kinds` [pieces + 2]: vocabulary id and kind of each piece. `at` [units]: the piece that
    each unit begins with. `roles` [units]: OTHER, SOURCE, CUE or CONTENT. `low`: number in the
    text of the first unit.
    """

    ids: Ints
    kinds: Ints
    at: Ints
    roles: Ints
    low: int


def unit_span(pieces: Pieces, start: int, end: int) -> tuple[int, int]:
    """The units that characters `[start, end)` touch, as a half-open range."""
    low = int(np.searchsorted(pieces.ends, start, side="right"))
    return low, max(low, int(np.searchsorted(pieces.starts, end, side="left")))


def look_at(pieces: Pieces, source: Spans, cue: Spans, content: Spans) -> Look | None:
    """The look at a statement whose parts stand at these characters; None where no unit does."""
    roles = np.full(len(pieces.first), OTHER, dtype=np.int64)
    for role, spans in ((CONTENT, content), (SOURCE, source), (CUE, cue)):
        for start, end in spans:
            low, high = unit_span(pieces, start, end)
            roles[low:high] = role
    marked = np.flatnonzero(roles)
    if not len(marked):
        return None
    low, high = _surroundings(pieces, int(marked[0]), int(marked[-1]) + 1)
    bounds = np.append(pieces.first, len(pieces))
    left, right = int(bounds[low]), int(bounds[high])
    of_piece = np.repeat(roles[low:high], np.diff(bounds[low : high + 1]))
    return Look(
        ids=np.r_[_CLS, pieces.ids[left:right], _SEP],
        kinds=np.pad(pieces.shapes[left:right] + N_SHAPES * of_piece, 1),
        at=pieces.first[low:high] - left + 1,
        roles=roles[low:high],
        low=low,
    )


def _surroundings(pieces: Pieces, low: int, high: int) -> tuple[int, int]:
    """The units to read around `[low, high)`: of its paragraphs, and a little before them."""
    first, paragraph = pieces.first, pieces.paragraph
    begin = int(first[np.searchsorted(paragraph, paragraph[low])])
    after = int(np.searchsorted(paragraph, paragraph[high - 1], side="right"))
    bounds = np.append(first, len(pieces))
    own, end = int(bounds[low]), int(bounds[high])
    left = max(0, min(max(begin, own - _LEFT), own - _LEAST_LEFT))
    right = min(int(bounds[after]), end + _RIGHT, left + LONGEST_LOOK)
    start = int(np.searchsorted(first, left))
    return start, max(start + 1, int(np.searchsorted(bounds, right, side="right")) - 1)


def content_words(text: str, pieces: Pieces, look: Look) -> NDArray[np.bool_]:
    """Which units of a look are telling words: no marks, articles, pronouns or prepositions."""
    untelling = word_list("untelling_words")
    units = range(look.low, look.low + len(look.at))
    words = (text[pieces.starts[u] : pieces.ends[u]].lower() for u in units)
    return np.array([w not in untelling and any(map(str.isalnum, w)) for w in words])
