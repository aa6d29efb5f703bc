"""Streams of decompressed bytes, and copies of archive members, all within a budget."""

import bz2
import gzip
import hashlib
import io
import lzma
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

from flows.ingest.limits import Budget
from flows.ingest.refusals import RefusedError, raise_again_if_of_the_machine

CHUNK_BYTES = 256 * 1024
_IN_MEMORY_BYTES = 4 * 2**20


class Stream(Protocol):
    """Anything that bytes are read from."""

    def read(self, size: int = ..., /) -> bytes | None:
        """Read up to `size` bytes; empty at the end."""


class _Reader(Protocol):
    def read1(self, size: int = ..., /) -> bytes: ...


_PACKERS: tuple[
    tuple[re.Pattern[bytes], str, tuple[str, ...], Callable[[BinaryIO], _Reader]], ...
] = (
    (
        re.compile(rb"\x1f\x8b"),
        "gzip",
        (".gz", ".gzip"),
        lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
    ),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), "bzip2", (".bz2",), bz2.BZ2File),
    (re.compile(rb"\xfd7zXZ\x00"), "xz", (".xz",), lzma.LZMAFile),
)


class Unpacked(io.RawIOBase):
    """The decompressed bytes of `file`. All bytes before a break are given before it is raised.

    Raises:
        RefusedError: (on reading) the data are cut off, damaged, or exceed the budget.

    """

    def __init__(self, file: BinaryIO, head: bytes, budget: Budget) -> None:
        super().__init__()
        self._budget = budget
        self._packer, self._reader = next(
            (name, opened(file)) for magic, name, _, opened in _PACKERS if magic.match(head)
        )

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` with what one step of decompression gives."""
        view = memoryview(buffer).cast("B")
        data = self._step(len(view))
        view[: len(data)] = data
        self._budget.spend(len(data))
        return len(data)

    def _step(self, size: int) -> bytes:
        try:
            return self._reader.read1(size)
        except EOFError as error:
            raise self._broken("is cut off: what stands before the cut was read") from error
        except (OSError, zlib.error, lzma.LZMAError) as error:
            raise_again_if_of_the_machine(error)
            raise self._broken("is damaged: what stands before the damage was read") from error

    def _broken(self, how: str) -> RefusedError:
        return RefusedError(f"the {self._packer} data {how}; fetch the file again")


def is_packed(head: bytes) -> bool:
    """Tell whether a file that begins with `head` is compressed."""
    return any(magic.match(head) for magic, *_ in _PACKERS)


def unpacked_name(name: str) -> str:
    """Return the name of the file that `name` is a compressed form of."""
    for _, _, suffixes, _ in _PACKERS:
        for suffix in suffixes:
            if name.lower().endswith(suffix):
                return name[: -len(suffix)]
    return name


def head_of(stream: Stream, size: int) -> bytes:
    """Read the first `size` bytes, or as many as there are before the end or a break."""
    head = b""
    try:
        while len(head) < size and (data := stream.read(size - len(head))):
            head += data
    except RefusedError:
        if not head:
            raise
    return head


def chunks(stream: Stream) -> Iterator[bytes]:
    """Yield the rest of `stream` piece by piece."""
    while data := stream.read(CHUNK_BYTES):
        yield data


@dataclass(frozen=True, slots=True)
class Copy:
    """A temporary file at its start, with the SHA-256 and the number of its bytes."""

    file: BinaryIO
    sha256: str
    size: int


def copy_hashed(stream: Stream, budget: Budget | None = None) -> Copy:
    """Copy `stream` to a temporary file (small ones in memory), its size taken off `budget`."""
    digest, size = hashlib.sha256(), 0
    copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
    for data in chunks(stream):
        if budget is not None:
            budget.spend(len(data))
        copy.write(data)
        digest.update(data)
        size += len(data)
    copy.seek(0)
    return Copy(cast(BinaryIO, copy), digest.hexdigest(), size)
