"""Which spans of a statement are targets, from the model's tag scores.

The tags of each sign are a linear chain (outside, begin, inside). Forward and backward passes give
the probability of every span, and the span is chosen that most likely agrees with the right one:
minimum Bayes risk under the Dice coefficient of telling words (Goel & Byrne 2000).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

SIGNS = 2
"""Favor and against, in this order."""
OUT, BEGIN, INSIDE = range(3)
LONGEST_TARGET = 16
"""Units of a target."""
AGREE = 0.5
"""Dice coefficient from which two spans name the same target."""

_LEAST = 0.004
_NEAR = 0.85


@dataclass(frozen=True)
class Candidate:
    """A span `[low, high)` of a look's units that may be a target of `sign` (0 favor, 1 against).

    `chance`: probability that a span that agrees with it is a target; `exact`: that this one is;
    `opposite`: that one of the other sign agrees with it.
    """

    sign: int
    low: int
    high: int
    chance: float
    exact: float
    opposite: float


@dataclass(frozen=True)
class _Chain:
    """Looks of padded length as chains of tags.

    `emitted` [looks, units, signs, 3]: weight of each tag. `moves` [signs, 3, 3]: weight of each
    transition. `live` [looks, units]: whether the look has this unit.
    """

    emitted: Doubles
    moves: Doubles
    live: NDArray[np.bool_]


def span_chances(scores: Sequence[Doubles], transitions: Doubles) -> list[Doubles]:
    """The probability of every span of each look: [signs, units, LONGEST_TARGET].

    `scores`: per look [units, signs, 3]. `transitions` [signs, 3, 3], from and to. Entry [s, i, k]
    is the span of k + 1 units that begins at i. What a look yields does not depend on the others.
    """
    lengths = [len(one) for one in scores]
    longest = max(lengths)
    emitted = np.zeros((len(scores), longest, SIGNS, 3))
    emitted[..., OUT] = 1.0
    for row, one in enumerate(scores):
        emitted[row, : len(one)] = np.exp(one - one.max(axis=-1, keepdims=True))
    live = np.arange(longest)[None] < np.array(lengths)[:, None]
    chain = _Chain(emitted, np.exp(np.minimum(transitions, 50.0)), live)
    before, scale = _forward(chain)
    after = _backward(chain, scale)
    chances = _spans(chain, before, after, scale)
    return [chances[row, :, :length] for row, length in enumerate(lengths)]


def _forward(chain: _Chain) -> tuple[Doubles, Doubles]:
    """Scaled forward probabilities [looks, units + 1, signs, 3] (before each unit) and scales."""
    emitted, moves = chain.emitted, chain.moves
    count, longest = emitted.shape[:2]
    before = np.zeros((count, longest + 1, SIGNS, 3))
    before[:, 0, :, OUT] = 1.0
    scale = np.ones((count, longest, SIGNS))
    for unit in range(longest):
        arrived = (before[:, unit, :, :, None] * moves).sum(axis=2) * emitted[:, unit]
        scale[:, unit] = arrived[..., 0] + arrived[..., 1] + arrived[..., 2]
        before[:, unit + 1] = arrived / scale[:, unit, :, None]
    return before, scale


def _backward(chain: _Chain, scale: Doubles) -> Doubles:
    """Scaled backward probabilities [looks, units + 1, signs, 3], of what follows each unit."""
    emitted, moves, live = chain.emitted, chain.moves, chain.live
    count, longest = emitted.shape[:2]
    after = np.ones((count, longest + 1, SIGNS, 3))
    for unit in range(longest - 1, -1, -1):
        onward = emitted[:, unit] * after[:, unit + 1] / scale[:, unit, :, None]
        left = moves[..., 0] * onward[:, :, None, 0]
        left = left + moves[..., 1] * onward[:, :, None, 1]
        left = left + moves[..., 2] * onward[:, :, None, 2]
        after[:, unit] = np.where(live[:, unit, None, None], left, 1.0)
    return after


def _spans(chain: _Chain, before: Doubles, after: Doubles, scale: Doubles) -> Doubles:
    """Probability of every span [looks, signs, units, LONGEST_TARGET]."""
    emitted, moves, live = chain.emitted, chain.moves, chain.live
    longest = emitted.shape[1]
    ready = (before[:, :-1] * moves[:, :, BEGIN]).sum(axis=3)
    running = ready * emitted[..., BEGIN] / scale
    inner = emitted[..., INSIDE] / scale * live[..., None]
    leave = np.ones((*live.shape, SIGNS, 3))
    follow = np.where(live[:, 1:, None, None], emitted[:, 1:] * after[:, 2:], 0.0)
    onward = follow[..., :2] / scale[:, 1:, :, None]
    left = moves[:, :, OUT] * onward[..., None, OUT] + moves[:, :, BEGIN] * onward[..., None, BEGIN]
    leave[:, :-1] = np.where(live[:, 1:, None, None], left, 1.0)
    chances = np.zeros((len(emitted), SIGNS, longest, LONGEST_TARGET))
    last = BEGIN
    for size in range(min(LONGEST_TARGET, longest)):
        starts = longest - size
        if size:
            step = moves[:, last, INSIDE] * inner[:, size:]
            running = running[:, :starts] * step
            last = INSIDE
        ended = running * leave[:, size:, :, last] * live[:, size:, None]
        chances[:, :, :starts, size] = ended.transpose(0, 2, 1)
    return chances


@dataclass(frozen=True)
class _Listed:
    """Spans of one sign worth a look [n, 2], with their probabilities."""

    spans: NDArray[np.int64]
    chances: Doubles


class Candidates:
    """The spans of a look that may be targets, and how likely each agrees with the right one."""

    def __init__(self, chances: Doubles, telling: NDArray[np.bool_]) -> None:
        """`chances` as `span_chances` gives them, `telling` [units] as `content_words` does."""
        self._words = np.append(0, telling.cumsum())
        self._chances = chances
        self._listed = [self._list(one) for one in chances]

    def likeliest(self, least: float, most: int) -> list[Candidate]:
        """The likely targets of either sign, best first.

        At most `most` of each sign, none that agrees or overlaps with a better one of its sign,
        none with a chance below `least`. Of spans that agree and are nearly as safe, the likeliest
        is taken: it has the better bounds.
        """
        found: list[Candidate] = []
        for sign, listed in enumerate(self._listed):
            agree = self.agree(listed.spans, listed.spans)
            total = (agree * listed.chances).sum(axis=1)
            free = total >= least
            while free.any() and sum(one.sign == sign for one in found) < most:
                best = int(np.where(free, total, -1.0).argmax())
                near = free & agree[best] & (total >= _NEAR * total[best])
                low, high = listed.spans[np.where(near, listed.chances, -1.0).argmax()].tolist()
                found.append(self.rate(sign, low, high))
                starts, ends = listed.spans.T
                free &= ~agree[best] & ((ends <= low) | (starts >= high))
        return sorted(found, key=lambda one: (-one.chance, one.sign, one.low))

    def rate(self, sign: int, low: int, high: int) -> Candidate:
        """How likely the units `[low, high)` are a target of this sign."""
        span = np.array([[low, high]])
        chance, opposite = (
            float((self.agree(span, listed.spans) * listed.chances).sum())
            for listed in (self._listed[sign], self._listed[1 - sign])
        )
        size = high - low
        exact = self._chances[sign, low, size - 1] if size <= LONGEST_TARGET else 0.0
        return Candidate(sign, low, high, chance, float(exact), opposite)

    def agree(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether spans [n, 2] and [m, 2] name the same target, pair by pair: [n, m]."""
        words = self._words
        low = np.maximum(left[:, None, 0], right[None, :, 0])
        high = np.maximum(low, np.minimum(left[:, None, 1], right[None, :, 1]))
        sizes = [words[spans[:, 1]] - words[spans[:, 0]] for spans in (left, right)]
        both = sizes[0][:, None] + sizes[1][None]
        shared = words[high] - words[low]
        return np.asarray((2 * shared >= AGREE * both) & (shared > 0))

    def _list(self, chances: Doubles) -> _Listed:
        starts, sizes = np.nonzero(chances > _LEAST)
        spans = np.stack([starts, starts + sizes + 1], axis=1)
        worded = self._words[spans[:, 1]] > self._words[spans[:, 0]]
        return _Listed(spans[worded], chances[starts, sizes][worded])
