"""Tuning of the threshold and the confidence on articles held back from training."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.evaluation.corpus import Attribution as FoundAttribution
from flows.evaluation.corpus import Row
from flows.evaluation.statements import right_rows
from flows.extract.stance import MOST_ROWS
from flows.extract.stance import find_stances as find_by_rule
from flows.extract.stance_model import StanceModel
from flows.extract.stance_rows import SIDES, Proposal, propose
from flows.training.data import Article
from flows.training.stance.data import as_attribution, no_name, speaker_of
from flows.training.tune import fit_confidence, sure_of

FOLDS = 6
THRESHOLDS = np.arange(0.1, 0.7, 0.01)
SMOOTHED = 9
"""Neighbouring thresholds over which scores are averaged before the best one is chosen."""


@dataclass(frozen=True)
class Attempt:
    """All rows that a model proposes on some articles, and how they compare with the gold ones.

    Per row: `corpus`, `article` and `statement` (running numbers), `evidence`, whether it is
    `right`. `gold`: gold rows of each corpus.
    """

    corpus: NDArray[np.str_]
    article: NDArray[np.int64]
    statement: NDArray[np.int64]
    evidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    gold: Counter[str]


def judge(text: str, gold: dict[str, Any], proposals: Sequence[Proposal]) -> list[bool]:
    """Which proposals agree with a row of the gold statement; each gold row counts once."""
    rows = [Row(target=[list(p.span)], stance=SIDES[p.candidate.sign]) for p in proposals]
    pairs = right_rows(
        FoundAttribution(stances=gold["stances"]), FoundAttribution(stances=rows), text
    )
    right = {id(row) for _, row in pairs}
    return [id(row) in right for row in rows]


def attempt(model: StanceModel, articles: list[Article]) -> Attempt:
    """Propose rows for all statements of the articles that have a speaker, and judge them."""
    rows: list[tuple[str, int, int, tuple[float, ...], bool]] = []
    gold: Counter[str] = Counter()
    statement = 0
    for number, article in enumerate(articles):
        given = [a for a in article.attributions if a["speaker"]]
        pieces = model.encode(article.text)
        attributions = [as_attribution(a) for a in given]
        readings = model.read(pieces, attributions)
        for annotated, attribution, reading in zip(given, attributions, readings, strict=True):
            statement += 1
            gold[article.corpus] += len(annotated["stances"])
            if reading is None:
                continue
            by_rule = find_by_rule(article.text, attribution, speaker_of(annotated), no_name)
            found = propose(article.text, pieces, reading, by_rule)
            right = judge(article.text, annotated, found)
            rows += [
                (article.corpus, number, statement, p.evidence, hit)
                for p, hit in zip(found, right, strict=True)
            ]
    columns = zip(*rows, strict=True)
    corpus, places, numbers, evidence, hits = (np.array(column) for column in columns)
    return Attempt(corpus, places, numbers, evidence, hits, gold)


def kept(tried: Attempt, sure: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    """Which rows are given out: sure enough, and among the surest of their statement."""
    order = np.lexsort((-sure, tried.statement))
    _, first = np.unique(tried.statement[order], return_index=True)
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    among = np.zeros(len(sure), dtype=np.bool_)
    among[order] = rank < MOST_ROWS
    return np.asarray(among & (sure >= least))


def row_scores(tried: Attempt, given: NDArray[np.bool_]) -> dict[str, float]:
    """The row F1 of each corpus in percent."""
    scores = {}
    for corpus, gold in tried.gold.items():
        own = given & (tried.corpus == corpus)
        scores[corpus] = 200.0 * float((own & tried.right).sum()) / (gold + int(own.sum()))
    return scores


def crossed(tried: Attempt) -> NDArray[np.float64]:
    """Confidences where the rows of each article are rated by a fit on other articles."""
    fold = tried.article % FOLDS
    sure = np.zeros(len(fold))
    for number in range(FOLDS):
        rest = fold != number
        fitted = fit_confidence(tried.evidence[rest], tried.right[rest])
        sure[~rest] = sure_of(tried.evidence[~rest], fitted)
    return sure


def tune(tried: Attempt) -> tuple[dict[str, Any], dict[str, float]]:
    """Choose the least confidence by the row F1 of the corpora, weighted by their gold rows.

    Confidences are those of cross-validation.

    Returns the constants of decoding and the scores they reach.
    """
    sure = crossed(tried)
    tested = [row_scores(tried, kept(tried, sure, float(least))) for least in THRESHOLDS]
    gold = tried.gold.total()
    means = [sum(s[name] * n for name, n in tried.gold.items()) / gold for s in tested]
    smooth = np.convolve(means, np.full(SMOOTHED, 1 / SMOOTHED), mode="same")
    edge = SMOOTHED // 2
    best = edge + int(smooth[edge:-edge].argmax())
    calibration = fit_confidence(tried.evidence, tried.right)
    rules = {
        "least": round(float(THRESHOLDS[best]), 2),
        "calibration": [round(w, 5) for w in calibration],
    }
    return rules, tested[best]
