"""What cleaning makes of a page."""

from dataclasses import dataclass
from datetime import datetime

CLEANER_VERSION = "1"
"""Changes whenever the same page may give another text."""

FAST_CLEANER_VERSION = f"{CLEANER_VERSION}-fast"
"""Marks texts that the faster, less exact mode has made."""


@dataclass(frozen=True, slots=True)
class RemovedLine:
    """A line that is not article, with the reason that took it out."""

    line: str
    reason: str


@dataclass(frozen=True, slots=True)
class PublicationDate:
    """A date (UTC, naive), the finest unit that it can be trusted to, and where it was read."""

    at: datetime
    precision: str
    source: str


@dataclass(frozen=True, slots=True)
class CleanArticle:
    """An article's own text and metadata. `text` is the body without headline; may be empty.

    Paragraphs of `text` stand apart by an empty line. `rejected_dates` holds, as printed, dates
    of publication or change that cannot be true (before 1990 or after tomorrow).
    """

    text: str
    title: str | None
    authors: tuple[str, ...]
    published: PublicationDate | None
    modified_at: datetime | None
    outlet: str | None
    canonical_url: str | None
    language: str
    removed: tuple[RemovedLine, ...]
    rejected_dates: tuple[str, ...] = ()
    cleaner_version: str = CLEANER_VERSION
