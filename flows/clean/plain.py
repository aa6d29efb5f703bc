"""Plain-text articles: dumps of pages, wire copy, files of an archive."""

from flows.clean.classifier import Models, shipped_models
from flows.clean.head import Head, lift_head
from flows.clean.judge import LIFTED, Judged, judge_dump
from flows.clean.language import detect_language
from flows.clean.paragraphs import split_paragraphs
from flows.clean.records import CleanArticle, PublicationDate
from flows.clean.unicode import repair
from flows.clean.urls import canonical_url, site_of, url_date


def clean_text(
    text: str, url: str | None = None, *, title: str | None = None, models: Models | None = None
) -> CleanArticle:
    """The article out of a plain-text dump: body, headline, byline, date, removed lines.

    Where `title` is known already, only a line that repeats it is lifted as headline. `models`
    are others than the shipped ones, for cross-validation.
    """
    repaired = repair(text)
    lines = split_paragraphs(repaired.text)
    head = lift_head(lines, title)
    judged = judge_dump(lines, head.roles, models or shipped_models())
    body = "\n\n".join(judged.kept)
    address = canonical_url(url)
    return CleanArticle(
        text=body,
        title=title or (head.title if _is_lifted("headline", judged) else None),
        authors=head.authors,
        published=_published(head, address),
        modified_at=None,
        outlet=site_of(address),
        canonical_url=address,
        language=detect_language(body),
        removed=repaired.repairs + judged.removed,
    )


def _is_lifted(role: str, judged: Judged) -> bool:
    return any(gone.reason == f"{LIFTED}{role}" for gone in judged.removed)


def _published(head: Head, address: str | None) -> PublicationDate | None:
    if head.date:
        return head.date.published("text")
    day = url_date(address)
    return day.published("url") if day and day.is_possible() else None
