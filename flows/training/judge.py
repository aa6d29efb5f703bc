"""Which of the attributions found are right, and how far their confidence can be trusted."""

import numpy as np

from flows.evaluation.attribution import SMALL_WORDS
from flows.evaluation.corpus import Offsets
from flows.evaluation.matching import WORD, characters, pair_best_first
from flows.training.data import Article


def right_attributions(article: Article, found: list[dict[str, Offsets]]) -> list[bool]:
    """Tell of each attribution found whether it is right end to end, as `stancebank evaluate`."""
    text = article.text
    pairs = pair_best_first(
        [characters(gold["content"], text) for gold in article.attributions],
        [characters(one["content"], text) for one in found],
        lambda candidate: (-candidate[0], candidate[1], candidate[2]),
    )
    right = [False] * len(found)
    for i, j in pairs.items():
        right[j] = _same_source(text, article.attributions[i]["source"], found[j]["source"])
    return right


def _same_source(text: str, gold: Offsets, found: Offsets) -> bool:
    """Both have none, or what was found holds a telling word of the annotated source."""
    if not gold or not found:
        return not gold and not found
    words = {a + m.start(): m.group().lower() for a, b in gold for m in WORD.finditer(text[a:b])}
    telling = {at for at, word in words.items() if word not in SMALL_WORDS} or set(words)
    return bool(telling & characters(found, text))


def calibration_error(confidences: list[float], right: list[bool], bins: int = 10) -> float:
    """Return the expected calibration error with equally wide bins (Naeini et al. 2015)."""
    sure, hit = np.array(confidences), np.array(right, dtype=float)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [
        (place == b).mean() * abs(sure[place == b].mean() - hit[place == b].mean())
        for b in np.unique(place)
    ]
    return float(sum(gaps))
