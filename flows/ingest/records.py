"""What ingest hands over: shards of articles, and what became of every input."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from schemas.records import Reject


@dataclass(frozen=True, slots=True)
class Shard:
    """A Parquet file with one row a `RawArticle`."""

    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or a member of an archive, that was read to its end: a row of `sources`.

    `raw_member` is empty for the file itself; `records` counts articles found, good or bad, an
    archive's members included; `rejected` means that nothing in it could be read.
    """

    raw_file: str
    raw_member: str
    raw_sha256: str
    raw_bytes: int
    status: Literal["loaded", "rejected"]
    records: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A file or archive member that was not parsed, since its bytes have been read before.

    An unchanged archive stands for all its members.
    """

    raw_file: str
    raw_member: str
    raw_sha256: str


@dataclass(frozen=True, slots=True)
class Intake:
    """The outcome of an ingest: nothing that was given is missing from it."""

    shards: Sequence[Shard]
    sources: Sequence[Source]
    rejects: Sequence[Reject]
    unchanged: Sequence[Unchanged]

    @property
    def articles(self) -> int:
        """Rows of all shards together."""
        return sum(shard.rows for shard in self.shards)

    @property
    def skipped(self) -> int:
        """Number of files and archive members that were skipped as unchanged."""
        return len(self.unchanged)
