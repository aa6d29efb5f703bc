"""Where something was read, and the records that name that place."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flows.ingest.limits import Budget
from flows.ingest.refusals import RefusedError
from schemas.records import ContentKind, RawArticle, Reject


@dataclass(frozen=True, slots=True)
class Page:
    """The content of an article and what its record says about it."""

    kind: ContentKind
    content: str
    url: str | None = None
    title: str | None = None
    outlet: str | None = None
    authors: tuple[str, ...] = ()
    published_at: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """A file, or a member of an archive in it, with the hash and size of its bytes."""

    raw_file: str
    raw_member: str
    sha256: str
    size: int

    def article(self, page: Page, sha256: str, where: str | None = None) -> RawArticle:
        """Make the article of a record with hash `sha256` at `where`, such as `line 14`."""
        return RawArticle(
            raw_file=self.raw_file,
            raw_member=self._member(where),
            raw_sha256=sha256,
            kind=page.kind,
            content=valid_unicode(page.content),
            url=_valid(page.url),
            title=_valid(page.title),
            outlet=_valid(page.outlet),
            authors=tuple(map(valid_unicode, page.authors)),
            published_at=_valid(page.published_at),
        )

    def reject(self, refused: RefusedError, where: str | None = None) -> Reject:
        """Make the reject of what was refused at `where`."""
        payload = refused.payload and valid_unicode(refused.payload)
        return Reject("ingest", self.raw_file, self._member(where), refused.reason, payload)

    def _member(self, where: str | None) -> str | None:
        return ":".join(part for part in (self.raw_member, where) if part) or None


@dataclass(frozen=True, slots=True)
class Entry:
    """An opened file or archive member: seekable, at its start, with its name and bounds."""

    origin: Origin
    name: str
    file: BinaryIO
    budget: Budget
    path: Path | None = None
    depth: int = 0


def valid_unicode(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates, which no file format can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _valid(text: str | None) -> str | None:
    return text if text is None else valid_unicode(text)
