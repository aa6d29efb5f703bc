"""Files that are one article: plain text and HTML."""

from collections.abc import Iterator
from typing import BinaryIO

from flows.ingest.decode import decode
from flows.ingest.fields import too_long
from flows.ingest.limits import MAX_RECORD_BYTES
from flows.ingest.origins import Origin, Page
from flows.ingest.refusals import RefusedError
from flows.ingest.streams import chunks
from schemas.records import ContentKind, RawArticle


def read_document(stream: BinaryIO, origin: Origin, kind: ContentKind) -> Iterator[RawArticle]:
    """Yield the article that the whole of `stream` is.

    Raises:
        RefusedError: it is longer than a record may be, blank, or cannot be decoded.

    """
    content = decode(read_whole(stream))
    if not content.strip():
        raise RefusedError("holds no text: fetch it again or remove it", content)
    yield origin.article(Page(kind, content), origin.sha256)


def read_whole(stream: BinaryIO) -> bytes:
    """Read all of a record's bytes.

    Raises:
        RefusedError: there are more than `MAX_RECORD_BYTES`.

    """
    data = bytearray()
    for chunk in chunks(stream):
        data += chunk
        if len(data) > MAX_RECORD_BYTES:
            raise RefusedError(too_long(), bytes(data[:1000]))
    return bytes(data)
