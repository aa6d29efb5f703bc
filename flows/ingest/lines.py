"""Lines of large files, each within the bound of a record."""

import codecs
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from flows.ingest.limits import MAX_RECORD_BYTES
from flows.ingest.streams import CHUNK_BYTES


def byte_lines(stream: BinaryIO, encoding: str | None) -> Iterator[bytes]:
    """Yield the lines of a text file as bytes, in UTF-8 where `encoding` is UTF-16 or UTF-32.

    A line that is longer than a record may be is given cut to one byte more than that.

    Raises:
        RefusedError: (on reading) the compressed data are broken; an unfinished line is left out.

    """
    file = io.BufferedReader(stream, CHUNK_BYTES) if isinstance(stream, io.RawIOBase) else stream
    if encoding and encoding.startswith(("utf-16", "utf-32")):
        text = io.TextIOWrapper(file, encoding, "replace", newline="\n")
        yield from _lines(lambda size: text.readline(size).encode())
        return
    if encoding == "utf-8-sig":
        file.read(len(codecs.BOM_UTF8))
    yield from _lines(file.readline)


def _lines(readline: Callable[[int], bytes]) -> Iterator[bytes]:
    while line := readline(MAX_RECORD_BYTES + 1):
        yield line
        while len(line) > MAX_RECORD_BYTES and not line.endswith(b"\n"):
            line = readline(MAX_RECORD_BYTES + 1)
