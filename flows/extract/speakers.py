"""Who makes each statement: mentions of one speaker become one name, as the codebook has it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flows.extract.lexicon import word_list
from flows.extract.phrases import (
    DEFINITE,
    PREPOSITIONS,
    Phrase,
    appositions,
    coordinated,
    description,
    phrase,
    trimmed,
)
from flows.extract.quotes import Quotations
from flows.extract.records import Attribution, Part, Span, Spans, Speaker
from flows.extract.roster import Person, Roster, fold

_HE_SHE = {
    "he": "m",
    "him": "m",
    "his": "m",
    "himself": "m",
    "she": "f",
    "her": "f",
    "hers": "f",
    "herself": "f",
}
_THEY = frozenset(["they", "them", "their", "theirs", "themselves"])
_IT = frozenset(["it", "its", "itself"])
_NOBODY = frozenset(
    [
        "i",
        "me",
        "my",
        "mine",
        "myself",
        "we",
        "us",
        "our",
        "ours",
        "ourselves",
        "you",
        "your",
        "yours",
        "everyone",
        "everybody",
        "anyone",
        "nobody",
        "nothing",
        "q",
        "a",
        "what",
        "one",
        "there",
        "this",
    ]
) | {"no one"}
_RELATIVES = frozenset(["who", "whom", "whose", "which", "that"])
_TITLE_GAP = "\n\n"


@dataclass(slots=True)
class _Seen:
    at: int
    speaker: Speaker
    person: Person | None


class SpeakerResolver:
    """Says who makes the statements of one article, and whom its pronouns mean."""

    def __init__(self, text: str, title: str | None = None) -> None:
        """`text` and `title` are the fields that spans of parts `body` and `title` refer to."""
        head = f"{title}{_TITLE_GAP}" if title else ""
        self._shift: dict[Part, int] = {"title": 0, "body": len(head)}
        self._resolver = _Resolver(head + text)

    def resolve(self, attributions: Sequence[Attribution]) -> list[Speaker | None]:
        """Say who makes each statement, None where the article gives no source that can speak.

        `attributions` may come in any order; the answer has theirs. Persons get the fullest name
        that title and text give; whom the article does not name stays described.
        """
        moved = [self._moved(a.part, a.source) for a in attributions]
        order = sorted(range(len(moved)), key=lambda i: moved[i][0][0] if moved[i] else -1)
        answers: list[Speaker | None] = [None] * len(moved)
        for i in order:
            answers[i] = self._resolver.resolve(moved[i])
        return answers

    def name_of(self, part: Part, speaker: Speaker | None) -> Callable[[Span], str | None]:
        """A function that names whom a pronoun at a span of `part` means, in `speaker`'s words."""
        return lambda span: self._resolver.pronoun_name(self._moved(part, (span,))[0], speaker)

    def _moved(self, part: Part, spans: Spans) -> list[Span]:
        shift = self._shift[part]
        return [(start + shift, end + shift) for start, end in spans]


