"""Tuning of the decoding and of the confidence on articles held back from training."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from flows.extract.decode import N_EVIDENCE, Found, Reading, Rules, UnitSpan, decode
from flows.extract.pieces import Pieces
from flows.extract.tagger import Tagger
from flows.training.data import Article
from flows.training.judge import right_attributions

EAGER = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5)
JOIN = (0.25, 0.5, 1.0)
RIDGE = 1.0
THRESHOLDS = tuple(round(0.02 * step, 2) for step in range(30))
RECALL_COST = 0.5
"""Points of end-to-end F1 that are given for more statements found."""


@dataclass(frozen=True)
class Attempt:
    """Decoding under some rules: all attributions found, whether right, and what was annotated."""

    corpus: NDArray[np.str_]
    evidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    gold: Counter[str]


def read_all(tagger: Tagger, articles: list[Article]) -> list[tuple[Article, Reading]]:
    """Run the encoder over articles once."""
    return [(article, tagger.read(article.text)) for article in articles]


def _offsets(pieces: Pieces, spans: list[UnitSpan]) -> list[list[int]]:
    return [[int(pieces.starts[a]), int(pieces.ends[b - 1])] for a, b in spans]


def as_prediction(pieces: Pieces, found: Found) -> dict[str, list[list[int]]]:
    """Return an attribution as character offsets, as `evaluate.judge` takes it."""
    return {
        "source": _offsets(pieces, [found.source] if found.source else []),
        "content": _offsets(pieces, list(found.contents)),
    }


def attempt(tagger: Tagger, readings: list[tuple[Article, Reading]], rules: Rules) -> Attempt:
    """Decode all articles under `rules` and judge every attribution found."""
    corpus, evidence, right = [], [], []
    gold: Counter[str] = Counter()
    model = replace(tagger.model, rules=rules)
    for article, reading in readings:
        found = decode(reading, model)
        judged = right_attributions(article, [as_prediction(reading.pieces, f) for f in found])
        corpus += [article.corpus] * len(found)
        evidence += [f.evidence for f in found]
        right += judged
        gold[article.corpus] += len(article.attributions)
    return Attempt(np.array(corpus), np.array(evidence), np.array(right), gold)


def fit_confidence(evidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, ...]:
    """Fit a logistic regression with a ridge penalty by Newton's method: (intercept, weights)."""
    inputs = np.c_[np.ones(len(evidence)), evidence]
    weights = np.zeros(inputs.shape[1])
    penalty = RIDGE * np.eye(inputs.shape[1])
    penalty[0, 0] = 1e-6
    for _ in range(30):
        sure = 1.0 / (1.0 + np.exp(-inputs @ weights))
        slope = inputs.T @ (sure - right) + penalty @ weights
        bend = (inputs * (sure * (1 - sure))[:, None]).T @ inputs + penalty
        weights -= np.linalg.solve(bend, slope)
    return tuple(float(w) for w in weights)


def sure_of(evidence: NDArray[np.float64], calibration: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the confidence of every attribution."""
    logits = calibration[0] + evidence @ np.array(calibration[1:])
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))


def cross_confidence(tried: Attempt, folds: int = 5) -> NDArray[np.float64]:
    """Return confidences where each attribution is rated by a fit on the other folds."""
    fold = np.arange(len(tried.right)) * folds // max(1, len(tried.right))
    sure = np.zeros(len(tried.right))
    for number in range(folds):
        rest = fold != number
        fitted = fit_confidence(tried.evidence[rest], tried.right[rest])
        sure[~rest] = sure_of(tried.evidence[~rest], fitted)
    return sure


def score(tried: Attempt, sure: NDArray[np.float64], least: float) -> dict[str, float]:
    """Return the end-to-end F1 in percent of each corpus without those below `least`."""
    kept = sure >= least
    return {
        corpus: 200.0
        * float((tried.right & kept & (tried.corpus == corpus)).sum())
        / (gold + int((kept & (tried.corpus == corpus)).sum()))
        for corpus, gold in tried.gold.items()
    }


def tune(tagger: Tagger, readings: list[tuple[Article, Reading]]) -> tuple[Rules, dict[str, float]]:
    """Choose the rules with the best mean end-to-end F1 of the corpora on held-back articles.

    Of thresholds, the lowest that costs no corpus more than RECALL_COST points is taken: what is
    found and unsure can be left out by its confidence, what is not found cannot be asked for.
    Thresholds are judged by confidences from cross-validation; the final calibration is fitted on
    all of them. Returns the rules and the scores they reach in cross-validation.
    """
    best: tuple[float, Rules, Attempt] | None = None
    for eager, join in product(EAGER, JOIN):
        rules = Rules(eager, join, 0.0, (0.0,) * (N_EVIDENCE + 1))
        tried = attempt(tagger, readings, rules)
        top = max(mean for mean, _, _ in _by_threshold(tried))
        if best is None or top > best[0]:
            calibration = fit_confidence(tried.evidence, tried.right)
            best = top, replace(rules, calibration=calibration), tried
    assert best is not None
    _, rules, tried = best
    by_threshold = list(_by_threshold(tried))
    _, _, top_scores = max(by_threshold, key=lambda found: found[0])
    least, scores = next(
        (least, scores)
        for _, least, scores in by_threshold
        if all(scores[corpus] >= top_scores[corpus] - RECALL_COST for corpus in scores)
    )
    return replace(rules, least=least), scores


def _by_threshold(tried: Attempt) -> Iterator[tuple[float, float, dict[str, float]]]:
    """Mean score, threshold and scores of each threshold, the lowest first."""
    sure = cross_confidence(tried)
    for least in THRESHOLDS:
        scores = score(tried, sure, least)
        yield sum(scores.values()) / len(scores), least, scores
