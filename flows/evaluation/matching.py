"""What two annotations of one text have in common: words, characters, one-to-one pairs."""

import re
from collections.abc import Callable, Hashable, Iterable, Sequence

from flows.evaluation.corpus import Offsets

SAME_STATEMENT = 0.5
"""Jaccard index of characters from which two contents are the same statement."""
WORD = re.compile(r"\w+(?:[-'’.]\w+)*")


def clipped(spans: Offsets | None, text: str) -> Iterable[tuple[int, int]]:
    """Parts of spans that lie inside the text, empty ones apart."""
    for start, end in spans or []:
        if max(0, start) < min(end, len(text)):
            yield max(0, start), min(end, len(text))


def characters(spans: Offsets | None, text: str) -> frozenset[int]:
    """Positions of the characters in some spans, white space apart."""
    return frozenset(
        at
        for start, end in clipped(spans, text)
        for at in range(start, end)
        if not text[at].isspace()
    )


def jaccard(left: frozenset[int], right: frozenset[int]) -> float:
    """Shared part of two sets; 0 where both are empty."""
    union = len(left | right)
    return len(left & right) / union if union else 0.0


def pair_best_first(
    gold: Sequence[frozenset[int]],
    found: Sequence[frozenset[int]],
    order: Callable[[tuple[float, int, int]], Hashable],
    threshold: float = SAME_STATEMENT,
) -> dict[int, int]:
    """Pair two lists of contents one to one, the most alike first, ties by `order`.

    `order` is the sort key of a candidate (Jaccard index, number in gold, number in found).
    """
    candidates = [
        (alike, i, j)
        for i, left in enumerate(gold)
        for j, right in enumerate(found)
        if (alike := jaccard(left, right)) >= threshold and alike > 0
    ]
    pairs: dict[int, int] = {}
    for _, i, j in sorted(candidates, key=order):  # type: ignore[arg-type]
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs
