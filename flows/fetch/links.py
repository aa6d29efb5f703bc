"""Links to articles, read from RSS and Atom feeds, sitemaps and plain lists."""

import calendar
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import feedparser
import httpx
from lxml import etree

from flows.fetch.exchange import FetchError, unpacked

GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Link:
    """An article's URL without its fragment, and when its list says that it appeared, if it does.

    `dated_at` is in seconds since 1970.
    """

    url: str
    dated_at: float | None = None


@dataclass(frozen=True, slots=True)
class Sitemap:
    """Links of one sitemap, and further sitemaps where it is an index."""

    links: list[Link]
    sitemaps: list[Link]


def read_feed(content: bytes, url: str) -> list[Link]:
    """Links of an RSS or Atom feed that lies at `url`.

    Raises:
        FetchError: if it is none.
    """
    feed = feedparser.parse(io.BytesIO(content), response_headers={"content-location": url})
    if not feed.version:
        raise FetchError("is no RSS or Atom feed")
    return _unique(
        _link(entry.link, url, _feed_date(entry)) for entry in feed.entries if _ok(entry)
    )


def read_sitemap(content: bytes, url: str, limit: int) -> Sitemap:
    """Links of a sitemap (sitemaps.org protocol 0.9), a sitemap index or a text sitemap.

    It may be compressed with gzip, up to `limit` bytes once unpacked.

    Raises:
        FetchError: if it is none, or too large.
    """
    if content.startswith(GZIP):
        content = unpacked(content, "gzip", limit)
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return Sitemap(read_url_list(content.decode(errors="replace"), url), [])
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(content, parser)
    kind = "" if root is None else etree.QName(root).localname
    if kind not in ("urlset", "sitemapindex"):
        raise FetchError("is no sitemap")
    links = _unique(_sitemap_link(node, url) for node in root.iterchildren(tag=etree.Element))
    return Sitemap(links, []) if kind == "urlset" else Sitemap([], links)


def read_url_list(text: str, where: str) -> list[Link]:
    """Links of a list with one URL a line; `#` begins a comment line.

    Raises:
        FetchError: if no line is a URL.
    """
    lines = [line.strip() for line in text.splitlines()]
    links = _unique(_link(line, where, None) for line in lines if line.startswith("http"))
    if not links:
        raise FetchError("lists no URL: it needs one a line, beginning with http:// or https://")
    return links


def _ok(entry: Any) -> bool:
    return bool(entry.get("link"))


def _feed_date(entry: Any) -> float | None:
    date = entry.get("published_parsed") or entry.get("updated_parsed")
    return float(calendar.timegm(date)) if date else None


def _sitemap_link(node: Any, base: str) -> Link | None:
    """The link of a `url` or `sitemap` element; the date is that of news publication or change."""
    values = {etree.QName(part).localname: part.text or "" for part in node.iter(tag=etree.Element)}
    date = values.get("publication_date") or values.get("lastmod") or ""
    return _link(values.get("loc", ""), base, _iso_date(date.strip()))


def _iso_date(text: str) -> float | None:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _link(text: str, base: str, dated_at: float | None) -> Link | None:
    try:
        url = httpx.URL(base).join(text.strip()) if "://" in base else httpx.URL(text.strip())
    except httpx.InvalidURL:
        return None
    if url.scheme not in ("http", "https") or not url.host:
        return None
    return Link(str(url.copy_with(fragment=None)), dated_at)


def _unique(links: Iterator[Link | None]) -> list[Link]:
    return list({link.url: link for link in links if link}.values())
