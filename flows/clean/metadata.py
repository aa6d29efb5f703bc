"""What a page says about itself: JSON-LD first, then meta tags, then markup and address."""

import html as entities
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from htmldate import find_date
from lxml.html import HtmlElement

from flows.clean.dates import ParsedDate, parse_date
from flows.clean.records import PublicationDate
from flows.clean.urls import canonical_url, site_of, url_date

_ARTICLE_TYPE = re.compile(r"\w*(Article|BlogPosting|LiveBlogPosting|Report|Review)$")
_TITLE_TAGS = ("og:title", "twitter:title", "dc.title", "parsely-title", "title")
_AUTHOR_TAGS = (
    "author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "byl",
)  # fmt: skip
_PUBLISHED_TAGS = (
    "article:published_time", "og:article:published_time", "datepublished", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date", "pubdate", "publishdate",
    "publish-date", "publish_date", "published_time", "cxenseparse:recs:publishtime", "date",
)  # fmt: skip
_MODIFIED_TAGS = (
    "article:modified_time", "og:updated_time", "datemodified", "dcterms.modified", "last-modified",
)  # fmt: skip
_SITE_SUFFIX = re.compile(r"\s+(?:[|»•·]|[-–—])\s+(?P<site>(?:(?!\s[-–—]\s)[^|»•·]){2,50})$")
_NO_NAME = re.compile(r"https?://|www\.|@|^(admin|staff|editor|by|redaktion)$", re.IGNORECASE)
_NAME_BREAK = re.compile(r"\s*(?:;|\||,?\s+(?:and|und|et)\s+|,\s+(?=\w+\.?\s+\w))\s*")
_BY = re.compile(r"^(?:by|von|par|por)[:\s]\s*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """Metadata of an HTML page; `article_body` is the whole text, where JSON-LD has it."""

    title: str | None
    authors: tuple[str, ...]
    published: PublicationDate | None
    modified_at: datetime | None
    rejected_dates: tuple[str, ...]
    outlet: str | None
    canonical_url: str | None
    article_body: str | None


@dataclass(frozen=True, slots=True)
class _Page:
    tree: HtmlElement
    meta: dict[str, list[str]]
    article: dict[str, Any]
    url: str | None


def read_metadata(tree: HtmlElement, url: str | None) -> PageMetadata:
    """Read everything that the page `tree` at `url` says about its article."""
    page = _Page(tree, _meta_tags(tree), _article_object(tree), url)
    address = canonical_url(url, _declared_address(page))
    published, refused = _published(page, address)
    modified, refused_changes = _first_possible(_stated_dates(page, "dateModified", _MODIFIED_TAGS))
    body = page.article.get("articleBody")
    return PageMetadata(
        title=_title(page),
        authors=_authors(page),
        published=published,
        modified_at=modified[0].at if modified else None,
        rejected_dates=tuple(dict.fromkeys(refused + refused_changes)),
        outlet=_outlet(page, address),
        canonical_url=address,
        article_body=_plain(body) if isinstance(body, str) else None,
    )


def _meta_tags(tree: HtmlElement) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    for tag in tree.iter("meta"):
        name = tag.get("property") or tag.get("name") or tag.get("itemprop")
        content = (tag.get("content") or "").strip()
        if name and content:
            tags.setdefault(name.lower(), []).append(content)
    return tags


def _article_object(tree: HtmlElement) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or ""):
            found += [node for node in _objects(_loaded(script.text or "")) if _is_article(node)]
    return max(found, key=_completeness, default={})


def _loaded(source: str) -> Any:
    source = _CONTROL.sub(" ", source).strip().removeprefix("<!--").removesuffix("-->")
    try:
        return json.loads(source.strip().rstrip(";"), strict=False)
    except (ValueError, RecursionError):
        return None


def _objects(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > 4:
        return
    if isinstance(value, list):
        for item in value:
            yield from _objects(item, depth + 1)
    elif isinstance(value, dict):
        yield value
        for name in ("@graph", "mainEntity", "mainEntityOfPage", "liveBlogUpdate"):
            yield from _objects(value.get(name), depth + 1)


def _is_article(node: dict[str, Any]) -> bool:
    types = node.get("@type")
    names = types if isinstance(types, list) else [types]
    return any(isinstance(name, str) and _ARTICLE_TYPE.match(name) for name in names)


def _completeness(node: dict[str, Any]) -> int:
    return sum(bool(node.get(name)) for name in ("headline", "datePublished", "author"))


def _declared_address(page: _Page) -> str | None:
    for link in page.tree.iter("link"):
        if (link.get("rel") or "").lower() == "canonical" and link.get("href"):
            return str(link.get("href"))
    return next(iter(page.meta.get("og:url", [])), None)


def _title(page: _Page) -> str | None:
    stated = [page.article.get("headline"), *_tags(page, _TITLE_TAGS[:2])]
    candidates = [_plain(title) for title in stated if isinstance(title, str) and title.strip()]
    headings = [_plain(heading.text_content()) for heading in page.tree.iter("h1")]
    printed = [title for title in candidates if title in headings]
    fallbacks = [*_tags(page, _TITLE_TAGS[2:]), *headings[:1], *_head_title(page)]
    ranked = printed + candidates + [_plain(title) for title in fallbacks]
    chosen = next(filter(None, ranked), "")
    return _without_site(chosen, page) or None


def _head_title(page: _Page) -> list[str]:
    return [str(title.text_content()) for title in page.tree.iter("title")][:1]


def _without_site(title: str, page: _Page) -> str:
    found = _SITE_SUFFIX.search(title)
    if not found:
        return title
    names = [*page.meta.get("og:site_name", []), site_of(page.url) or "", _publisher(page) or ""]
    site = _folded(found["site"])
    is_site = any(site and name and (site in name or name in site) for name in map(_folded, names))
    return title[: found.start()] if is_site else title


def _folded(name: str) -> str:
    return re.sub(r"\W+|(com|org|net|co\.uk)$", "", name.lower())


def _authors(page: _Page) -> tuple[str, ...]:
    names = list(_names(page.article.get("author"))) or _tags(page, _AUTHOR_TAGS)
    return split_names(names)


def split_names(bylines: list[str]) -> tuple[str, ...]:
    """Names of people in `bylines`, in order, each once: `By A and B; C` gives three."""
    names: dict[str, None] = {}
    for byline in bylines:
        for name in _NAME_BREAK.split(_BY.sub("", _plain(byline))):
            if 2 < len(name) <= 80 and not _NO_NAME.search(name):
                names.setdefault(name.strip(" ,"))
    return tuple(names)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _names(item)
    elif isinstance(value, dict):
        yield from _names(value.get("name"))
    elif isinstance(value, str):
        yield value


def _published(page: _Page, address: str | None) -> tuple[PublicationDate | None, tuple[str, ...]]:
    chosen, refused = _first_possible(_stated_dates(page, "datePublished", _PUBLISHED_TAGS))
    if chosen:
        return chosen[0].published(chosen[1]), refused
    day = url_date(page.url) or url_date(address)
    if day and day.is_possible():
        return day.published("url"), refused
    return _dated_by_markup(page), refused


def _stated_dates(page: _Page, name: str, tags: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    stated = page.article.get(name)
    if isinstance(stated, str):
        yield stated, "json-ld"
    for printed in _tags(page, tags):
        yield printed, "meta"


def _first_possible(
    printed_dates: Iterator[tuple[str, str]],
) -> tuple[tuple[ParsedDate, str] | None, tuple[str, ...]]:
    refused: list[str] = []
    for printed, source in printed_dates:
        parsed = parse_date(printed)
        if parsed and parsed.is_possible():
            return (parsed, source), tuple(refused)
        if parsed:
            refused.append(printed)
    return None, tuple(refused)


def _dated_by_markup(page: _Page) -> PublicationDate | None:
    found = find_date(page.tree, original_date=True, extensive_search=False)
    parsed = parse_date(found) if found else None
    return parsed.published("htmldate") if parsed and parsed.is_possible() else None


def _outlet(page: _Page, address: str | None) -> str | None:
    site_name = next(iter(page.meta.get("og:site_name", [])), None)
    return site_name or _publisher(page) or site_of(address)


def _publisher(page: _Page) -> str | None:
    return next((_plain(name) for name in _names(page.article.get("publisher"))), None)


def _tags(page: _Page, names: tuple[str, ...]) -> list[str]:
    return [content for name in names for content in page.meta.get(name, [])]


def _plain(text: str) -> str:
    return " ".join(entities.unescape(text).split())
