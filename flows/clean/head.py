"""What stands above the body of a plain-text article: headline, byline and date."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flows.clean.dates import ParsedDate, parse_date, written_date
from flows.clean.metadata import split_names

_HEAD_LINES = 6
_LONGEST_HEADLINE = 170
_SHORTEST_PARAGRAPH = 80
_SENTENCE_END = re.compile(r"[.!?…。]['\"”’»)\]]*$")
_FULL_STOP = re.compile(r"(?<!\.)(?<!\b[A-Z])[.。]['\"”’»)\]]*$")
_NO_HEADLINE = re.compile(r"^[-•*–·▪]\s|[,;:!]$|^[a-z]|[a-z]\. [A-Z]|#\w")
_WIDE = re.compile(r"[\u3040-\u9fff\uac00-\ud7af]")
_BYLINE = re.compile(
    r"(?:by|written by|reported by|von|par|por|door)[:\s]+(?P<names>[^\W\d].{2,80})", re.IGNORECASE
)
_NAME_WORD = re.compile(r"^(?:[^\W\d_a-z].*|and|und|et|y|&|de|van|von|der|al|bin|for|of|the)$")
_AFTER_NAMES = re.compile(
    r"\s*(?:\||,?\s+(?:for|of)\s+(?:the\s+)?(?=[A-Z])|\s[-–—]\s|,\s(?=[a-z])).*$"
)
_STAMP_WORDS = re.compile(
    r"\b(published|posted|updated|last|modified|created|on|at|am|pm|by|date|first|"
    r"mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun|day|utc|gmt|[ecmp][ds]?t|bst|ist|jst|"
    r"original|release|edt|time|local)\b",
    re.IGNORECASE,
)
_NUMERIC_STAMP = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?"
)


@dataclass(frozen=True, slots=True)
class Head:
    """What was lifted from above the body; `roles` says which lines (by number) it stood in."""

    title: str | None
    authors: tuple[str, ...]
    date: ParsedDate | None
    roles: dict[int, str]


def lift_head(lines: Sequence[str], known_title: str | None = None) -> Head:
    """Find headline, byline and date above the first paragraph of `lines`.

    With `known_title` only a line that repeats it is taken for the headline.
    """
    roles: dict[int, str] = {}
    for number, line in enumerate(lines[: _first_paragraph(lines)]):
        role = _role(line, known_title, roles)
        if role:
            roles[number] = role
    found = {role: lines[number] for number, role in reversed(roles.items())}
    return Head(
        title=found.get("headline"),
        authors=byline_names(found.get("byline", "")),
        date=_stamp(found.get("date", "")),
        roles=roles,
    )


def byline_names(line: str) -> tuple[str, ...]:
    """Names in a line that is a byline (`By Jane Doe and John Roe, Staff Writers`), else none."""
    found = _BYLINE.fullmatch(line.strip())
    if not found:
        return ()
    names = _AFTER_NAMES.sub("", found["names"])
    if _SENTENCE_END.search(names) or not all(map(_NAME_WORD.match, names.split())):
        return ()
    return split_names([names])


def _first_paragraph(lines: Sequence[str]) -> int:
    for number, line in enumerate(lines[:_HEAD_LINES]):
        is_long = len(line) >= _SHORTEST_PARAGRAPH or len(_WIDE.findall(line)) >= 40
        if is_long and _FULL_STOP.search(line) and not _stamp(line):
            return number
    return min(len(lines) - 1, 3)


def _role(line: str, known_title: str | None, roles: dict[int, str]) -> str | None:
    if known_title:
        if _same(line, known_title):
            return "headline"
    elif "headline" not in roles.values() and not roles and _is_headline(line):
        return "headline"
    if byline_names(line):
        return "byline"
    return "date" if _stamp(line) else None


def _is_headline(line: str) -> bool:
    is_wordy = len(line.split()) >= 4 or len(_WIDE.findall(line)) >= 8
    is_shaped = is_wordy and len(line) <= _LONGEST_HEADLINE and not _NO_HEADLINE.search(line)
    return is_shaped and not _FULL_STOP.search(line) and not _stamp(line) and not byline_names(line)


def _stamp(line: str) -> ParsedDate | None:
    if len(line) > 120 or not any(map(str.isdigit, line)):
        return None
    numeric = _NUMERIC_STAMP.search(line)
    parsed = parse_date(numeric.group()) if numeric else written_date(line)
    if not parsed or not parsed.is_possible():
        return None
    rest = _STAMP_WORDS.sub("", line)
    letters = sum(map(str.isalpha, rest))
    return parsed if letters <= 22 else None


def _same(line: str, title: str) -> bool:
    return re.sub(r"\W+", "", line).casefold() == re.sub(r"\W+", "", title).casefold()
