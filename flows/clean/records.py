"""What cleaning makes of a page."""

from dataclasses import dataclass
from datetime import datetime


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
    """An article's own text and metadata. `text` is the body without headline; may be empty."""

    text: str
    title: str | None
    authors: tuple[str, ...]
    published: PublicationDate | None
    modified_at: datetime | None
    outlet: str | None
    canonical_url: str | None
    language: str
    removed: tuple[RemovedLine, ...]