class _Resolver:
    """Resolves the sources of one article in text order, remembering who spoke before."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.roster = Roster(text)
        self.quotations = Quotations(text)
        self.seen: list[_Seen] = []
        self._mentions = sorted(
            (
                (at, person)
                for person in self.roster.people
                for at in person.mentions
                if not self.quotations.contains(at)
            ),
            key=lambda mention: mention[0],
        )

    def pronoun_name(self, span: Span, speaker: Speaker | None) -> str | None:
        """Whom a pronoun means: the speaker in the first person, else by the text before it."""
        word = self.text[slice(*span)].lower()
        if word in {"i", "me", "myself"}:
            return speaker.name if speaker else None
        if word in _HE_SHE:
            found = self._pronoun(span[0], _HE_SHE[word])
            return found[0].name if found else None
        return None

    def resolve(self, source: Sequence[Span]) -> Speaker | None:
        """The speaker of a statement with this source (spans in text order)."""
        if not source:
            return None
        span = trimmed(self.text, (source[0][0], source[0][1]))
        if span[1] <= span[0]:
            return None
        found = self._span(span)
        if found:
            speaker, person = found
            self.seen.append(_Seen(span[0], speaker, person))
            return speaker
        return None

    def _span(self, span: Span) -> tuple[Speaker, Person | None] | None:
        word = re.sub(r"['’](?:s|d|ll|re|ve|m)$", "", self.text[slice(*span)].lower())
        if word in _NOBODY:
            return None
        if word in _HE_SHE:
            return self._pronoun(span[0], _HE_SHE[word])
        if word in _THEY:
            return self._they(span[0])
        if word in _IT:
            return self._it(span[0])
        if word in _RELATIVES:
            return self._antecedent(span[0])
        parts = coordinated(self.text, span)
        if len(parts) > 1:
            together = self._together(parts)
            if together:
                return together
        return self._phrase(span)

    def _together(self, parts: list[Span]) -> tuple[Speaker, None] | None:
        """Several speakers, where every part has a name at its head."""
        speakers: list[Speaker] = []
        for part in parts:
            piece = phrase(self.text, part)
            if not piece.words:
                continue
            found = self._named(piece)
            if not found:
                return None
            speakers.append(found[0])
        if len(speakers) < 2:
            return None
        members = tuple(dict.fromkeys(s.name for s in speakers))
        kinds = {s.speaker_type for s in speakers}
        kind = speakers[0].speaker_type if len(kinds) == 1 else "person"
        return Speaker(" and ".join(members), kind, speakers[0].resolution, members, 0.8), None

    def _phrase(self, span: Span) -> tuple[Speaker, Person | None]:
        core = phrase(self.text, span)
        found = self._named(core)
        if found:
            return found
        for extra in appositions(self.text, span):
            name = extra.head_name()
            if name and name.outer_start == extra.span[0]:
                named = self._named(extra)
                if named and named[1]:
                    return named
        return self._described(core)

    def _named(self, core: Phrase) -> tuple[Speaker, Person | None] | None:
        name = core.head_name()
        if name is None:
            return None
        person = self.roster.person(name)
        if person:
            how = "full_name" if len(name.words) > 1 else "short_name"
            return self._person(person, how, 0.95), person
        if (
            name.words and not any(w[0].islower() for w in core.words[:1])
        ) or core.determiner == "the":
            return self._body(name.text, core), None
        return None

    def _person(self, person: Person, how: str, confidence: float) -> Speaker:
        return Speaker(person.name, "person", how, (person.name,), confidence)

    def _body(self, text: str, core: Phrase) -> Speaker:
        name = self.roster.acronyms.get(text, text)
        kind = body_type(name)
        return Speaker(name, kind, "full_name" if name == text else "short_name", (name,), 0.85)

    def _described(self, core: Phrase) -> tuple[Speaker, Person | None]:
        if core.determiner in DEFINITE:
            office = self._office(core)
            if office:
                return office
        if core.head in word_list("documents"):
            author = self._author(core)
            if author:
                return author
        text = core.text
        owner = core.lower[0] if core.words else ""
        name = description(text)
        if owner in {"his", "her", "their", "its"}:
            whose = self._span((core.span[0], core.span[0] + len(owner)))
            if whose:
                name = f"{whose[0].name.split(' and ')[0].split()[-1]}'s {name}"
        kind = described_type(core, name)
        return Speaker(name, kind, "description", (name,), 0.6), None

    def _office(self, core: Phrase) -> tuple[Speaker, Person | None] | None:
        """`the French president`: the person whose titles and roles hold these words."""
        head = core.head
        wanted = {fold(w) for w in core.lower if w not in DEFINITE and w not in PREPOSITIONS}
        best = [p for p in self.roster.people if p.offices[fold(head)]]
        if not best or core.determiner != "the":
            return None

        def score(p: Person) -> tuple[int, int]:
            near = max((m for m in p.mentions if m < core.span[0]), default=-1)
            return sum(1 for w in wanted if p.offices[w]), near

        person = max(best, key=score)
        return self._person(person, "title", 0.7), person

    def _author(self, core: Phrase) -> tuple[Speaker, Person | None] | None:
        """Documents speak for whoever the article names as their author or publisher."""
        if core.names:
            name = core.names[0]
            person = self.roster.person(name)
            if person:
                return self._person(person, "author", 0.7), person
            return self._replaced(self._body(name.text, core)), None
        if core.determiner in _HE_SHE:
            return self._pronoun(core.span[0], _HE_SHE[core.determiner])
        return None

    def _replaced(self, speaker: Speaker) -> Speaker:
        return Speaker(speaker.name, speaker.speaker_type, "author", speaker.members, 0.7)

    def _pronoun(self, at: int, gender: str) -> tuple[Speaker, Person | None] | None:
        """The person who spoke or was named last and can be `he` or `she`."""
        spoke = [s for s in self.seen if s.at < at and s.person]
        for seen in reversed(spoke[-6:]):
            if seen.person and seen.person.gender in {"", gender}:
                return self._person(seen.person, "pronoun", 0.75), seen.person
        for mention_at, person in reversed(self._mentions):
            if mention_at < at and person.gender in {"", gender}:
                return self._person(person, "pronoun", 0.6), person
        return None

    def _they(self, at: int) -> tuple[Speaker, Person | None] | None:
        for seen in reversed(self.seen):
            if seen.at < at and (
                seen.speaker.speaker_type in {"group", "unnamed"} or len(seen.speaker.members) > 1
            ):
                return seen.speaker, None
        return (self.seen[-1].speaker, None) if self.seen else None

    def _it(self, at: int) -> tuple[Speaker, Person | None] | None:
        for seen in reversed(self.seen):
            if seen.at < at and not seen.person:
                return seen.speaker, None
        return None

    def _antecedent(self, at: int) -> tuple[Speaker, Person | None] | None:
        """Whom a relative pronoun refers to: the name or phrase just before it."""
        line = self.text.rfind("\n", 0, at) + 1
        begin = max(line, at - 150)
        names = [n for n in self.roster.names if begin <= n.start < at]
        if not names:
            return None
        person = self.roster.person(names[-1])
        if person:
            return self._person(person, "pronoun", 0.7), person
        return self._body(names[-1].text, phrase(self.text, (names[-1].start, names[-1].end))), None


def body_type(name: str) -> str:
    """The speaker type of something with a proper name that is no person."""
    folded = name.lower()
    last = folded.split()[-1]
    if folded in word_list("government_names") or folded in word_list("countries"):
        return "government"
    if last in word_list("groups") and last != "party":
        return "group"
    if any(word in word_list("government_nouns") for word in folded.split()):
        return "government"
    return "organization"


def described_type(core: Phrase, name: str) -> str:
    """The type of a description: a group or body where it bears a name of its own."""
    if core.head in word_list("groups") and any(w[0].isupper() for w in name.split()):
        return "group"
    if core.head in {"government", "administration", "police", "ministry", "court", "parliament"}:
        return "government"
    return "unnamed"
