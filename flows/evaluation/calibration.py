"""Whether a confidence of .7 means right seven times in ten."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from flows.evaluation.corpus import Article, Attribution
from flows.evaluation.matching import characters, pair_best_first
from flows.evaluation.statements import polar, right_rows, same_speaker

BINS = 10
KEPT = 0.4
"""Share of the surest rows whose precision is told."""


def calibration(pairs: Sequence[tuple[Article, list[Attribution]]]) -> dict[str, float]:
    """Expected calibration error of whole rows (Naeini et al. 2015), and precision of the surest.

    A row is right if statement, speaker, target and sign are. Empty without rows that have a
    confidence.
    """
    judged = [row for article, found in pairs for row in _judged(article, found)]
    if not judged:
        return {}
    confidence, right = (np.array(column) for column in zip(*judged, strict=True))
    surest = np.argsort(-confidence, kind="stable")[: max(1, round(KEPT * len(judged)))]
    return {
        "rows": len(judged),
        "expected calibration error": _expected_error(confidence, right),
        f"precision of the surest {KEPT:.0%}": float(right[surest].mean()),
        f"confidence of the surest {KEPT:.0%}, at least": float(confidence[surest].min()),
    }


def _judged(article: Article, found: list[Attribution]) -> Iterator[tuple[float, bool]]:
    text, gold = article["text"], article["attributions"]
    pairs = pair_best_first(
        [characters(a.get("content"), text) for a in gold],
        [characters(a.get("content"), text) for a in found],
        lambda c: (-c[0], -c[1], -c[2]),
    )
    partner = {j: gold[i] for i, j in pairs.items()}
    for number, attribution in enumerate(found):
        right = _right(partner.get(number), attribution, text)
        for row in polar(attribution):
            if "confidence" in row:
                yield row["confidence"], id(row) in right


def _right(gold: Attribution | None, found: Attribution, text: str) -> set[int]:
    if gold is None or not same_speaker(
        gold.get("speaker"), found.get("speaker"), gold.get("speaker_type")
    ):
        return set()
    return {id(row) for _, row in right_rows(gold, found, text)}


def _expected_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Mean distance of confidence and precision over ten bins of equal width, by their rows."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps: Iterable[float] = (
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    )
    return float(sum(gaps))
