"""HTML pages: the article's blocks, and metadata from what the page states."""

import re

from lxml.html import HtmlElement
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree
from trafilatura import load_html

from flows.clean.classifier import Models, shipped_models
from flows.clean.judge import Judged, judge_dump, judge_page
from flows.clean.language import detect_language
from flows.clean.metadata import PageMetadata, read_metadata
from flows.clean.page_views import text_lines, view_page
from flows.clean.records import CLEANER_VERSION, FAST_CLEANER_VERSION, CleanArticle, RemovedLine
from flows.clean.unicode import encodable, repair
from flows.clean.urls import canonical_url, site_of

LARGEST_PAGE = 10_000_000
_IS_DEEP = f"boolean(/*{'/*' * 200})"
_IS_HEAVY = "count(//*) > 30000"
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")


def clean_html(
    html: str, url: str | None = None, *, fast: bool = False, models: Models | None = None
) -> CleanArticle:
    """The article out of an HTML page: body, metadata, removed lines.

    With `fast`, only resiliparse and the line classifier judge the page: for millions of pages,
    less exact, and marked so in `cleaner_version`; so are pages of over 30,000 elements, and of
    elements nested over 200 deep, whose markup would cost too much. `models` are others than the
    shipped ones,
    for cross-validation. A page over 10 million characters or without any markup gives an empty
    text and the reason among its removed lines.
    """
    if len(html) > LARGEST_PAGE:
        return _nothing(html, url, f"page: over {LARGEST_PAGE:,} characters, not parsed")
    html = encodable(html)
    tree = _parsed(html)
    if tree is None:
        return _nothing(html, url, "page: no HTML in it")
    metadata = read_metadata(tree, url)
    models = models or shipped_models()
    if tree.xpath(_IS_DEEP):
        return _article(_judge_text(html, metadata, models), metadata, FAST_CLEANER_VERSION)
    if fast or tree.xpath(_IS_HEAVY):
        judged = _judge_text(html, metadata, models, main_content=True)
        return _article(judged, metadata, FAST_CLEANER_VERSION)
    return _article(judge_page(view_page(html, tree, metadata), models), metadata, CLEANER_VERSION)


def _parsed(html: str) -> HtmlElement | None:
    if not _TAG.search(html):
        return None
    tree = load_html(html)
    return load_html(f"<html><body>{html}</body></html>") if tree is None else tree


def _judge_text(
    html: str, metadata: PageMetadata, models: Models, *, main_content: bool = False
) -> Judged:
    """Judge the page's text without its markup (also of pages nested absurdly deep)."""
    text = extract_plain_text(HTMLTree.parse(html), main_content=main_content, alt_texts=False)
    lines = text_lines(text)
    lifted = {number: "headline" for number, line in enumerate(lines[:5]) if line == metadata.title}
    return judge_dump(lines, lifted, models)


def _article(judged: Judged, metadata: PageMetadata, version: str) -> CleanArticle:
    repaired = repair("\n\n".join(judged.kept))
    return CleanArticle(
        text=repaired.text,
        title=metadata.title,
        authors=metadata.authors,
        published=metadata.published,
        modified_at=metadata.modified_at,
        outlet=metadata.outlet,
        canonical_url=metadata.canonical_url,
        language=detect_language(repaired.text),
        removed=repaired.repairs + judged.removed,
        rejected_dates=metadata.rejected_dates,
        cleaner_version=version,
    )


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
