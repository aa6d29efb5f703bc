"""Whether an answer is a page, and what it says of robots and of text and data mining."""

import re
from dataclasses import dataclass

from lxml import html

from flows.fetch.exchange import Answer, FetchError

PAGE_MEDIA = frozenset(["text/html", "application/xhtml+xml", "text/plain"])
HEAD_BYTES = 256 * 1024
SNIFFED_BYTES = 1024
NOTED_META = ("robots", "tdm-reservation", "tdm-policy")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a page says of its use.

    `reservation` and `policy` are the values of the TDM Reservation Protocol (W3C community group
    report, 2024), `robots` those of the X-Robots-Tag header and the robots meta tag; "" if absent.
    """

    reservation: str
    policy: str
    robots: str

    @property
    def is_reserved(self) -> bool:
        """Whether text and data mining is reserved."""
        return self.reservation == "1"


def read_terms(answer: Answer) -> Terms:
    """Check that an answer holds a page, and read its terms of use.

    Raises:
        FetchError: if it is no page.
    """
    content = answer.content
    _check(answer.medium, content)
    meta = _meta(content[:HEAD_BYTES]) if answer.medium != "text/plain" else {}
    headers = answer.headers
    robots = [headers.get("x-robots-tag", ""), meta.get("robots", "")]
    return Terms(
        reservation=headers.get("tdm-reservation") or meta.get("tdm-reservation", ""),
        policy=headers.get("tdm-policy") or meta.get("tdm-policy", ""),
        robots=", ".join(filter(None, robots)),
    )


def _check(medium: str, content: bytes) -> None:
    if medium not in PAGE_MEDIA:
        raise FetchError(f"is no page but {medium or 'of unknown type'}", lasting=True)
    if not content.strip():
        raise FetchError("is empty")
    if b"\0" in content[:SNIFFED_BYTES] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FetchError(f"calls itself {medium} but holds binary data", lasting=True)


def _meta(head: bytes) -> dict[str, str]:
    """The meta tags noted, by name in lower case."""
    if not re.search(rb"<meta", head, re.IGNORECASE):
        return {}
    found: dict[str, str] = {}
    for tag in html.fromstring(head).iter("meta"):
        name = tag.get("name", "").strip().lower()
        if name in NOTED_META:
            found.setdefault(name, tag.get("content", "").strip())
    return found
