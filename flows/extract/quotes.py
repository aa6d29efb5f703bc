"""Quotation marks of all kinds, and whether a statement is direct, indirect or mixed."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from flows.extract.records import Kind, Span

DIRECT_SHARE = 0.9
"""Share of words inside quotation marks from which a statement counts as direct."""

_WORD = re.compile(r"\w+(?:[-'’.]\w+)*")
_MARK = re.compile(r"''|[\"“”„«»]|(?<!\w)[‘'](?=\w)|(?<=[.,!?;…])['’](?!\w)|(?<=\w)['’](?!\w)")
_SINGLE_OPEN = frozenset({"‘", "'"})
_SINGLE_CLOSE: frozenset[str] = frozenset({"’", "'"})
_CLOSED_BY: dict[str, frozenset[str]] = {
    "“": frozenset({"”", "“", '"', "''"}),
    "”": frozenset({"”", "“", '"', "''"}),
    '"': frozenset({'"', "”", "''"}),
    "''": frozenset({"''", '"', "”"}),
    "„": frozenset({"“", "”", '"'}),
    "«": frozenset({"»"}),
    "»": frozenset({"«"}),
}
_LONGEST_SINGLE = 1000


def quotations(text: str) -> list[Span]:
    """Return what stands inside quotation marks, marks excluded, in order and disjoint.

    Straight, curly, low, angle, doubled ('') and single marks count. A mark that is never closed
    holds to the end of its paragraph, as in quotations that run over several paragraphs; a single
    mark that is never closed is an apostrophe.
    """
    found: list[Span] = []
    for paragraph in re.finditer(r"[^\n\r]+", text):
        found.extend(_within(paragraph.group(), paragraph.start()))
    return found


def _within(line: str, offset: int) -> list[Span]:
    marks = [(m.start(), m.end(), m.group()) for m in _MARK.finditer(line)]
    closers = [at for at, _, mark in marks if mark in _SINGLE_CLOSE and at and line[at - 1] != " "]
    found: list[Span] = []
    opened, since = "", 0
    for at, end, mark in marks:
        if opened and mark in _closing(opened):
            found.append((offset + since, offset + at))
            opened = ""
        elif not opened and _opens(mark, at, line, closers):
            opened, since = mark, end
    if opened and opened not in _SINGLE_OPEN and line[since:].strip():
        found.append((offset + since, offset + len(line)))
    return found


def _opens(mark: str, at: int, line: str, closers: list[int]) -> bool:
    """Whether a mark begins a quotation; a single one only where another can close it."""
    if mark not in _SINGLE_OPEN:
        return mark in _CLOSED_BY
    if at and line[at - 1].isalnum():
        return False
    closer = bisect_right(closers, at + 1)
    return closer < len(closers) and closers[closer] - at < _LONGEST_SINGLE


def _closing(opened: str) -> frozenset[str]:
    return _SINGLE_CLOSE if opened in _SINGLE_OPEN else _CLOSED_BY[opened]


class Quotations:
    """The quotations of one text, to ask how much of a stretch is quoted."""

    def __init__(self, text: str) -> None:
        self.spans = quotations(text)
        self._text = text
        edges = [0] * (len(text) + 1)
        for start, end in self.spans:
            edges[start] += 1
            edges[end] -= 1
        self._inside = bytes(accumulate(edges))

    def contains(self, at: int) -> bool:
        """Whether the character at `at` stands inside quotation marks."""
        return bool(self._inside[at])

    def kind(self, content: Iterable[Span]) -> Kind:
        """Direct where at least nine tenths of the words are quoted, indirect where none is."""
        words = [
            self.contains(match.start())
            for start, end in content
            for match in _WORD.finditer(self._text, start, end)
        ]
        if not any(words):
            return "indirect"
        return "direct" if sum(words) >= DIRECT_SHARE * len(words) else "mixed"
