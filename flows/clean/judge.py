"""Which paragraphs are article and which are boilerplate, each removal with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from flows.clean.records import RemovedLine
from flows.clean.templates import COMMENTS_START, Templates, load_templates

_ARTICLE_PARAGRAPH = 80


@dataclass(frozen=True, slots=True)
class Judged:
    """The paragraphs that are article, in order, and the lines that are not."""

    kept: tuple[str, ...]
    removed: tuple[RemovedLine, ...]


def judge(lines: Sequence[str]) -> Judged:
    """Sort `lines`, in their order on the page, into article and removed boilerplate."""
    templates = load_templates()
    reasons = [_template_reason(line, templates) for line in lines]
    start = _comments_start(lines, reasons)
    reasons[start:] = [reason or "position: below the comments" for reason in reasons[start:]]
    pairs = list(zip(lines, reasons, strict=True))
    return Judged(
        kept=tuple(line for line, reason in pairs if reason is None),
        removed=tuple(RemovedLine(line, reason) for line, reason in pairs if reason),
    )


def _template_reason(line: str, templates: Templates) -> str | None:
    kind = templates.kind_of(line)
    return f"template: {kind}" if kind else None


def _comments_start(lines: Sequence[str], reasons: Sequence[str | None]) -> int:
    for number, reason in enumerate(reasons):
        if reason != f"template: {COMMENTS_START}":
            continue
        article = sum(len(line) for line in lines[:number] if len(line) >= _ARTICLE_PARAGRAPH)
        if article >= 3 * _ARTICLE_PARAGRAPH:
            return number
    return len(lines)
