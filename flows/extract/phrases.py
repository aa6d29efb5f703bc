"""The noun phrase of a source taken apart: its determiner, head, names and appositions."""

import re
from dataclasses import dataclass

from flows.extract.lexicon import word_class, word_list
from flows.extract.names import Name, find_names, tokens
from flows.extract.records import Span

_RELATIVE = re.compile(r"\b(?:who|whom|whose|which|that|where)\b")
_CUT = re.compile(
    r",(?!\d)|\s(?:[–—―-]|--)\s|\((?![^()]{1,12}\)\s\w)|\b(?:who|whom|whose|which|that|where)\b"
)
_PIECE = re.compile(r"(?:,|\s(?:[–—―-]|--))\s+([^,–—(]+)")
_JOINT = re.compile(r",?\s+(?:and|or|as well as)\s+|,\s+(?:and\s+)?")
_JOINING = re.compile(r"\w")
_EXAMPLES = frozenset(
    ["including", "like", "such", "particularly", "especially", "namely", "among"]
)
_EDGES = ' \t\r\n,;:."“”„«»‘–—-()'
_POSSESSIVE = re.compile(r"['’]s?$")
_SHORT = re.compile(r"(?:\.[A-Za-z]|\b(?:Jr|Sr|Corp|Inc|Co|Ltd))$")
_LONG = 7
_ADDING = frozenset(["from", "in", "with", "at", "by", "on", "as", "for", "to"])


@dataclass(frozen=True, slots=True)
class Phrase:
    """One noun phrase: `span` is its core, up to the first comma or relative clause.

    `starts` are the words' offsets; `names` the proper names among them.
    """

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
        known = word_class("definite") | word_class("indefinite")
        return first if first in known or first.isdigit() else ""

    @property
    def core(self) -> tuple[str, ...]:
        """The words before the first preposition or participle, in lower case."""
        for at, word in enumerate(self.lower):
            if at and (word in word_class("prepositions") or self._is_participle(at)):
                return self.lower[:at]
        return self.lower

    @property
    def head(self) -> str:
        """The noun that the phrase is about, in lower case."""
        core = self.core
        return re.sub(r"['’]s?$", "", core[-1]) if core else ""

    def _is_participle(self, at: int) -> bool:
        """Whether the word begins a reduced clause: `documents seen by`, `a poll out Monday`."""
        word = self.lower[at]
        if word == "out" or (word in _PARTICIPLES and at > 1):
            return True
        if not word.endswith(("ed", "ing")) or at < 2 - (not self.determiner):
            return False
        if at + 1 == len(self.words):
            return word.endswith("ed")
        following = self.lower[at + 1]
        return following in word_list("function_words") or following in word_class("prepositions")

    def head_name(self) -> Name | None:
        """The name that the phrase itself bears: no modifier, no owner, after no preposition."""
        for name in reversed(self.names):
            before = {
                w for w, s in zip(self.lower, self.starts, strict=True) if s < name.outer_start
            }
            if name.possessive or before & word_class("prepositions"):
                continue
            rest = [w for w, s in zip(self.lower, self.starts, strict=True) if s >= name.end]
            if not rest or rest[0] in word_class("prepositions") or rest[0][0].isdigit():
                return name
        return None


_PARTICIPLES = frozenset(
    "seen taken made known given written held sent shown drawn done led".split(" ")
)


def trimmed(text: str, span: Span) -> Span:
    """The span without spaces and punctuation at its edges, nor "himself" or `'s` at its end."""
    start, end = span
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    if text[end : end + 1] == "." and _SHORT.search(text, max(start, end - 8), end):
        end += 1
    last = text[start:end].rpartition(" ")
    if last[0] and last[2].lower() in word_class("reflexives"):
        return trimmed(text, (start, end - len(last[2])))
    possessive = _POSSESSIVE.search(text, max(start + 1, end - 2), end)
    return start, possessive.start() if possessive else end


def phrase(text: str, span: Span) -> Phrase:
    """Take a stretch of text as one noun phrase, without adverbs such as "only" before it."""
    start, end = trimmed(text, span)
    cut = _CUT.search(text, min(start + 3, end), end)
    if cut:
        end = trimmed(text, (start, cut.start()))[1]
    words = list(tokens(text, start, end))
    while len(words) > 1 and words[0].lower in word_class("lead_adverbs"):
        words = words[1:]
    start = words[0].start if words else start
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
    pieces = [phrase(text, cut.span(1)) for cut in _PIECE.finditer(text, start, end)]
    pieces = [piece for piece in pieces if piece.words]
    return [] if pieces and pieces[0].lower[0] in _EXAMPLES else pieces


def coordinated(text: str, span: Span) -> list[Span]:
    """The parts of `A and B` or `A, B and C`; one part where nothing is joined."""
    start, end = trimmed(text, span)
    cut = _RELATIVE.search(text, start + 3, end)
    stop = cut.start() if cut else end
    marks = list(_JOINT.finditer(text, start, stop))
    if not any(_JOINING.search(mark.group()) for mark in marks):
        return [span]
    names = [name for name in find_names(text, start, stop) if "and" in name.words]
    marks = [m for m in marks if not any(name.start < m.start() < name.end for name in names)]
    if not any(_JOINING.search(mark.group()) for mark in marks):
        return [span]
    edges = [start, *(edge for mark in marks for edge in mark.span()), stop]
    parts = zip(edges[::2], edges[1::2], strict=True)
    return [(a, b) for a, b in parts if text[a:b].strip()]


def described(piece: Phrase, text: str) -> str:
    """A description as a name: without article, and without what a long one adds to its noun."""
    at = 0
    articles = word_class("definite") | {"a", "an", "both", "these", "those"}
    bare = len(piece.words) > 1 and piece.lower[1] not in word_class("prepositions") | {"who"}
    if bare and piece.lower[0] in articles and piece.lower[0] not in {"those"}:
        at = 1
    end = at + _kept_length(piece.lower[at:])
    stop = piece.starts[end - 1] + len(piece.words[end - 1])
    stop += text[stop : stop + 1] == "%"
    return " ".join(text[piece.starts[at] : stop].split())


def _kept_length(lower: tuple[str, ...]) -> int:
    """Words of a description before what only adds to it, where it is long."""
    if len(lower) <= _LONG:
        return len(lower)
    for at in range(2, len(lower)):
        clause = lower[at].endswith(("ed", "ing")) or lower[at] in _PARTICIPLES
        follows = at + 1 < len(lower) and lower[at + 1] in word_list("function_words")
        if (clause and follows) or lower[at] in _ADDING:
            return at
    return len(lower)
