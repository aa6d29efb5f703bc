"""Which lines are article and which are boilerplate, each removal with its reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.clean.blocks import PageView
from flows.clean.classifier import Models
from flows.clean.line_features import LineFeatures, line_features
from flows.clean.page_views import page_features
from flows.clean.records import RemovedLine
from flows.clean.templates import COMMENTS_START, load_templates

LINE_THRESHOLD = 0.2
"""Probability of being article under which a line of a dump goes; low, to lose next to nothing."""

BLOCK_THRESHOLD = 0.5
"""The same for a block of an HTML page."""

LIFTED = "lifted: "
"""How the reason begins of a line that became metadata."""

_SURELY_ARTICLE = 0.5
_SURELY_BODY = 0.8
_PERHAPS_ARTICLE = frozenset({"related", "taxonomy", COMMENTS_START})
_ARTICLE_CHARACTERS = 240
_SHORTEST_SENTENCE = 5
_LEAST_OF_TRAFILATURA = 0.1
_FIRM_VOTE = 0.8
_COMMENTS_HEADING = re.compile(
    r"(?:\(?\d+\)? |(?:top|top rated|recent|reader|readers['’]|user|all) )?"
    r"(?:comments|kommentare)(?: \(?\d+\)?)?:?",
    re.IGNORECASE,
)
_COMMENTS_END = re.compile(
    r"(?:\d+[.)] )?(?:reply|antworten|comments are (?:now )?closed\.?|\[? ?read all comments ?\]?)",
    re.IGNORECASE,
)

Reasons = list[str | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """The lines that are article, in order, and those that are not, with reasons."""

    kept: tuple[str, ...]
    removed: tuple[RemovedLine, ...]


_NOTHING = Judged((), ())


def judge_dump(lines: Sequence[str], lifted: dict[int, str], models: Models) -> Judged:
    """Sort the lines of a text dump; `lifted` are numbers of lines that may become metadata, which
    they do unless they read like the body.
    """
    if not lines:
        return _NOTHING
    features = line_features(lines, load_templates(), models.words)
    probabilities = models.lines.probabilities(features.matrix)
    reasons = _reasons(features.kinds, probabilities, LINE_THRESHOLD)
    start = _comments_start(lines, features.kinds, probabilities)
    reasons[start:] = [reason or "position: below the comments" for reason in reasons[start:]]
    for number, role in lifted.items():
        if probabilities[number] < _SURELY_BODY:
            reasons[number] = f"{LIFTED}{role}"
    return _sorted(lines, _never_empty(features, reasons))


def judge_page(view: PageView, models: Models) -> Judged:
    """Sort the lines of an HTML page. Of the removed ones those are kept as evidence that
    trafilatura, resiliparse or the page's JSON-LD took for article.
    """
    if not view.lines:
        return _NOTHING
    features, blocks = page_features(view, models.words, models.lines)
    probabilities = models.blocks.probabilities(blocks)
    reasons = _reasons(features.kinds, probabilities, BLOCK_THRESHOLD)
    voted = view.support[:, 0] > _FIRM_VOTE
    reasons = _never_far_less(features.column("words"), reasons, voted)
    doubtful = np.any(view.support > 0.5, axis=1)
    evidence = [
        RemovedLine(line, reason)
        for line, reason, is_doubtful in zip(view.lines, reasons, doubtful, strict=True)
        if reason and is_doubtful
    ]
    return Judged(_sorted(view.lines, reasons).kept, tuple(evidence))


def _reasons(
    kinds: Sequence[str | None], probabilities: NDArray[np.float32], threshold: float
) -> Reasons:
    return [
        _reason(kind, probability, threshold)
        for kind, probability in zip(kinds, probabilities.tolist(), strict=True)
    ]


def _reason(kind: str | None, probability: float, threshold: float) -> str | None:
    if kind and (kind not in _PERHAPS_ARTICLE or probability < _SURELY_ARTICLE):
        return f"template: {kind}"
    if probability < threshold:
        return f"classifier: article with probability {probability:.2f}"
    return None


def _comments_start(
    lines: Sequence[str], kinds: Sequence[str | None], probabilities: NDArray[np.float32]
) -> int:
    """Number of the line from which readers speak, below the article; else how many lines."""
    article = 0
    for number, (line, kind) in enumerate(zip(lines, kinds, strict=True)):
        if article >= _ARTICLE_CHARACTERS and (
            kind == COMMENTS_START or _opens_comments(number, lines, kinds)
        ):
            return number
        article += len(line) if probabilities[number] >= _SURELY_ARTICLE else 0
    return len(lines)


def _opens_comments(number: int, lines: Sequence[str], kinds: Sequence[str | None]) -> bool:
    """Whether the line is a heading such as `12 Comments` with a comment form further down."""
    if not _COMMENTS_HEADING.fullmatch(lines[number]):
        return False
    below = range(number + 1, len(lines))
    return any(kinds[n] == "comment_form" or _COMMENTS_END.fullmatch(lines[n]) for n in below)


def _never_empty(features: LineFeatures, reasons: Reasons) -> Reasons:
    """Where nothing would stay, the classifier's word does not count against whole sentences."""
    if None in reasons:
        return reasons
    is_sentence = (features.column("words") >= _SHORTEST_SENTENCE) & (features.column("ending") > 0)
    return _overruled(reasons, is_sentence)


def _never_far_less(
    words: NDArray[np.float32], reasons: Reasons, voted: NDArray[np.bool_]
) -> Reasons:
    """Where next to nothing would stay of what trafilatura found, its vote overrules the model."""
    kept = np.array([reason is None for reason in reasons], dtype=bool)
    if words[kept].sum() >= _LEAST_OF_TRAFILATURA * words[voted].sum():
        return reasons
    return _overruled(reasons, voted)


def _overruled(reasons: Reasons, keep: NDArray[np.bool_]) -> Reasons:
    return [
        None if wanted and reason and reason.startswith("classifier") else reason
        for reason, wanted in zip(reasons, keep.tolist(), strict=True)
    ]


def _sorted(lines: Sequence[str], reasons: Reasons) -> Judged:
    pairs = list(zip(lines, reasons, strict=True))
    return Judged(
        kept=tuple(line for line, reason in pairs if reason is None),
        removed=tuple(RemovedLine(line, reason) for line, reason in pairs if reason),
    )
