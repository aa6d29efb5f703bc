"""Characters put right: composed, without control characters, mojibake repaired where certain."""

import re
import unicodedata
from dataclasses import dataclass

from ftfy import fix_encoding
from ftfy.badness import is_bad

from flows.clean.records import RemovedLine

_LINE_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f\ufeff\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Repaired:
    """Text with sound characters, and the lines that were mojibake, as they stood."""

    text: str
    repairs: tuple[RemovedLine, ...]


def repair(text: str) -> Repaired:
    """Compose to NFC, drop control characters and repair lines of certain mojibake.

    Typographic marks, non-breaking spaces and everything else that is sound stays as it is.
    """
    text = _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text))
    text = unicodedata.normalize("NFC", text)
    if not is_bad(text):
        return Repaired(text, ())
    return _without_mojibake(text)


def _without_mojibake(text: str) -> Repaired:
    lines, repairs = [], []
    for line in text.split("\n"):
        fixed = fix_encoding(line) if is_bad(line) else line
        if fixed != line and not is_bad(fixed) and "\ufffd" not in fixed:
            repairs.append(RemovedLine(line, "encoding: repaired, the line was kept"))
            line = unicodedata.normalize("NFC", fixed)  # noqa: PLW2901
        lines.append(line)
    return Repaired("\n".join(lines), tuple(repairs))
