"""What a file is: by its first bytes, and by its name where these leave it open."""

import csv
import json
import mimetypes
import re
from enum import Enum
from pathlib import PurePosixPath

from flows.ingest.decode import BINARY, is_binary
from flows.ingest.refusals import RefusedError

HEAD_BYTES = 64 * 1024
SUPPORTED = (
    "supported are text, HTML, JSON, JSON Lines, CSV, Parquet, WARC and WET, also compressed "
    "(.gz, .bz2, .xz) or in zip and tar archives"
)


class Format(Enum):
    """The formats that ingest reads."""

    TEXT = "text"
    HTML = "HTML"
    JSON = "JSON"
    JSON_LINES = "JSON Lines"
    CSV = "CSV"
    PARQUET = "Parquet"
    WARC = "WARC"
    ZIP = "zip"
    TAR = "tar"


_MAGIC: tuple[tuple[int, bytes, Format], ...] = (
    (0, b"PK\x03\x04", Format.ZIP),
    (0, b"PK\x05\x06", Format.ZIP),
    (257, b"ustar", Format.TAR),
    (0, b"PAR1", Format.PARQUET),
    (0, b"WARC/", Format.WARC),
)
_FOREIGN_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (8, b"WEBP", "a WebP image"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (0, b"II*\x00", "a TIFF image"),
    (0, b"MM\x00*", "a TIFF image"),
    (4, b"ftyp", "a video or image (MP4 family)"),
    (0, b"ID3", "an MP3 recording"),
    (0, b"OggS", "an Ogg recording"),
    (0, b"RIFF", "a recording (RIFF)"),
    (0, b"\x1aE\xdf\xa3", "a video (Matroska)"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"(\xb5/\xfd", "Zstandard data"),
    (0, b"ARROW1", "an Arrow file"),
    (0, b"SQLite format 3", "an SQLite database"),
    (8, b"DUCK", "a DuckDB database"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
)
_FOREIGN_TEXT_MAGIC = ((b"%PDF", "a PDF"), (b"%!PS", "PostScript"), (b"{\\rtf", "an RTF document"))
_BY_SUFFIX = {
    ".txt": Format.TEXT,
    ".htm": Format.HTML,
    ".html": Format.HTML,
    ".xhtml": Format.HTML,
    ".json": Format.JSON,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".parquet": Format.PARQUET,
    ".warc": Format.WARC,
    ".wet": Format.WARC,
    ".zip": Format.ZIP,
    ".tar": Format.TAR,
    ".tgz": Format.TAR,
}
_NEED_MAGIC = frozenset([Format.PARQUET, Format.WARC, Format.ZIP])
_FOREIGN_TEXT = frozenset(
    [".css", ".js", ".mjs", ".svg", ".xml", ".rss", ".atom", ".py", ".sql", ".yml", ".yaml"]
)
_HTML_START = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*|<!--.{0,4000}?-->\s*)*"
    rb"<(?:!doctype\s+html|html|head|body|meta|title|article)\b",
    re.I | re.S,
)
_XML_START = re.compile(rb"^(?:\xef\xbb\xbf)?\s*<(?:\?xml|rss|feed)\b", re.I)
_JSON_START = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(?:\{\s*[\"}]|\[\s*[{\]])")


def recognize(head: bytes, name: str) -> Format:
    """Tell the format of a file named `name` that begins with `head`.

    Raises:
        RefusedError: it is empty, binary, or of a format that is not supported.

    """
    if not head.strip():
        raise RefusedError("is empty: fetch it again or remove it")
    for offset, magic, form in _MAGIC:
        if head.startswith(magic, offset):
            return form
    suffix = PurePosixPath(name).suffix.lower()
    _refuse_foreign(head)
    return _by_text(head, suffix)


def _refuse_foreign(head: bytes) -> None:
    foreign = [what for magic, what in _FOREIGN_TEXT_MAGIC if head.startswith(magic)]
    if is_binary(head):
        foreign += [what for at, magic, what in _FOREIGN_MAGIC if head.startswith(magic, at)]
    if foreign:
        raise RefusedError(f"is {foreign[0]}, which is not supported: {SUPPORTED}", head)


def _refuse_foreign_suffix(suffix: str) -> None:
    medium = (mimetypes.types_map.get(suffix) or "").split("/")[0]
    if suffix in _FOREIGN_TEXT or medium in {"image", "audio", "video", "font"}:
        raise RefusedError(f"is a {suffix} file, which is not supported: {SUPPORTED}")


def _by_text(head: bytes, suffix: str) -> Format:
    named = _BY_SUFFIX.get(suffix)
    if named in _NEED_MAGIC:
        raise RefusedError(f"does not begin as a {suffix} file must: damaged or misnamed", head)
    if named is Format.TAR:
        return Format.TAR
    if is_binary(head):
        raise RefusedError(BINARY, head)
    known_by_start = _by_start(head, named)
    if known_by_start is None:
        _refuse_foreign_suffix(suffix)
    return known_by_start or named or _unnamed(head)


def _by_start(head: bytes, named: Format | None) -> Format | None:
    if _HTML_START.match(head):
        return Format.HTML
    if _XML_START.match(head) and named is not Format.HTML:
        raise RefusedError(f"is XML, which is not supported: {SUPPORTED}", head)
    if _JSON_START.match(head) and named is not Format.CSV:
        in_lines = named is Format.JSON_LINES or _has_record_in_first_line(head)
        return Format.JSON_LINES if in_lines else Format.JSON
    return None


def _unnamed(head: bytes) -> Format:
    first = head.split(b"\n", 1)[0].decode("utf-8", "replace")
    return Format.CSV if _is_header(first) else Format.TEXT


def _has_record_in_first_line(head: bytes) -> bool:
    line, newline, _ = head.lstrip(b"\xef\xbb\xbf\r\n\t ").partition(b"\n")
    try:
        return bool(newline) and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_header(line: str) -> bool:
    for delimiter in ",;\t|":
        cells = {cell.strip().casefold() for cell in next(csv.reader([line], delimiter=delimiter))}
        if len(cells) > 1 and cells & {"text", "html"}:
            return True
    return False
