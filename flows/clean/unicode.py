"""Characters put right: composed, without control characters, mojibake repaired where certain."""

import re
import unicodedata
from dataclasses import dataclass

from ftfy import fix_encoding
from ftfy.badness import is_bad

from flows.clean.records import RemovedLine

_LINE_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f\ufeff\ufffe\uffff\ud800-\udfff]")
_PERHAPS_MOJIBAKE = re.compile(
    "[\u00c2-\u00f4\u0102-\u0111\u0402-\u045f][\u0080-\u00bf\u0152-\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)


@dataclass(frozen=True, slots=True)
class Repaired:
    """Text with sound characters, and the lines that were mojibake, as they stood."""

    text: str
    repairs: tuple[RemovedLine, ...]


def repair(text: str) -> Repaired:
    """Compose to NFC, drop control characters and repair lines of certain mojibake.

    Typographic marks, non-breaking spaces and everything else that is sound stays as it is.
    """
    text = unicodedata.normalize("NFC", _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text)))
    if not _PERHAPS_MOJIBAKE.search(text):
        return Repaired(text, ())
    return _without_mojibake(text)


def encodable(html: str) -> str:
    """A page without the few characters that no parser takes: NUL and lone surrogates."""
    html = html.replace("\0", "")
    try:
        html.encode()
    except UnicodeEncodeError:
        html = html.encode("utf-8", "replace").decode()
    return html


def _without_mojibake(text: str) -> Repaired:
    lines, repairs = [], []
    for line in text.split("\n"):
        fixed = _fixed(line)
        if fixed != line:
            repairs.append(RemovedLine(line, "encoding: repaired, the line was kept"))
        lines.append(fixed)
    return Repaired("\n".join(lines), tuple(repairs))


def _fixed(line: str) -> str:
    """The line as it was before it was decoded wrongly, where that is beyond doubt."""
    if not (_PERHAPS_MOJIBAKE.search(line) and is_bad(line)):
        return line
    fixed = unicodedata.normalize("NFC", fix_encoding(line))
    return line if is_bad(fixed) or "\ufffd" in fixed else fixed
