"""The noun phrase of a source taken apart: its determiner, head, names and appositions."""

import re
from dataclasses import dataclass

from flows.extract.lexicon import word_list
from flows.extract.names import Name, find_names, tokens
from flows.extract.records import Span

DEFINITE = frozenset(
    ["the", "this", "that", "these", "those", "his", "her", "its", "their", "our", "my", "your"]
)
INDEFINITE = frozenset(
    [
        "a",
        "an",
        "some",
        "many",
        "several",
        "few",
        "most",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "no",
        "any",
        "another",
        "other",
        "others",
        "numerous",
        "multiple",
        "both",
        "all",
        "each",
        "every",
    ]
)
PREPOSITIONS = frozenset(
    [
        "of",
        "for",
        "from",
        "to",
        "in",
        "at",
        "by",
        "with",
        "on",
        "against",
        "about",
        "among",
        "under",
        "after",
        "before",
        "over",
        "during",
        "between",
        "into",
        "within",
        "near",
        "inside",
        "outside",
    ]
)
_RELATIVE = re.compile(r"\b(?:who|whom|whose|which|that|where)\b")
_CUT = re.compile(r",|\s[–—-]\s|\(|\b(?:who|whom|whose|which|that|where)\b")
_EDGES = ' \t\r\n,;:."“”„«»‘—–-()'


@dataclass(frozen=True, slots=True)
class Phrase:
    """One noun phrase: `span` is its core, up to the first comma or relative clause."""

    text: str
    span: Span
    words: tuple[str, ...]
    starts: tuple[int, ...]
    names: tuple[Name, ...]

    @property
    def lower(self) -> tuple[str, ...]:
        """The words in lower case."""
        return tuple(word.lower() for word in self.words)

    @property
    def determiner(self) -> str:
        """The first word in lower case where it is an article, pronoun or number, else empty."""
        first = self.lower[0] if self.words else ""
        return first if first in DEFINITE | INDEFINITE or first.isdigit() else ""

    @property
    def head(self) -> str:
        """The noun that the phrase is about: the last word before a preposition, lower case."""
        core = self.lower
        for at, word in enumerate(core):
            if at and word in PREPOSITIONS:
                core = core[:at]
                break
        return core[-1] if core else ""

    def head_name(self) -> Name | None:
        """The name that the phrase itself bears: no modifier, no owner, after no preposition."""
        for name in reversed(self.names):
            at = next((i for i, s in enumerate(self.starts) if s >= name.outer_start), 0)
            before = set(self.lower[:at])
            if name.possessive or before & (PREPOSITIONS - {"in", "on"}):
                continue
            rest = [w for w, s in zip(self.words, self.starts, strict=True) if s >= name.end]
            if not rest or rest[0].lower() in PREPOSITIONS or rest[0][0].isdigit():
                return name
        return None


def trimmed(text: str, span: Span) -> Span:
    """The span without spaces and punctuation at its edges."""
    start, end = span
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    return start, end


def phrase(text: str, span: Span) -> Phrase:
    """Take a stretch of text as one noun phrase."""
    start, end = trimmed(text, span)
    cut = _CUT.search(text, min(start + 3, end), end)
    if cut:
        end = trimmed(text, (start, cut.start()))[1]
    words = list(tokens(text, start, end))
    return Phrase(
        text=text[start:end],
        span=(start, end),
        words=tuple(token.text for token in words),
        starts=tuple(token.start for token in words),
        names=tuple(find_names(text, start, end)),
    )


def appositions(text: str, span: Span) -> list[Phrase]:
    """The phrases that follow the core, between commas or dashes: `her aide, Huma Abedin,`."""
    start, end = trimmed(text, span)
    found = []
    for cut in re.finditer(r"(?:,|\s[–—-])\s+([^,–—(]+)", text[start:end]):
        piece = phrase(text, (start + cut.start(1), start + cut.end(1)))
        if piece.words:
            found.append(piece)
    return found


def coordinated(text: str, span: Span) -> list[Span]:
    """The parts of `A and B` or `A, B and C` at whose head there is a name each, else one part."""
    start, end = trimmed(text, span)
    cut = _RELATIVE.search(text, start, end)
    stretch = text[start : cut.start() if cut and cut.start() > start else end]
    marks = list(re.finditer(r"\s+(?:and|or|&|as well as)\s+|,\s+(?:and\s+)?", stretch))
    if not any("and" in m.group() or "or" in m.group() or "&" in m.group() for m in marks):
        return [span]
    parts, at = [], 0
    for mark in [*marks, None]:
        stop = mark.start() if mark else len(stretch)
        parts.append((start + at, start + stop))
        at = mark.end() if mark else stop
    return parts


def description(text: str) -> str:
    """A description as a name: without determiner, quantity and what a relative clause adds."""
    words = text.split()
    drop = DEFINITE | INDEFINITE - {"many", "most", "few", "no", "other", "others"}
    while len(words) > 1 and (words[0].lower() in drop or words[0] in {"in", "among", "of"}):
        words = words[1:]
    return " ".join(words).strip(_EDGES)


def is_group_word(word: str) -> bool:
    """Whether a word names a collective: `Republicans`, `campaign`."""
    return word.lower() in word_list("groups")
