"""An extractor's figures on annotated articles, with bootstrap intervals over articles."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.evaluation.attribution import count_attributions, summarize_attributions
from flows.evaluation.calibration import calibration
from flows.evaluation.corpus import Article, Attribution
from flows.evaluation.statements import count_statements, error_classes, summarize_statements

RESAMPLES = 1000
INTERVAL = (2.5, 97.5)
MEASURES: tuple[tuple[Callable[..., Any], Callable[..., dict[str, float]]], ...] = (
    (count_attributions, summarize_attributions),
    (count_statements, summarize_statements),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A score in percent and the interval that holds 95 % of its bootstrap resamples."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures by name, where rows go wrong, and how far confidences can be trusted."""

    articles: int
    figures: dict[str, Figure]
    errors: dict[str, int]
    calibration: dict[str, float]


def evaluate(gold: Sequence[Article], found: dict[str, list[Attribution]]) -> Evaluation:
    """Compare what was `found`, by article id, with the annotation. A missing article is empty."""
    pairs = [(article, found.get(article["id"], [])) for article in gold]
    figures: dict[str, Figure] = {}
    for count, summarize in MEASURES:
        figures |= _with_intervals([count(article, rows) for article, rows in pairs], summarize)
    total: Counter[str] = Counter()
    for article, rows in pairs:
        total.update(count_statements(article, rows))
    return Evaluation(len(gold), figures, error_classes(total), calibration(pairs))


def _with_intervals(
    counts: Sequence[Counter[Any]], summarize: Callable[[Counter[Any]], dict[str, float]]
) -> dict[str, Figure]:
    """Figures of all articles together; intervals from resampled articles (Efron 1979)."""
    keys = sorted({key for count in counts for key in count})
    table = np.array([[count[key] for key in keys] for count in counts])
    random = np.random.default_rng(1)
    drawn = random.integers(len(counts), size=(RESAMPLES, len(counts)))
    weights = np.apply_along_axis(np.bincount, 1, drawn, minlength=len(counts))
    resampled = [summarize(_counter(keys, row)) for row in weights @ table]
    whole = summarize(_counter(keys, table.sum(axis=0)))
    return {name: _figure(value, [r[name] for r in resampled]) for name, value in whole.items()}


def _counter(keys: Sequence[Any], row: Iterable[Any]) -> Counter[Any]:
    return Counter(dict(zip(keys, map(int, row), strict=True)))


def _figure(value: float, resampled: list[float]) -> Figure:
    low, high = np.percentile(resampled, INTERVAL)
    return Figure(value, float(low), float(high))
