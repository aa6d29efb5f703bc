"""Members of zip and tar archives, copied to temporary files; their names are never paths here."""

import io
import lzma
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO, Self

from flows.ingest.limits import MAX_ARCHIVE_DEPTH, Budget
from flows.ingest.origins import Entry, Origin, valid_unicode
from flows.ingest.refusals import RefusedError, raise_again_if_of_the_machine
from flows.ingest.streams import CHUNK_BYTES, Copy, chunks, copy_hashed
from schemas.records import Reject

_ENCRYPTED_FLAG = 0x1
_OFFICE_MEMBERS = frozenset(["[Content_Types].xml", "mimetype"])
_EXTENSION_TYPES = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_MAX_EXTENSION_BYTES = 2**20
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
)


def zip_members(entry: Entry) -> Iterator[Entry | Reject]:
    """Open the members of a zip archive, one after another; each is closed when the next is due.

    Raises:
        RefusedError: the archive is damaged, too deeply nested, or an Office document.

    """
    members = _Members(entry)
    try:
        archive = zipfile.ZipFile(entry.file)
    except _ZIP_ERRORS as error:
        raise_again_if_of_the_machine(error)
        raise RefusedError(f"is a damaged zip archive ({error}): fetch it again") from error
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if _OFFICE_MEMBERS & {info.filename for info in infos[:2]}:
        raise RefusedError("is an Office document or e-book: save it as text or HTML")
    for info in infos:
        yield from members.take(info.filename, partial(_copy_zipped, archive, info, entry.budget))


def tar_members(entry: Entry, stream: BinaryIO) -> Iterator[Entry | Reject]:
    """Open the members of a tar archive whose unpacked bytes are `stream`, as `zip_members` does.

    Raises:
        RefusedError: the archive is damaged, cut off, or too deeply nested.

    """
    members = _Members(entry)
    blocks = io.BufferedReader(stream, CHUNK_BYTES) if isinstance(stream, io.RawIOBase) else stream
    try:
        with tarfile.open(
            fileobj=blocks, mode="r|", bufsize=tarfile.BLOCKSIZE, tarinfo=_BoundedHeader
        ) as archive:
            for info in archive:
                if not info.isdir():
                    yield from members.take(info.name, partial(_copy_tarred, archive, info))
        if any(data.strip(b"\0") for data in chunks(blocks)):
            raise tarfile.ReadError("no member begins where one should")
    except (tarfile.TarError, OSError, ValueError) as error:
        raise_again_if_of_the_machine(error)
        raise RefusedError(
            f"is a damaged tar archive ({error}): what stands before was read; fetch it again"
        ) from error


class _BoundedHeader(tarfile.TarInfo):
    """A tar header whose extension, which is read into memory, is of a sane size."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header block.

        Raises:
            RefusedError: its extension is larger than any name or attribute.

        """
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENSION_TYPES and header.size > _MAX_EXTENSION_BYTES:
            raise RefusedError("is a tar archive with an absurdly large header: it is not read on")
        return header


class _Members:
    """Turns the members of one archive into entries, each under a name of its own."""

    def __init__(self, archive: Entry) -> None:
        if archive.depth >= MAX_ARCHIVE_DEPTH:
            raise RefusedError("is an archive inside an archive inside an archive: unpack it once")
        self._archive = archive
        self._names: Counter[str] = Counter()

    def take(self, name: str, copy: Callable[[], Copy]) -> Iterator[Entry | Reject]:
        """Yield the member `name`, or why it is refused; hidden members are left out."""
        path = PurePosixPath(name.replace("\\", "/"))
        if any(part.startswith(".") and part != ".." for part in path.parts) or _is_resource(path):
            return
        origin = self._origin(name)
        try:
            _check_name(path)
            copied = copy()
        except RefusedError as refused:
            yield origin.reject(refused)
            return
        with copied.file as file:
            yield Entry(
                origin=replace(origin, sha256=copied.sha256, size=copied.size),
                name=path.name,
                file=file,
                budget=self._archive.budget,
                depth=self._archive.depth + 1,
            )

    def _origin(self, name: str) -> Origin:
        self._names[name] += 1
        unique = name if self._names[name] == 1 else f"{name} ({self._names[name]})"
        outer = self._archive.origin
        member = f"{outer.raw_member}/{unique}" if outer.raw_member else unique
        return Origin(outer.raw_file, valid_unicode(member), "", 0)


def _check_name(path: PurePosixPath) -> None:
    if path.is_absolute() or ".." in path.parts or ":" in path.as_posix().split("/")[0]:
        raise RefusedError("has a name that leads out of the archive: rename it and pack anew")


def _is_resource(path: PurePosixPath) -> bool:
    return path.parts[:1] == ("__MACOSX",)


def _copy_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> Copy:
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise RefusedError("is encrypted: unpack it with its password and give the files")
    try:
        with archive.open(info) as stream:
            return copy_hashed(stream, budget)
    except _ZIP_ERRORS as error:
        raise_again_if_of_the_machine(error)
        raise RefusedError(f"is damaged inside the zip ({error}): fetch it again") from error


def _copy_tarred(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Copy:
    stream = archive.extractfile(info) if info.isreg() and not info.issparse() else None
    if stream is None:
        raise RefusedError("is a link, a device or a sparse file: pack the file itself")
    return copy_hashed(stream)
