"""Values that one stage hands to the next, before they are rows."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

ContentKind = Literal["html", "text"]


@dataclass(frozen=True, slots=True)
class RawArticle:
    """One article as an input gives it: its content and whatever the input says about it."""

    raw_file: str
    raw_member: str | None
    raw_sha256: str
    kind: ContentKind
    content: str
    url: str | None = None
    title: str | None = None
    outlet: str | None = None
    authors: tuple[str, ...] = field(default=())
    published_at: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Something that did not pass a stage: where it stood, why, and how it begins."""

    stage: str
    raw_file: str | None
    raw_member: str | None
    reason: str
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class Takedown:
    """What must not be published: articles by address or outlet, statements by speaker.

    Names and outlets are compared without regard to case.
    """

    urls: tuple[str, ...] = field(default=())
    outlets: tuple[str, ...] = field(default=())
    speakers: tuple[str, ...] = field(default=())


class ReleaseFormat(StrEnum):
    """What the tables of a release are written as."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"
