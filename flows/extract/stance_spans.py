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


def _listed(chances: Doubles, telling: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Doubles]:
    """Spans of one sign worth a look [n, 2] with their probabilities, only those with words."""
    starts, sizes = np.nonzero(chances > _LEAST)
    spans = np.stack([starts, starts + sizes + 1], axis=1)
    words = np.append(0, telling.cumsum())
    worded = words[spans[:, 1]] > words[spans[:, 0]]
    return spans[worded], chances[starts, sizes][worded]


def _agree(
    left: NDArray[np.int64], right: NDArray[np.int64], telling: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether the spans agree, pair by pair: [left, right]."""
    words = np.append(0, telling.cumsum())
    low = np.maximum(left[:, None, 0], right[None, :, 0])
    high = np.maximum(low, np.minimum(left[:, None, 1], right[None, :, 1]))
    sizes = [words[spans[:, 1]] - words[spans[:, 0]] for spans in (left, right)]
    shared = words[high] - words[low]
    return np.asarray(2 * shared >= AGREE * (sizes[0][:, None] + sizes[1][None]))


def candidates(
    chances: Doubles, telling: NDArray[np.bool_], least: float, most: int
) -> list[Candidate]:
    """The likely targets of a look, of either sign, best first.

    `chances` as `span_chances` gives them, `telling` [units] as `content_words` does. At most
    `most` of each sign, none that agrees with a better one, none with a chance below `least`.
    """
    listed = [_listed(one, telling) for one in chances]
    found: list[Candidate] = []
    for sign, (spans, exact) in enumerate(listed):
        other, other_chances = listed[1 - sign]
        agree = _agree(spans, spans, telling)
        total = (agree * exact).sum(axis=1)
        opposite = (_agree(spans, other, telling) * other_chances).sum(axis=1)
        free = total >= least
        for _ in range(most):
            if not free.any():
                break
            best = int(np.where(free, total + 1e-3 * exact, -1.0).argmax())
            low, high = spans[best].tolist()
            sure = (float(total[best]), float(exact[best]), float(opposite[best]))
            found.append(Candidate(sign, low, high, *sure))
            free &= ~agree[best]
    return sorted(found, key=lambda one: (-one.chance, one.sign, one.low))
