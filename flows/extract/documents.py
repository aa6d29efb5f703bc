"""Who stands behind the polls, reports and letters of an article."""

import re
from bisect import bisect_left

from flows.extract.lexicon import word_list
from flows.extract.names import Name
from flows.extract.records import Span
from flows.extract.roster import Roster

_KINDS = (
    frozenset(
        "poll polls survey surveys results findings numbers study analysis average".split(" ")
    ),
    frozenset("ad ads advertisement spot commercial video".split(" ")),
    frozenset("article story piece editorial op-ed column headline".split(" ")),
    frozenset("statement release letter email memo note message".split(" ")),
    frozenset("lawsuit suit complaint filing".split(" ")),
)
_BY = re.compile(
    r"[^.;\n]{0,60}?\b(?:by|from|of|commissioned by|conducted by|released by|published by)\s+"
    r"(?:the\s+|an?\s+)?(?:(?!that|who|which|and|in|of)[a-z-]+\s+){0,3}$"
)
_REACH = 90
_MOST_DOCUMENTS = 200
_MODIFIERS = re.compile(r"(?:['’]s?)?\s+(?:[\w'’-]+\s+){0,3}$")


class Publishers:
    """The documents that a text mentions with a name beside them, in order."""

    def __init__(self, text: str, roster: Roster) -> None:
        self._text = text
        self._roster = roster
        self._names = roster.names
        self._starts = [name.start for name in self._names]
        nouns = "|".join(sorted(word_list("documents"), key=len, reverse=True))
        self._nouns = re.compile(rf"\b(?:{nouns})\b", re.IGNORECASE)
        self._known: list[tuple[int, str, Name]] = []
        for match in self._nouns.finditer(text):
            name = self._beside(match.span())
            if name:
                self._known.append((match.start(), match.group().lower(), name))
        self._places = [at for at, _, _ in self._known]

    def of(self, noun: str, span: Span, *, definite: bool) -> Name | None:
        """Who issued the document that a source names: said in the source, else before it.

        Only a `definite` source ("the poll") refers back, to the last document of its kind.
        """
        for match in self._nouns.finditer(self._text, *span):
            name = self._beside(match.span())
            if name:
                return name
        if not definite:
            return None
        kind = next((kind for kind in _KINDS if noun in kind), frozenset([noun]))
        last = bisect_left(self._places, span[0])
        for _, other, name in reversed(self._known[max(0, last - _MOST_DOCUMENTS) : last]):
            if other in kind:
                return name
        return None

    def _beside(self, noun: Span) -> Name | None:
        """The name right before a document, or the one that it is `by` or `from`."""
        at = bisect_left(self._starts, noun[0])
        if at and self._modifies(self._names[at - 1], noun):
            return self._names[at - 1]
        for name in self._names[at : at + 2]:
            if name.outer_start - noun[1] > _REACH:
                break
            if _BY.fullmatch(self._text, noun[1], name.outer_start):
                return name
        return None

    def _modifies(self, name: Name, noun: Span) -> bool:
        """`the Gallup poll`, `Smith's letter`, but not `a Smith poll` or `an Iowa poll`."""
        if noun[0] - name.end >= _REACH or _is_place(name):
            return False
        if self._roster.person(name) and not name.possessive:
            return False
        between = self._text[name.end : noun[0]]
        return bool(_MODIFIERS.fullmatch(between)) and _is_plain(between)


def _is_place(name: Name) -> bool:
    folded = name.text.lower()
    lists = ("places", "countries", "demonyms")
    return any(folded in word_list(listed) for listed in lists)


def _is_plain(between: str) -> bool:
    """Whether only modifiers stand between a name and its document, no verb or preposition."""
    return not any(word in word_list("function_words") for word in between.lower().split())
