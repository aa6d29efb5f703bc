"""Bytes to text: byte order mark, UTF-8, declared encoding, else a measured guess."""

import codecs
import re

from charset_normalizer import CharsetMatch, from_bytes

from flows.ingest.refusals import RefusedError

UNDECODABLE = (
    "its text encoding cannot be told (not UTF-8, nor what it declares, nor a common legacy "
    "encoding): save it as UTF-8"
)
BINARY = (
    "is binary data, not text: give articles as text (UTF-8 is best), HTML or another supported "
    "format"
)

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
]
_CENTRAL_EUROPEAN = frozenset(
    ["Croatian", "Czech", "Hungarian", "Polish", "Romanian", "Slovak", "Slovene"]
)
_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.I)
_TEXT_CONTROLS = b"\t\n\r\f\x08\x1a\x1b"
_CONTROLS = bytes(code for code in range(32) if code not in _TEXT_CONTROLS) + b"\x7f"
_SAMPLE_BYTES = 64 * 1024
_DECLARATION_BYTES = 4096


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode a whole document. `declared` is the encoding that its envelope (HTTP) names.

    Raises:
        RefusedError: the bytes are no text, or in no encoding that can be told.

    """
    text = _decode_marked(data)
    if text is None and is_binary(data):
        raise RefusedError(BINARY, data)
    return text if text is not None else _decode_unmarked(data, declared)


def text_encoding(sample: bytes) -> str:
    """Name the encoding of a file by its start; `ascii` leaves open what the rest is.

    Raises:
        RefusedError: none can be told.

    """
    marked = marked_encoding(sample)
    if marked is not None:
        return marked
    if sample.isascii():
        return "ascii"
    if _is_utf8(sample):
        return "utf-8"
    return _guess(sample)


def marked_encoding(sample: bytes) -> str | None:
    """Name the Unicode encoding that a byte order mark tells, or that zero bytes show as UTF-16."""
    marked = next((encoding for mark, encoding in _MARKS if sample.startswith(mark)), None)
    if marked is not None or len(sample) < 8:
        return marked
    even, odd = (sample[start::2].count(0) / (len(sample) // 2) for start in (0, 1))
    if max(even, odd) > 0.5 and min(even, odd) < 0.01:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def is_binary(data: bytes) -> bool:
    """Tell whether `data` has no byte order mark and more control characters than any text."""
    if marked_encoding(data) is not None:
        return False
    sample = data[:_SAMPLE_BYTES]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls > len(sample) * 0.005


def _decode_marked(data: bytes) -> str | None:
    encoding = marked_encoding(data)
    return None if encoding is None else data.decode(encoding, "replace")


def _decode_unmarked(data: bytes, declared: str | None) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        if _is_damaged_utf8(data):
            return data.decode("utf-8", "replace")
    for encoding in (declared, _declared_in_html(data)):
        text = _try(data, encoding)
        if text is not None:
            return text
    return data.decode(_guess(data), "replace")


def _declared_in_html(data: bytes) -> str | None:
    match = _META_CHARSET.search(data[:_DECLARATION_BYTES])
    return match.group(1).decode("ascii") if match else None


def _try(data: bytes, encoding: str | None) -> str | None:
    if encoding is None:
        return None
    web_name = "cp1252" if encoding.lower() in {"iso-8859-1", "latin1", "ascii"} else encoding
    try:
        return data.decode(web_name)
    except (UnicodeDecodeError, LookupError):
        return None


def _is_utf8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return _is_damaged_utf8(sample)
    return True


def _is_damaged_utf8(data: bytes) -> bool:
    """Legacy text holds next to no valid multi-byte sequences; cut UTF-8 holds mostly these."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    sound = sum(char > "\x7f" for char in text) - broken
    return sound >= 10 * broken


def _guess(data: bytes) -> str:
    best = from_bytes(_telling_lines(data), cp_isolation=_LEGACY).best()
    if best is None:
        raise RefusedError(UNDECODABLE, data)
    return _western_unless_central_european(best)


def _telling_lines(data: bytes) -> bytes:
    """Lines that are not plain ASCII, up to 64 KB: only these tell encodings apart."""
    lines, size = [], 0
    for line in data.split(b"\n"):
        if not line.isascii():
            lines.append(line[:_SAMPLE_BYTES])
            size += len(lines[-1])
        if size >= _SAMPLE_BYTES:
            break
    return b"\n".join(lines)


def _western_unless_central_european(best: CharsetMatch) -> str:
    """Decide between cp1250 and cp1252, which the library ranks alike, by the language."""
    if best.encoding in {"cp1250", "cp1252"}:
        return "cp1250" if best.language in _CENTRAL_EUROPEAN else "cp1252"
    return best.encoding
