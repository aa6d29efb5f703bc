"""A text dump as paragraphs: hard-wrapped lines joined, no paragraph ever split."""

import re
from collections.abc import Sequence

_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_WRAP_WIDTHS = range(45, 101)
_MOST_ENDS_INSIDE = 0.6
_SENTENCE_END = re.compile(r"[.!?:…]['\"”’»)\]]*$")
_BULLET = re.compile(r"^\s*(?:[-•*–·▪]|\d+[.)])\s")


def split_paragraphs(text: str) -> list[str]:
    """Paragraphs of `text`, stripped, without empty ones: its lines, unless these are wrapped.

    In a text whose blocks (between empty lines) run over lines of about one width that end
    inside sentences, each block is one paragraph.
    """
    blocks = [_stripped_lines(block) for block in _EMPTY_LINE.split(text)]
    if _is_wrapped(blocks):
        return [paragraph for block in blocks for paragraph in _unwrapped(block)]
    return [line for block in blocks for line in block]


def _stripped_lines(block: str) -> list[str]:
    return [line.strip() for line in block.split("\n") if line.strip()]


def _is_wrapped(blocks: Sequence[Sequence[str]]) -> bool:
    inner = [line for block in blocks for line in block[:-1]]
    if len(inner) < 4 or max(map(len, inner)) not in _WRAP_WIDTHS:
        return False
    width = max(map(len, inner))
    full = sum(len(line) >= 0.75 * width for line in inner) / len(inner)
    open_ended = sum(not _SENTENCE_END.search(line) for line in inner) / len(inner)
    return full >= 0.8 and open_ended >= _MOST_ENDS_INSIDE


def _unwrapped(block: Sequence[str]) -> list[str]:
    paragraphs: list[str] = []
    for line in block:
        if paragraphs and not _BULLET.match(line):
            paragraphs[-1] = f"{paragraphs[-1]} {line}"
        else:
            paragraphs.append(line)
    return paragraphs
