"""Scores of a model: agreement with annotated articles, and how far its confidence is right."""

import re
from collections import Counter
from dataclasses import dataclass
from random import Random

import numpy as np

from flows.extract.pieces import quoted_characters
from flows.training.data import Article

_WORD = re.compile(r"\w+(?:[-'’.]\w+)*")
_STOP = frozenset(
    re.findall(
        r"\w+",
        "the a an of in on at by for to and or from with as that this these those his her its "
        "their our my your who whom which some many other another one two several",
    )
)

Offsets = list[list[int]]


@dataclass(frozen=True)
class Judged:
    """How the predictions of an article match: per prediction, whether content and source do."""

    counts: Counter[str]
    right: list[bool]


def _characters(text: str, spans: Offsets) -> set[int]:
    return {i for a, b in spans for i in range(a, b) if not text[i].isspace()}


def _words(text: str, spans: Offsets) -> set[int]:
    return {a + m.start() for a, b in spans for m in _WORD.finditer(text[a:b])}


def _same_source(text: str, gold: Offsets, predicted: Offsets) -> bool:
    """Both have none, or the prediction holds a telling word of the annotated source."""
    if not gold or not predicted:
        return not gold and not predicted
    words = {a + m.start(): m.group().lower() for a, b in gold for m in _WORD.finditer(text[a:b])}
    telling = {at for at, word in words.items() if word not in _STOP} or set(words)
    inside = {i for a, b in predicted for i in range(a, b)}
    return bool(telling & inside)


def _quoted(text: str) -> set[int]:
    """Return the characters of a text that stand inside quotation marks."""
    inside: set[int] = set()
    for line in re.finditer(r"[^\n\r]+", text):
        inside.update((np.flatnonzero(quoted_characters(line.group())) + line.start()).tolist())
    return inside


def _pairs(wanted: list[set[int]], given: list[set[int]]) -> list[tuple[int, int]]:
    """Pair annotated and predicted contents one to one, best Jaccard index first, at least 1/2."""
    overlaps = []
    for i, left in enumerate(wanted):
        for j, right in enumerate(given):
            shared = len(left & right)
            if 2 * shared and shared / len(left | right) >= 0.5:
                overlaps.append((-shared / len(left | right), i, j))
    taken: set[int] = set()
    used: set[int] = set()
    pairs = []
    for _, i, j in sorted(overlaps):
        if i not in taken and j not in used:
            pairs.append((i, j))
            taken.add(i)
            used.add(j)
    return pairs


def judge(article: Article, predictions: list[dict[str, Offsets]]) -> Judged:
    """Match predictions one to one with the annotation by the characters of their contents.

    A match counts as right where the source is right too. `quoted` counts those that have a word
    inside quotation marks, by the annotation's content and by the prediction's.
    """
    text, gold = article.text, article.attributions
    inside = _quoted(text)
    words_gold = [_words(text, a["content"]) for a in gold]
    words_given = [_words(text, p["content"]) for p in predictions]
    quoted_gold = [bool(w & inside) for w in words_gold]
    quoted_given = [bool(w & inside) for w in words_given]
    counts: Counter[str] = Counter(gold=len(gold), predicted=len(predictions))
    counts.update({"quoted gold": sum(quoted_gold), "quoted predicted": sum(quoted_given)})
    right = [False] * len(predictions)
    contents = [_characters(text, a["content"]) for a in gold]
    for i, j in _pairs(contents, [_characters(text, p["content"]) for p in predictions]):
        right[j] = _same_source(text, gold[i]["source"], predictions[j]["source"])
        counts["overlap"] += 1
        counts["right"] += right[j]
        counts["quoted right"] += right[j] and quoted_gold[i]
        counts["quoted right given"] += right[j] and quoted_given[j]
        counts["sourced"] += bool(gold[i]["source"])
        counts["source right"] += right[j] and bool(gold[i]["source"])
    all_gold, all_given = set().union(*words_gold), set().union(*words_given)
    counts["word both"] = len(all_gold & all_given)
    counts.update({"word gold": len(all_gold), "word given": len(all_given)})
    return Judged(counts, right)


def summarize(counts: Counter[str]) -> dict[str, float]:
    """Turn counts over articles into scores in percent."""

    def f1(hits: str, gold: str, given: str) -> float:
        return 200.0 * counts[hits] / max(1, counts[gold] + counts[given])

    return {
        "content tokens F1": f1("word both", "word gold", "word given"),
        "overlap F1": f1("overlap", "gold", "predicted"),
        "source right": 100.0 * counts["source right"] / max(1, counts["sourced"]),
        "end to end F1": f1("right", "gold", "predicted"),
        "end to end F1, quoted": _harmonic(
            counts["quoted right"] / max(1, counts["quoted gold"]),
            counts["quoted right given"] / max(1, counts["quoted predicted"]),
        ),
    }


def _harmonic(recall: float, precision: float) -> float:
    return 200.0 * recall * precision / max(1e-9, recall + precision)


def interval(per_article: list[Counter[str]], name: str, draws: int = 1_000) -> tuple[float, float]:
    """Return the 95 % bootstrap interval over articles of a score of `summarize`."""
    rng = Random(1)
    values = []
    for _ in range(draws):
        total: Counter[str] = Counter()
        for counts in rng.choices(per_article, k=len(per_article)):
            total.update(counts)
        values.append(summarize(total)[name])
    values.sort()
    return values[int(0.025 * draws)], values[int(0.975 * draws)]


def calibration_error(confidences: list[float], right: list[bool], bins: int = 10) -> float:
    """Return the expected calibration error with equally wide bins (Guo et al. 2017)."""
    sure, hit = np.array(confidences), np.array(right, dtype=float)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [
        (place == b).mean() * abs(sure[place == b].mean() - hit[place == b].mean())
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))
