"""Streams files of every format into shards of raw articles."""

import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import BinaryIO, cast

from flows.ingest.archives import tar_members, zip_members
from flows.ingest.decode import marked_encoding, text_encoding
from flows.ingest.documents import read_document
from flows.ingest.fields import checked_mapping
from flows.ingest.json_records import read_json, read_json_lines
from flows.ingest.limits import MAX_REJECTS, Budget
from flows.ingest.origins import Entry, Origin, valid_unicode
from flows.ingest.recognize import HEAD_BYTES, Format, recognize
from flows.ingest.records import Intake, Source, Unchanged
from flows.ingest.refusals import RefusedError
from flows.ingest.shards import ShardWriter
from flows.ingest.streams import Unpacked, head_of, is_packed, unpacked_name
from flows.ingest.tables import read_csv, read_parquet
from flows.ingest.warc import read_warc
from schemas.records import RawArticle, Reject

MORE_REJECTS = "{:,} more records of it were refused: correct what the first ones name"
UNFORESEEN = "cannot be read ({}: {}), an unforeseen damage: leave it out, and please report it"
NO_ARTICLES = "holds no articles: fetch it again or remove it"

Event = RawArticle | Reject | Source | Unchanged


def ingest(
    files: Sequence[Path],
    known: AbstractSet[str],
    folder: Path,
    *,
    limit: int | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Intake:
    """Read `files` into Parquet shards in `folder`, one row a `RawArticle`.

    Bad input never raises: it is among the rejects, with a reason. Memory stays bounded by the
    largest record.

    Args:
        files: what to read, as `find_files` lists it.
        known: SHA-256 of files and archive members read before; these are skipped, not parsed.
        folder: where the shards go; made if need be.
        limit: stop after so many articles. A file that is cut by it is no source.
        mapping: our field name to the input's, such as `{"text": "body"}`.

    Raises:
        MappingError: `mapping` names a field that does not exist.

    """
    reader, writer = _Reader(known, checked_mapping(mapping)), ShardWriter(folder)
    sources: list[Source] = []
    rejects: list[Reject] = []
    unchanged: list[Unchanged] = []
    articles = 0
    for event in reader.read_all(files):
        match event:
            case RawArticle():
                if articles == limit:
                    break
                articles += 1
                writer.add(event)
            case Reject():
                rejects.append(event)
            case Source():
                sources.append(event)
            case Unchanged():
                unchanged.append(event)
    writer.flush()
    return Intake(writer.shards, sources, rejects, unchanged)


class _Reader:
    """Reads files and, in them, archive members, and remembers what it has read."""

    def __init__(self, known: AbstractSet[str], mapping: Mapping[str, str]) -> None:
        self._known = set(known)
        self._mapping = mapping

    def read_all(self, files: Sequence[Path]) -> Iterator[Event]:
        for path in files:
            yield from self._read_path(path)

    def _read_path(self, path: Path) -> Iterator[Event]:
        origin = Origin(_shown(path), "", "", 0)
        try:
            with _opened(path) as file:
                yield from self._read_entry(_entry(path, file))
        except FileNotFoundError:
            yield origin.reject(RefusedError("does not exist, or is a link to nothing: remove it"))
        except OSError as error:
            reason = f"cannot be read ({error.strerror or error}): the next run tries again"
            yield origin.reject(RefusedError(reason))
        except RefusedError as refused:
            yield origin.reject(refused)

    def _read_entry(self, entry: Entry) -> Iterator[Event]:
        origin = entry.origin
        if origin.sha256 in self._known:
            yield Unchanged(origin.raw_file, origin.raw_member, origin.sha256)
            return
        articles = rejects = unchanged = 0
        for event in self._events(entry):
            articles += isinstance(event, RawArticle)
            rejects += isinstance(event, Reject)
            unchanged += isinstance(event, Unchanged)
            if not (isinstance(event, Reject) and rejects > MAX_REJECTS):
                yield event
        if rejects > MAX_REJECTS:
            yield origin.reject(RefusedError(MORE_REJECTS.format(rejects - MAX_REJECTS)))
        loaded = bool(articles or unchanged)
        if loaded:
            self._known.add(origin.sha256)
        yield Source(
            origin.raw_file,
            origin.raw_member,
            origin.sha256,
            origin.size,
            "loaded" if loaded else "rejected",
            articles + rejects,
        )

    def _events(self, entry: Entry) -> Iterator[Event]:
        empty = True
        try:
            for event in self._parsed(entry):
                empty = False
                yield event
        except RefusedError as refused:
            yield entry.origin.reject(refused)
        except OSError:
            raise
        except Exception as error:
            reason = UNFORESEEN.format(type(error).__name__, error)
            yield entry.origin.reject(RefusedError(reason))
        else:
            if empty:
                yield entry.origin.reject(RefusedError(NO_ARTICLES))

    def _parsed(self, entry: Entry) -> Iterator[Event]:
        stream, name, head = _unpacked(entry)
        form = recognize(head, name)
        match form:
            case Format.ZIP:
                if stream is not entry.file:
                    raise RefusedError("is a compressed zip archive: unpack the outer layer")
                yield from self._read_members(zip_members(entry))
            case Format.TAR:
                yield from self._read_members(tar_members(entry, stream))
            case _:
                yield from self._records(form, stream, entry, head)

    def _read_members(self, members: Iterator[Entry | Reject]) -> Iterator[Event]:
        for member in members:
            if isinstance(member, Entry):
                yield from self._read_entry(member)
            else:
                yield member

    def _records(
        self, form: Format, stream: BinaryIO, entry: Entry, head: bytes
    ) -> Iterator[RawArticle | Reject]:
        origin, mapping = entry.origin, self._mapping
        match form:
            case Format.JSON_LINES:
                return read_json_lines(stream, origin, marked_encoding(head), mapping)
            case Format.JSON:
                return read_json(stream, origin, text_encoding(head), mapping)
            case Format.CSV:
                return read_csv(stream, origin, text_encoding(head), mapping)
            case Format.PARQUET:
                path = entry.path if stream is entry.file else None
                return read_parquet(stream, origin, path, mapping)
            case Format.WARC:
                return read_warc(stream, origin)
        return read_document(stream, origin, "html" if form is Format.HTML else "text")


def _unpacked(entry: Entry) -> tuple[BinaryIO, str, bytes]:
    """Return the entry's bytes, decompressed where they are not, its name then, and its head."""
    head = _head(entry.file)
    if not is_packed(head):
        return entry.file, entry.name, head
    unpacked_head = head_of(Unpacked(entry.file, head, entry.budget), HEAD_BYTES)
    if is_packed(unpacked_head):
        raise RefusedError("is compressed twice: unpack the outer layer")
    entry.file.seek(0)
    stream = cast(BinaryIO, Unpacked(entry.file, head, entry.budget))
    return stream, unpacked_name(entry.name), unpacked_head


def _head(file: BinaryIO) -> bytes:
    head = head_of(file, HEAD_BYTES)
    file.seek(0)
    return head


def _opened(path: Path) -> io.BufferedReader:
    if path.exists() and not path.is_file():
        raise RefusedError("is no regular file: give files, folders or patterns")
    return path.open("rb")


def _entry(path: Path, file: io.BufferedReader) -> Entry:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = file.tell()
    file.seek(0)
    origin = Origin(_shown(path), "", digest, size)
    return Entry(origin, path.name, file, Budget(size), path)


def _shown(path: Path) -> str:
    """Path relative to the working directory where it lies below, else absolute, with `/`."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are
    here = Path.cwd()
    shown = absolute.relative_to(here) if absolute.is_relative_to(here) else absolute
    return valid_unicode(shown.as_posix())
