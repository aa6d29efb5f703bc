"""Plain attribution: quotation marks, verbs of speech and stance, "according to" and headlines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flows.extract.lexicon import match_stance_verb, reporting_forms
from flows.extract.quotes import Quotations
from flows.extract.records import Attribution, Part, Span
from flows.extract.sentences import sentences

_WORD = re.compile(r"[^\W_]+(?:[-'’.&][^\W_]+)*")
_AUXILIARIES = frozenset(
    [
        "has",
        "have",
        "had",
        "also",
        "is",
        "was",
        "were",
        "are",
        "been",
        "be",
        "being",
        "did",
        "does",
        "do",
        "not",
        "never",
        "n't",
        "will",
        "would",
        "can",
        "could",
        "may",
        "might",
        "must",
        "further",
        "repeatedly",
        "often",
        "always",
        "later",
        "then",
        "once",
        "again",
        "both",
        "all",
        "even",
        "still",
        "now",
        "just",
        "too",
        "however",
        "reportedly",
    ]
)
_BOUNDARY = re.compile(
    r"\b(?:that|but|while|as|because|when|although|though|if|whether|after|before|since|until|"
    r"where|what|how|why|to|than|so)\b|,\s+(?:and|or)\b|[“”\";:—(]|''",
    re.IGNORECASE,
)
_SEGMENT = re.compile(r"[^,\s][^,]*")
_SOURCE_END = re.compile(r"[,.;:“\"\n](?=\s|$)")
_NOUN_BEFORE = frozenset(
    [
        "a",
        "an",
        "the",
        "his",
        "her",
        "its",
        "our",
        "my",
        "your",
        "this",
        "these",
        "those",
        "no",
        "any",
        "of",
        "for",
        "in",
        "on",
        "to",
        "by",
        "with",
        "from",
        "at",
        "’s",
        "'s",
    ]
)
_NOUN_CUES = re.compile(
    r"(?P<source>(?:(?:his|her|their|its)|[A-Z][\w.’'-]*(?: [A-Z][\w.’'-]*){0,3}[’']s?)) "
    r"(?P<cue>(?:own |repeated )?(?:claim|belief|view|assertion|statement|warning|suggestion|"
    r"contention|pledge|vow|promise|threat|demand|call|argument|hope|fear|opinion)s?) "
    r"(?P<content>(?:that|to|for|of) [^,.;:\n]+)",
    re.IGNORECASE,
)
_ACCORDING = re.compile(
    r"\b(?P<cue>according to)\s+(?P<source>[^,;:.\n]+(?:\.[A-Za-z][^,;:.\n]*)*)", re.IGNORECASE
)
_HEADLINE_COLON = re.compile(r"(?P<source>[A-Z][^:.!?\n“\"]{1,60})(?P<cue>:)\s+(?P<content>\S.+)")
_HEADLINE_SAYS = re.compile(
    r"(?P<content>\S.+?),\s+(?:(?P<c1>says?|said)\s+)?(?P<source>[A-Z][\w.’' -]{1,60}?)(?:\s+(?P<c2>says?|said))?$"
)
_TRAILING_MARKS = " \t\r\n,.;:—–-"
_MOST_WORDS_AFTER_CUE = 6
_LONGEST_SOURCE = 300
_LONGEST_HEADLINE = 200


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int


def find_attributions(text: str, part: Part) -> list[Attribution]:
    """Find the statements of one field of an article, with the words that attribute them.

    Returns attributions in the order of the text. Contents may lie within one another.
    """
    quotations = Quotations(text)
    found: list[Attribution] = []
    for sentence in sentences(text):
        here = _Sentence(text, sentence, quotations, part)
        if found and here.continues_quotation(found[-1]):
            last = found[-1]
            found[-1] = Attribution(
                part, last.source, last.cue, (*last.content, sentence), last.confidence
            )
        else:
            found.extend(here.attributions())
    return found


class _Sentence:
    def __init__(self, text: str, span: Span, quotations: Quotations, part: Part) -> None:
        self.text, self.start, self.end, self.part = text, *span, part
        self.quotations = quotations
        self.subject: Span | None = None
        self.words = [_Word(m.group(), *m.span()) for m in _WORD.finditer(text, *span)]
        self.lower = [word.text.lower() for word in self.words]

    def continues_quotation(self, last: Attribution) -> bool:
        """A sentence wholly quoted goes on with a quotation just before it in its paragraph."""
        ends = [end for _, end in (*last.content, *last.cue, *last.source)]
        gap = self.text[max(ends) : self.start]
        quoted = self.quotations.kind([(self.start, self.end)]) == "direct"
        return (
            quoted
            and self.quotations.kind(last.content) != "indirect"
            and len(gap) < 40
            and "\n" not in gap
        )

    def attributions(self) -> Iterator[Attribution]:
        """Try the forms one after the other; the first that fits claims the sentence's rest."""
        headline = self._headline() if self._is_headline() else None
        if headline:
            yield headline
            return
        done = self.start
        for at in range(len(self.words)):
            if self.words[at].start < done or self.quotations.contains(self.words[at].start):
                continue
            attribution = self._by_verb(at)
            if attribution:
                yield attribution
                done = max(end for _, end in attribution.content)
        if done == self.start:
            yield from self._by_pattern()

    def _is_headline(self) -> bool:
        return self.end - self.start < _LONGEST_HEADLINE and (
            self.part == "title"
            or (self.start == 0 and self.text[self.end : self.end + 1] in "\r\n")
        )

    def _headline(self) -> Attribution | None:
        for pattern in (_HEADLINE_COLON, _HEADLINE_SAYS):
            match = pattern.fullmatch(self.text, self.start, self.end)
            if match and (pattern is _HEADLINE_COLON or match["c1"] or match["c2"]):
                cue = next(n for n in ("cue", "c1", "c2") if match.groupdict().get(n))
                return self._make(match.span("source"), match.span(cue), match.span("content"))
        return None

    def _by_pattern(self) -> Iterator[Attribution]:
        offers = []
        match = _ACCORDING.search(self.text, self.start, self.end)
        if match:
            before = (self.start, match.start())
            after = (match.end(), self.end)
            content = max(before, after, key=lambda span: span[1] - span[0])
            offers.append((match.span("source"), match.span("cue"), content))
        for match in _NOUN_CUES.finditer(self.text, self.start, self.end):
            offers.append((match.span("source"), match.span("cue"), match.span("content")))
        yield from filter(None, (self._offer(*offer) for offer in offers))

    def _by_verb(self, at: int) -> Attribution | None:
        length = self._cue_length(at)
        if not length:
            return None
        first = at
        while first and (self.lower[first - 1] in _AUXILIARIES or self._is_adverb(first - 1)):
            first -= 1
        cue = (self.words[first].start, self.words[at + length - 1].end)
        words_after = len(self.words) - at - length
        source = self._source_before(self.words[first].start)
        if words_after <= _MOST_WORDS_AFTER_CUE or self.quotations.contains(self.words[0].start):
            trailing = self._trailing(source, cue, words_after)
            if trailing:
                return trailing
        source = source or self.subject
        self.subject = source
        return self._offer(source, cue, (cue[1], self.end)) if source and words_after else None

    def _is_adverb(self, at: int) -> bool:
        return self.lower[at].endswith("ly") and len(self.lower[at]) > 4

    def _cue_length(self, at: int) -> int:
        """Words of the cue that begins at a word; 0 where none does."""
        if at and self.lower[at - 1] in _NOUN_BEFORE:
            return 0
        verb = match_stance_verb(self.lower, at)
        if verb and verb.words[0] != "be" and not verb.family.startswith("effect"):
            return len(verb.words)
        return int(self.lower[at] in reporting_forms())

    def _trailing(self, source: Span | None, cue: Span, words_after: int) -> Attribution | None:
        """`…,” X said` and `…,” said X`: the statement stands before its source."""
        if source:
            return self._offer(source, cue, (self.start, source[0]))
        head = self.text[self.start : cue[0]].rstrip()
        if not words_after or not head.endswith((",", "”", '"', "’", "''", "?", "!")):
            return None
        stop = _SOURCE_END.search(self.text, cue[1], self.end)
        return self._offer((cue[1], stop.start() if stop else self.end), cue, (self.start, cue[0]))

    def _source_before(self, end: int) -> Span | None:
        """The noun phrase that ends before the character `end`, its apposition included."""
        begin = max(self.start, end - _LONGEST_SOURCE)
        for boundary in _BOUNDARY.finditer(self.text, begin, end):
            begin = boundary.end()
        closed = self.text[begin:end].rstrip().endswith(",")
        segments = [m.span() for m in _SEGMENT.finditer(self.text, begin, end)]
        if not segments:
            return None
        source = (segments[-2:] if closed else segments[-1:])[0][0], segments[-1][1]
        return source if _WORD.search(self.text, *source) else None

    def _offer(self, source: Span, cue: Span, content: Span) -> Attribution | None:
        content, source = self._trim(content), self._trim(source)
        if content[1] - content[0] < 3 or source[1] <= source[0]:
            return None
        return self._make(source, cue, content)

    def _trim(self, span: Span) -> Span:
        stretch = self.text[slice(*span)]
        lead = len(stretch) - len(stretch.lstrip(_TRAILING_MARKS))
        trail = len(stretch.rstrip(_TRAILING_MARKS))
        return span[0] + lead, max(span[0] + lead, span[0] + trail)

    def _make(self, source: Span, cue: Span, content: Span) -> Attribution:
        return Attribution(self.part, (source,), (cue,), (content,), 0.5)
