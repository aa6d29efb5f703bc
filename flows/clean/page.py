"""HTML pages: the article's paragraphs by trafilatura, metadata by what the page states."""

from lxml.html import HtmlElement
from trafilatura import extract, load_html

from flows.clean.head import byline_names
from flows.clean.judge import judge
from flows.clean.language import detect_language
from flows.clean.metadata import PageMetadata, read_metadata
from flows.clean.records import CleanArticle, RemovedLine
from flows.clean.unicode import repair
from flows.clean.urls import canonical_url, site_of

LARGEST_PAGE = 20_000_000


def clean_html(html: str, url: str | None = None) -> CleanArticle:
    """The article out of an HTML page: body, metadata, removed lines.

    A page over 20 million characters, or one in which no markup is understood, gives an empty
    text and the reason among its removed lines.
    """
    if len(html) > LARGEST_PAGE:
        return _nothing(html, url, f"page: over {LARGEST_PAGE:,} characters, not parsed")
    repaired = repair(html)
    tree = load_html(repaired.text)
    if tree is None:
        return _nothing(html, url, "page: no HTML in it")
    metadata = read_metadata(tree, url)
    judged = judge(_without_head(_paragraphs(tree), metadata))
    body = "\n\n".join(judged.kept)
    return CleanArticle(
        text=body,
        title=metadata.title,
        authors=metadata.authors,
        published=metadata.published,
        modified_at=metadata.modified_at,
        outlet=metadata.outlet,
        canonical_url=metadata.canonical_url,
        language=detect_language(body),
        removed=judged.removed,
        rejected_dates=metadata.rejected_dates,
    )


def _paragraphs(tree: HtmlElement) -> list[str]:
    text = extract(tree, include_comments=False) or ""
    return [line.strip() for line in text.split("\n") if line.strip()]


def _without_head(lines: list[str], metadata: PageMetadata) -> list[str]:
    head = {metadata.title, *(line for line in lines[:3] if byline_names(line))}
    return [line for number, line in enumerate(lines) if number > 3 or line not in head]


def _nothing(html: str, url: str | None, reason: str) -> CleanArticle:
    address = canonical_url(url)
    return CleanArticle(
        text="",
        title=None,
        authors=(),
        published=None,
        modified_at=None,
        outlet=site_of(address),
        canonical_url=address,
        language="und",
        removed=(RemovedLine(html[:200], reason),),
    )
