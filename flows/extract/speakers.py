"""Who makes each statement: mentions of one speaker become one name, as the codebook has it."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence

from flows.extract.antecedents import Antecedents, is_several
from flows.extract.documents import Publishers
from flows.extract.lexicon import (
    is_person_noun,
    reporting_forms,
    stance_verbs,
    word_class,
    word_list,
)
from flows.extract.names import Name, fold
from flows.extract.phrases import (
    Phrase,
    appositions,
    coordinated,
    described,
    phrase,
    trimmed,
)
from flows.extract.quotes import Quotations
from flows.extract.records import Attribution, Part, Span, Spans, Speaker
from flows.extract.roster import Person, Roster

_LONG = 6
_MINISTER = re.compile(r"\b(?:minister|secretary)\b", re.IGNORECASE)
_PAIR = re.compile(
    r"(?:both|neither|(?:the|these|those) two)(?:(?: [a-z-]+)?"
    r" (?:candidates?|men|man|women|woman|leaders?|senators?|rivals?|politicians?|contenders?|"
    r"lawmakers?|ministers?|presidents?|governors?|opponents?|Democrats|Republicans))?",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"(?:\b(?:and|but|then)|,)\s+(?:[\w ]{,15}\s)?$")
_SHARED_REACH = 5000
_OWNERS = frozenset(["his", "her", "their", "its"])
_SHARE = re.compile(r"[\w.-]+(?:\s?%| percent| per cent)", re.IGNORECASE)
_SHARED = re.compile(r"(?:%|percent|per cent)\s+of\s+((?:[\w'’-]+\s){0,2}?[\w'’-]+s)\b")
_BY = re.compile(r"\b(?:by|from)\s+")
_TITLE_GAP = "\n\n"
_CONTRACTION = re.compile(r"['’](?:s|d|ll|re|ve|m)$")
_CONFIDENCES = {
    "full_name": (0.97, 0.86),
    "short_name": (0.97, 0.68),
    "title": (0.68, 0.55),
    "pronoun": (0.89, 0.42),
    "description": (0.45, 0.7),
    "author": (0.55, 0.7),
}
"""How often each way was right on the training labels: for persons, for all others."""


class SpeakerResolver:
    """Says who makes the statements of one article, and whom its pronouns mean."""

    def __init__(self, text: str, title: str | None = None) -> None:
        """`text` and `title` are the fields that spans of parts `body` and `title` refer to."""
        head = f"{title}{_TITLE_GAP}" if title else ""
        self._shift: dict[Part, int] = {"title": 0, "body": len(head)}
        self._sources = _Sources(head + text)

    def resolve(self, attributions: Sequence[Attribution]) -> list[Speaker | None]:
        """Say who makes each statement, None where the article gives no source that can speak.

        `attributions` may come in any order; the answer has theirs. Persons get the fullest name
        that title and text give; whom the article does not name stays described.
        """
        moved = [self._moved(a.part, a.source) for a in attributions]
        order = sorted(range(len(moved)), key=lambda i: moved[i][0][0] if moved[i] else -1)
        answers: list[Speaker | None] = [None] * len(moved)
        for i in order:
            answers[i] = self._sources.resolve(moved[i])
        spoken = [(moved[i][0][0], answers[i]) for i in order if moved[i]]
        for i, attribution in enumerate(attributions):
            if not attribution.source and attribution.cue:
                cue = self._moved(attribution.part, attribution.cue)[0]
                answers[i] = self._sources.without_source(cue, spoken)
        return answers

    def name_of(self, part: Part, speaker: Speaker | None) -> Callable[[Span], str | None]:
        """A function that names whom a pronoun at a span of `part` means, in `speaker`'s words."""
        return lambda span: self._sources.pronoun_name(self._moved(part, (span,))[0], speaker)

    def _moved(self, part: Part, spans: Spans) -> list[Span]:
        shift = self._shift[part]
        return [(start + shift, end + shift) for start, end in spans]


def _speaker(name: str, kind: str, how: str, members: tuple[str, ...] = ()) -> Speaker:
    confidence = _CONFIDENCES[how][kind != "person"]
    return Speaker(name, kind, how, members or (name,), confidence)


def _person(person: Person, how: str) -> Speaker:
    return _speaker(person.name, "person" if person.surname else "unnamed", how)


