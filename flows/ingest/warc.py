"""WARC files, and the WET files made of them."""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from warcio.bufferedreaders import BufferedReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.limitreader import LimitReader
from warcio.recordloader import ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeadersParserException

from flows.ingest.decode import decode
from flows.ingest.documents import read_whole
from flows.ingest.origins import Origin, Page
from flows.ingest.refusals import RefusedError
from flows.ingest.streams import CHUNK_BYTES, chunks
from schemas.records import ContentKind, RawArticle, Reject

logging.getLogger("warcio").addHandler(logging.NullHandler())

_KINDS: dict[str, ContentKind] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "text",
}
_PAGE_TYPES = frozenset(["response", "resource", "conversion"])
_CONTENT_ENCODINGS = frozenset(["", "identity", "gzip", "x-gzip", "deflate"])
_MAX_LINE_BYTES = 64 * 1024


def read_warc(stream: BinaryIO, origin: Origin) -> Iterator[RawArticle | Reject]:
    """Yield an article for each record with a page, a reject for each broken one.

    Responses that are no pages (images, redirects, errors) make one reject for each kind, with
    their number. Reading goes on at the next record that is sound.
    """
    reader = BufferedReader(stream, block_size=CHUNK_BYTES)
    passed_over: Counter[str] = Counter()
    number, (start, _) = 0, _next_start(reader)
    while start:
        number += 1
        outcome = _outcome(reader, start)
        start, stray = _next_start(reader)
        if stray:
            outcome = RefusedError("has a wrong Content-Length: fetch the page again", stray)
        match outcome:
            case RefusedError():
                yield origin.reject(outcome, f"record {number}")
            case str():
                passed_over[outcome] += 1
            case (page, sha256):
                yield origin.article(page, sha256, f"record {number}")
    for reason, count in sorted(passed_over.items()):
        yield origin.reject(RefusedError(f"left out {count} x {reason}"))


def _next_start(reader: BufferedReader) -> tuple[bytes, bytes]:
    """Find the line that begins the next record, and the start of what stands before it."""
    stray = b""
    while line := reader.readline(_MAX_LINE_BYTES):
        if line.startswith(b"WARC/"):
            return line, stray
        stray = stray or line.strip()
    return b"", stray


def _outcome(reader: BufferedReader, start: bytes) -> tuple[Page, str] | RefusedError | str | None:
    """Read one record: its page and hash, or why it is refused or left out; None if it is meta."""
    try:
        record = ArcWarcRecordLoader(False, False).parse_record_stream(reader, start, "warc")
    except (ArchiveLoadFailed, StatusAndHeadersParserException) as error:
        return RefusedError(f"has broken headers ({error}): fetch the page again", start)
    except (AttributeError, EOFError, ValueError):
        return RefusedError("has broken or missing headers: fetch the page again", start)
    if not isinstance(record.raw_stream, LimitReader):
        return RefusedError("has no Content-Length: fetch the page again", start)
    try:
        return _content(record)
    except RefusedError as refused:
        return refused
    finally:
        for _ in chunks(record.raw_stream):
            pass


def _content(record: Any) -> tuple[Page, str] | str | None:
    if record.rec_type == "revisit":
        return "a pointer to a page stored elsewhere (revisit): give the file that holds it"
    if record.rec_type not in _PAGE_TYPES:
        return None
    status = record.http_headers.get_statuscode() if record.http_headers else "200"
    if status != "200":
        return f"an answer without a page (HTTP status {status}): nothing to do"
    medium, declared = _medium(record)
    if medium not in _KINDS:
        return f"a record that is no page ({medium or 'of unknown type'}): nothing to do"
    data = _payload(record)
    content = decode(data, declared)
    if not content.strip():
        raise RefusedError("holds no text")
    url = record.rec_headers.get_header("WARC-Target-URI")
    return Page(_KINDS[medium], content, url=url), hashlib.sha256(data).hexdigest()


def _medium(record: Any) -> tuple[str, str | None]:
    """Media type and declared encoding of what the record holds."""
    headers = record.http_headers or record.rec_headers
    medium, _, parameters = (headers.get_header("Content-Type") or "").partition(";")
    _, _, charset = parameters.lower().partition("charset=")
    return medium.strip().lower(), charset.split(";")[0].strip(" \"'") or None


def _payload(record: Any) -> bytes:
    encoding = (record.http_headers and record.http_headers.get_header("Content-Encoding")) or ""
    if encoding.strip().lower() not in _CONTENT_ENCODINGS:
        raise RefusedError(f"is encoded as {encoding!r}: only gzip and deflate are read")
    data = read_whole(record.content_stream())
    while record.raw_stream.read(CHUNK_BYTES):
        pass
    if record.raw_stream.limit:
        raise RefusedError("is cut off: it ends before its Content-Length", data)
    return data
