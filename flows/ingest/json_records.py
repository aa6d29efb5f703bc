"""JSON Lines, and files that are one JSON array or object."""

import codecs
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from flows.ingest.decode import UNDECODABLE, decode
from flows.ingest.fields import page_from, too_long
from flows.ingest.limits import MAX_RECORD_BYTES
from flows.ingest.lines import byte_lines
from flows.ingest.origins import Origin
from flows.ingest.refusals import RefusedError
from flows.ingest.streams import CHUNK_BYTES
from schemas.records import RawArticle, Reject

_NOT_JSON = "is not JSON ({}): correct or remove it"
_BLANK = " \t\r\n\ufeff"


def read_json_lines(
    stream: BinaryIO, origin: Origin, marked: str | None, mapping: Mapping[str, str]
) -> Iterator[RawArticle | Reject]:
    """Yield an article or a reject for each line that is not blank.

    `marked` is the encoding that a byte order mark tells; without one each line is decoded alone.
    """
    for number, line in enumerate(byte_lines(stream, marked), 1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            page = page_from(_fields(_parsed(line)), mapping)
            yield origin.article(page, hashlib.sha256(line.strip()).hexdigest(), where)
        except RefusedError as refused:
            yield origin.reject(refused, where)


def read_json(
    stream: BinaryIO, origin: Origin, encoding: str, mapping: Mapping[str, str]
) -> Iterator[RawArticle | Reject]:
    """Yield an article or a reject for each object of an array, or of several in a row."""
    for number, (value, text) in enumerate(_values(stream, encoding), 1):
        where = f"record {number}"
        try:
            page = page_from(_fields(value), mapping)
            yield origin.article(page, hashlib.sha256(text.encode()).hexdigest(), where)
        except RefusedError as refused:
            yield origin.reject(refused, where)


def _parsed(line: bytes) -> object:
    if len(line) > MAX_RECORD_BYTES:
        raise RefusedError(too_long(), line[:1000])
    try:
        return json.loads(decode(line.strip()))
    except (ValueError, RecursionError) as error:
        raise RefusedError(_NOT_JSON.format(error), line) from error


def _fields(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise RefusedError(
            f"is a JSON {type(value).__name__} where an object with named fields is expected",
            json.dumps(value),
        )
    return value


def _values(stream: BinaryIO, encoding: str) -> Iterator[tuple[object, str]]:
    """Values of a top-level array, or that follow one another, each with its text."""
    decoder, text = json.JSONDecoder(), _Window(stream, encoding)
    if text.skip(_BLANK) == "[":
        text.start += 1
    while text.skip(_BLANK + ",") not in {"", "]"}:
        try:
            value, end = decoder.raw_decode(text.held, text.start)
        except (ValueError, RecursionError) as error:
            if isinstance(error, ValueError) and text.grow():
                continue
            raise RefusedError(_NOT_JSON.format(error), text.rest()) from error
        if end == len(text.held) and text.grow():
            continue
        yield value, text.held[text.start : end]
        text.start = end


class _Window:
    """The part of a text that is being parsed: it grows by doubling, and moves on."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8" if encoding == "ascii" else encoding)()
        self._ended = False
        self.held = ""
        self.start = 0

    def skip(self, chars: str) -> str:
        """Move past `chars`; return the character that follows, empty at the end."""
        while True:
            while self.start < len(self.held) and self.held[self.start] in chars:
                self.start += 1
            if self.start < len(self.held) or not self.grow():
                return self.held[self.start : self.start + 1]

    def grow(self) -> bool:
        """Read as much again as is held; false at the end of the text."""
        if self._ended:
            return False
        self.held, self.start = self.rest(), 0
        if len(self.held) > MAX_RECORD_BYTES:
            raise RefusedError(too_long(), self.held[:1000])
        wanted = len(self.held) + max(CHUNK_BYTES, len(self.held))
        while len(self.held) < wanted and not self._ended:
            data = self._stream.read(CHUNK_BYTES)
            self._ended = not data
            self.held += self._decoded(data)
        return True

    def _decoded(self, data: bytes) -> str:
        try:
            return self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise RefusedError(UNDECODABLE, data) from error

    def rest(self) -> str:
        """Return what is held and not yet parsed."""
        return self.held[self.start :]
