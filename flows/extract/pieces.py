"""What the encoder reads: an article as word pieces with their shape, and the windows over them."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

Ints = NDArray[np.int64]

LONGEST_LINE = 20_000
"""Characters tokenized at once; longer lines are cut at a space, to bound memory."""
N_SHAPES = 16
"""Shapes of a piece: letter case (4) x inside quotation marks (2) x first of its paragraph (2)."""

_MARK = re.compile(r"''|[\"“”„«»‘’']")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SENTENCE_END = frozenset(".!?")


@dataclass(frozen=True)
class Pieces:
    """An article in word pieces and in units (a unit is a whole word or a punctuation mark).

    `ids`, `shapes`: vocabulary id and shape of each piece. `first`: piece index at which each unit
    begins. `starts`, `ends`: character offsets of each unit. `paragraph`, `sentence`: running
    number of the paragraph and sentence of each unit. `quoted`: unit is inside quotation marks.
    """

    ids: Ints
    shapes: Ints
    first: Ints
    starts: Ints
    ends: Ints
    paragraph: Ints
    sentence: Ints
    quoted: Ints

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Window:
    """Pieces read at once: those owned, `[start, end)`, amid their context `[left, right)`."""

    left: int
    start: int
    end: int
    right: int


def _closes_single(line: str, at: int) -> bool:
    """An apostrophe-like mark at `at` can end a quotation: after text, not before a letter."""
    return at > 0 and not line[at - 1].isspace() and not line[at + 1 : at + 2].isalnum()


def _opens_single(line: str, at: int) -> bool:
    """An apostrophe-like mark at `at` opens a quotation that is closed on the same line."""
    if (at and line[at - 1].isalnum()) or not line[at + 1 : at + 2].isalnum():
        return False
    closers = (m.start() for m in re.finditer("['’]", line[: at + 2_000]) if m.start() > at + 1)
    return any(_closes_single(line, c) and not line[c - 1].isdigit() for c in closers)


def _opens(line: str, mark: str, at: int) -> bool:
    """Tell whether a mark met outside quotation marks opens a quotation."""
    if mark in {"‘", "'"}:
        return _opens_single(line, at)
    return mark != "’" and (mark not in {"”", "»"} or line[at + 1 : at + 2].isalnum())


def _closes(line: str, mark: str, at: int, opened: str) -> bool:
    """Tell whether a mark met inside a quotation opened by `opened` closes it."""
    if opened in {"‘", "'"}:
        return mark in {"’", "'"} and _closes_single(line, at)
    return mark not in {"‘", "’", "'", "„"} and (mark != "“" or opened == "„")


def quoted_characters(line: str) -> NDArray[np.bool_]:
    """Mark the characters of one paragraph that stand inside quotation marks of any kind.

    Straight, curly, low, angle, doubled ('') and single marks count; an unbalanced opening mark
    holds to the end of the paragraph, as in quotations that run over several paragraphs.
    """
    inside = np.zeros(len(line), dtype=np.bool_)
    opened, since = "", 0
    for match in _MARK.finditer(line):
        mark, at = match.group(), match.start()
        if not opened and _opens(line, mark, at):
            opened, since = mark, match.end()
        elif opened and _closes(line, mark, at, opened):
            inside[since:at] = True
            opened = ""
    if opened and opened not in {"‘", "'"}:
        inside[since:] = True
    return inside


def _lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield (offset, stretch of text, whether a paragraph begins there)."""
    for match in re.finditer(r"[^\n\r]+", text):
        begin, stop = match.span()
        at = begin
        while at < stop:
            end = min(at + LONGEST_LINE, stop)
            if end < stop:
                space = text.rfind(" ", at + LONGEST_LINE // 2, end)
                end = space if space > 0 else end
            yield at, text[at:end], at == begin
            at = end


def _letter_case(word: str) -> int:
    """0 no letter, 1 lower case, 2 capitalized, 3 capitals only."""
    if not word[0].isalpha():
        return 0
    if not word[0].isupper():
        return 1
    return 3 if len(word) > 1 and word.isupper() else 2


def _with_combining(text: str, end: int) -> int:
    """Move `end` past combining characters, which the tokenizer's offsets leave out."""
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return end


def encode(text: str, tokenizer: Tokenizer) -> Pieces:
    """Cut a text into pieces and units; an empty or blank text gives empty arrays."""
    ids: list[int] = []
    shapes: list[int] = []
    units: list[tuple[int, int, int, int, int, int]] = []
    paragraph = sentence = -1
    ended = True
    for offset, line, new_paragraph in _lines(text):
        readable = _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", line)
        encoding = tokenizer.encode(readable, add_special_tokens=False)
        inside = quoted_characters(line)
        is_first = new_paragraph
        ended = ended or new_paragraph
        for piece, token, (begin, end) in zip(
            encoding.ids, encoding.tokens, encoding.offsets, strict=True
        ):
            last = _with_combining(line, end)
            if token.startswith("##") and units and not is_first:
                shapes.append(shapes[-1] & ~1)
                units[-1] = (*units[-1][:2], offset + last, *units[-1][3:])
            else:
                paragraph += is_first
                sentence += ended
                shapes.append(4 * _letter_case(line[begin:end]) + 2 * int(inside[begin]) + is_first)
                units.append(
                    (
                        len(ids),
                        offset + begin,
                        offset + last,
                        paragraph,
                        sentence,
                        int(inside[begin]),
                    )
                )
                ended = line[begin:end] in _SENTENCE_END
                is_first = False
            ids.append(piece)
    table = np.array(units, dtype=np.int64).reshape(-1, 6).T
    return Pieces(np.array(ids, dtype=np.int64), np.array(shapes, dtype=np.int64), *table)


def _cut(pieces: Pieces, start: int, target: float, limit: int) -> int:
    """Choose where a window that starts at `start` ends: a paragraph, else a sentence, else a word.

    The end nearest to `start + target` in `(start + target / 2, start + limit]` is taken.
    """
    span = slice(*np.searchsorted(pieces.first, [start + int(target / 2) + 1, start + limit + 1]))
    ends = pieces.first[span]
    for kind in (pieces.paragraph, pieces.sentence):
        before = np.arange(span.start, span.stop) - 1
        fresh = ends[kind[span] != kind[before]]
        if len(fresh):
            return int(fresh[np.abs(fresh - start - target).argmin()])
    return int(ends[-1]) if len(ends) else start + limit


def plan_windows(pieces: Pieces, capacity: int, left: int, right: int) -> list[Window]:
    """Divide an article into windows of at most `capacity` owned pieces plus context.

    `left` and `right` are the most pieces of context before and after the owned ones. Windows are
    about equally long and start at paragraphs where they can.
    """
    windows = []
    start, total = 0, len(pieces)
    while start < total:
        rest = total - start
        end = total
        if rest > capacity:
            end = _cut(pieces, start, rest / -(-rest // capacity), capacity)
        windows.append(Window(max(0, start - left), start, end, min(total, end + right)))
        start = end
    return windows