def _joint(speakers: Sequence[Speaker]) -> Speaker:
    members = tuple(dict.fromkeys(member for s in speakers for member in s.members))
    kinds = {s.speaker_type for s in speakers}
    kind = speakers[0].speaker_type if len(kinds) == 1 else "person"
    return _speaker(" and ".join(members), kind, speakers[0].resolution, members)


def _is_one_body(speaker: Speaker) -> bool:
    return speaker.speaker_type != "person" and not is_several(speaker)


class _Sources:
    """Resolves the sources of one article in text order, remembering who spoke before."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.roster = Roster(text)
        self.publishers = Publishers(text, self.roster)
        self.before = Antecedents(text, self.roster, Quotations(text))
        self.roster.choose = self.before.of_surname

    def resolve(self, source: Sequence[Span]) -> Speaker | None:
        """The speaker of a statement with this source (spans in text order)."""
        span = trimmed(self.text, source[0]) if source else (0, 0)
        if span[1] <= span[0]:
            return None
        found = self._resolved(span)
        if found:
            self.before.remember(span[0], found)
        return found

    def without_source(
        self, cue: Span, spoken: Sequence[tuple[int, Speaker | None]]
    ) -> Speaker | None:
        """Whoever spoke just before in the sentence, where the cue goes on: `…, adding that`."""
        start = self.before.sentence_start(cue[0])
        words = self.text[slice(*cue)].split()
        before = self.text[max(start, cue[0] - 30) : cue[0]]
        is_verb = bool(words) and words[0].lower() in reporting_forms() | stance_verbs().keys()
        if not is_verb or not _GOES_ON.search(before):
            return None
        last = bisect_left(spoken, cue[0], key=lambda turn: turn[0]) - 1
        return self._again(spoken[last][1]) if last >= 0 and spoken[last][0] >= start else None

    def pronoun_name(self, span: Span, speaker: Speaker | None) -> str | None:
        """Whom a pronoun means: the speaker in the first person, else by the text before it."""
        word = self.text[slice(*span)].lower()
        if word in {"i", "me", "myself"}:
            return speaker.name if speaker else None
        found = self._pronoun(word, span) if word not in word_class("nobody") else None
        return found.name if found else None

    def _resolved(self, span: Span) -> Speaker | None:
        word = _CONTRACTION.sub("", self.text[slice(*span)].lower())
        if word in word_class("nobody") or word == "no one":
            return None
        pronoun = self._pronoun(word, span)
        if pronoun:
            return pronoun
        parts = coordinated(self.text, span)
        together = self._together(parts) if len(parts) > 1 else None
        return together or self._phrase(span)

    def _pronoun(self, word: str, span: Span) -> Speaker | None:
        for gender, words in (("m", "he"), ("f", "she")):
            if word in word_class(words):
                person = self.before.person(span[0], gender)
                return _person(person, "pronoun") if person else None
        if word in word_class("they"):
            return self._again(self._several(span[0]))
        if word in word_class("it"):
            return self._again(self._body_before(span[0]))
        if word in word_class("relatives"):
            antecedent = self.before.relative(span[0])
            found = self._phrase(antecedent) if antecedent else None
            return self._again(found)
        return None

    def _several(self, at: int) -> Speaker | None:
        """Whom `they` means: several who spoke or are the subject, latest sentence first."""
        for subject in self.before.subjects(at):
            spoke = [s for s in self.before.spoke_since(subject[0]) if is_several(s)]
            if spoke:
                return spoke[0]
            named = self._subject(subject)
            if named and is_several(named):
                return named
        return self.before.several(at)

    def _body_before(self, at: int) -> Speaker | None:
        """What `it` means: what spoke or is the subject and no person, latest sentence first."""
        for subject in self.before.subjects(at):
            spoke = [s for s in self.before.spoke_since(subject[0]) if _is_one_body(s)]
            if spoke:
                return spoke[0]
            named = self._subject(subject)
            if named and _is_one_body(named) and named.resolution != "description":
                return named
        return self.before.body(at)

    def _subject(self, span: Span) -> Speaker | None:
        if self.text[slice(*span)].lower() in word_class("they") | word_class("nobody"):
            return None
        parts = coordinated(self.text, span)
        together = self._together(parts) if len(parts) > 1 else None
        core = phrase(self.text, span)
        return together or (
            self._named(core) or self._described(core, span) if core.words else None
        )

    def _again(self, speaker: Speaker | None) -> Speaker | None:
        if speaker is None:
            return None
        return _speaker(speaker.name, speaker.speaker_type, "pronoun", speaker.members)

    def _together(self, parts: list[Span]) -> Speaker | None:
        """Several speakers, where the first is named: `Elizabeth Warren and other lawmakers`."""
        first = self._one_of(parts[0])
        if first is None:
            return None
        others = [self._one_of(part) for part in parts[1:]]
        between = self.text[parts[0][1] : parts[1][0]]
        if not all(others) and "," not in between:
            others = [o or self._description(p) for o, p in zip(others, parts[1:], strict=True)]
        known = [other for other in others if other]
        last = others[-1]
        if first.speaker_type != "person" and _MINISTER.search(self.text, *parts[-1]):
            return None
        comma = "," in between and "," in self.text[parts[-2][1] : parts[-1][0]]
        joins = comma and last is not None and last.speaker_type == "person"
        return _joint([first, *known]) if len(known) == len(parts) - 1 or joins else None

    def _one_of(self, span: Span) -> Speaker | None:
        """A person or body that one part of a coordination names."""
        span = trimmed(self.text, span)
        word = self.text[slice(*span)].lower()
        if word in {"he", "she"}:
            return self._pronoun(word, span)
        piece = phrase(self.text, span)
        return self._named(piece) if piece.words else None

    def _description(self, span: Span) -> Speaker | None:
        piece = phrase(self.text, span)
        return self._described(piece, span) if piece.words and len(piece.words) < _LONG else None

    def _pair(self, span: Span) -> Speaker | None:
        """`both candidates`, `the two`: the two people referred to last."""
        if not _PAIR.fullmatch(self.text, *span):
            return None
        people = self.before.last_two(span[0])
        return _joint([_person(person, "description") for person in people]) if people else None

    def _phrase(self, span: Span) -> Speaker | None:
        core = phrase(self.text, span)
        if not core.words:
            return None
        return (
            self._named(core)
            or self._in_apposition(core, span)
            or self._pair(span)
            or self._office(core)
            or self._document(core, span)
            or self._body_again(core)
            or self._described(core, span)
        )

    def _named(self, core: Phrase) -> Speaker | None:
        name = self._called(core) or core.head_name()
        if name is None or not self.roster.is_name(name):
            return None
        person = self.roster.person(name)
        if person:
            return _person(person, "full_name" if len(name.words) > 1 else "short_name")
        if core.head in word_list("documents") and name.outer_start > core.span[0]:
            return None
        first = core.words[0]
        if first[0].isupper() or core.determiner == "the":
            return self._body(name)
        return None

    def _called(self, core: Phrase) -> Name | None:
        """The full name that ends a phrase: `leader in the Senate Clodoaldo Farias`."""
        if not core.names or core.names[-1].end < core.span[1] or core.names[-1].possessive:
            return None
        name = core.names[-1]
        before = [w for w, s in zip(core.lower, core.starts, strict=True) if s < name.outer_start]
        while before and before[-1] in {"former", "late", "then", "fellow"}:
            before.pop()
        joined = not before or before[-1] in word_class("prepositions") | {"and", "or", "the"}
        return None if joined or len(name.words) < 2 or not self.roster.person(name) else name

    def _body(self, name: Name) -> Speaker:
        full = self.roster.full_form(name.text)
        return _speaker(full, body_type(full), "full_name" if full == name.text else "short_name")

    def _in_apposition(self, core: Phrase, span: Span) -> Speaker | None:
        """`her campaign manager, Robby Mook,`: the name that follows."""
        extras = appositions(self.text, span)
        if extras and extras[0].head_name():
            parts = coordinated(self.text, (extras[0].span[0], span[1]))
            speakers = [self._one_of(part) for part in parts]
            if len(parts) > 1 and all(speakers):
                return _joint([speaker for speaker in speakers if speaker])
        for extra in extras[:2]:
            name = extra.head_name()
            if name is None or not self.roster.is_name(name):
                continue
            person = self.roster.person(name)
            if person:
                return _person(person, "full_name" if len(name.words) > 1 else "short_name")
            if name.outer_start - extra.span[0] <= len("the "):
                kind = "person" if is_person_noun(core.head) else body_type(name.text)
                return _speaker(name.text, kind, "full_name")
        return None

    def _office(self, core: Phrase) -> Speaker | None:
        """`the French president`, `the billionaire`: the person of whom this was said."""
        plain = not core.determiner or core.determiner in {"the", "this"}
        if not plain or not is_person_noun(core.head):
            return None
        wanted = [fold(word) for word in core.core if word != core.determiner]
        further = [fold(w) for w in core.lower[len(core.core) :] if len(w) > 3]
        definite = bool(core.determiner)
        person = self.before.holder(core.span[0], wanted, further, definite=definite)
        return _person(person, "title") if person else None

    def _document(self, core: Phrase, span: Span) -> Speaker | None:
        """Documents speak for whoever the article names as their author or publisher."""
        noun = next((w for w in reversed(core.core) if w in word_list("documents")), None)
        if noun is None:
            return None
        owner = self._owner(core)
        if owner is None and core.names and core.names[0].possessive:
            person = self.roster.person(core.names[0])
            owner = _person(person, "author") if person else self._body(core.names[0])
        if owner:
            return _speaker(owner.name, owner.speaker_type, "author", owner.members)
        by = _BY.search(self.text, core.span[0], span[1])
        if by:
            parts = coordinated(self.text, (by.end(), span[1]))
            authors = [author for author in map(self._one_of, parts) if author]
            if authors and len(authors) == len(parts):
                joint = _joint(authors)
                return _speaker(joint.name, joint.speaker_type, "author", joint.members)
        name = self.publishers.of(noun, span, definite=core.determiner in word_class("definite"))
        if name is None:
            return None
        person = self.roster.person(name)
        if person:
            return _person(person, "author")
        body = self._body(name)
        return _speaker(body.name, body.speaker_type, "author", body.members)

    def _owner(self, core: Phrase) -> Speaker | None:
        """Whom a possessive pronoun at the head of a phrase means."""
        first = core.lower[0]
        if first not in _OWNERS:
            return None
        return self._pronoun(first, (core.span[0], core.span[0] + len(first)))

    def _body_again(self, core: Phrase) -> Speaker | None:
        """`the court`: the body named before whose name or description holds the word."""
        if core.determiner not in {"the", "this", ""} or core.head not in word_list("body_nouns"):
            return None
        if len(core.core) != len(core.words) or any(name.possessive for name in core.names):
            return None
        wanted = [fold(word) for word in core.core if word != core.determiner]
        name = self.before.body_named(core.span[0], wanted)
        if name:
            return _speaker(name, body_type(name), "title")
        if not core.determiner or core.names or core.head in word_list("government_nouns"):
            return None
        last = self.before.last_body(core.span[0]) if len(wanted) < 3 else None
        return _speaker(last.name, last.speaker_type, "title", last.members) if last else None

    def _with_clause(self, core: Phrase, span: Span) -> str | None:
        """A description with its short relative clause, or a share with what it is of."""
        if _SHARE.fullmatch(core.text):
            begin = max(0, core.span[0] - _SHARED_REACH)
            shared = _SHARED.findall(self.text, begin, core.span[0])
            return f"{core.text} of {shared[-1] if shared else 'respondents'}"
        end = trimmed(self.text, span)[1]
        clause = self.text[core.span[1] : end]
        whole = self.text[core.span[0] : end]
        short = len(whole.split()) <= _LONG + 2 and clause.startswith((" who ", " that "))
        return whole.removeprefix("the ").removeprefix("The ") if short else None

    def _described(self, core: Phrase, span: Span) -> Speaker:
        earlier = self.before.described(core)
        if earlier:
            return _speaker(earlier.name, earlier.speaker_type, "description", earlier.members)
        name = self._with_clause(core, span) or described(core, self.text)
        owner = self._owner(core)
        if owner and len(owner.name.split()) < _LONG:
            first, _, rest = name.partition(" ")
            name = f"{owner.name}'s {rest if first.lower() in _OWNERS else name}"
        elif name[0].isupper() and not any(map(self.roster.is_name, core.names[:1])):
            name = name[0].lower() + name[1:]
        return _speaker(name, described_type(core, name), "description")


def body_type(name: str) -> str:
    """The speaker type of something with a proper name that is no person."""
    folded = name.lower()
    words = folded.split()
    if folded in word_list("government_names") or folded in word_list("countries"):
        return "government"
    if words[-1] in word_list("groups") and words[-1] != "party":
        return "group"
    if any(word in word_list("government_nouns") for word in words):
        return "government"
    return "organization"


def described_type(core: Phrase, name: str) -> str:
    """The type of a description: a group or body where it bears a name of its own."""
    if core.head in word_list("groups") and any(w[0].isupper() for w in name.split()):
        return "group"
    if core.head in {"government", "administration", "police", "ministry", "court", "parliament"}:
        return "government"
    return "unnamed"
