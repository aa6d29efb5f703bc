"""Who makes each statement: mentions of one speaker become one name, as the codebook has it."""

import re
from collections.abc import Callable, Sequence

from flows.extract.antecedents import Antecedents
from flows.extract.documents import Publishers
from flows.extract.lexicon import word_class, word_list
from flows.extract.names import Name, fold
from flows.extract.phrases import (
    Phrase,
    appositions,
    coordinated,
    described,
    is_person_noun,
    phrase,
    trimmed,
)
from flows.extract.quotes import Quotations
from flows.extract.records import Attribution, Part, Span, Speaker, Spans
from flows.extract.roster import Person, Roster

_TITLE_GAP = "\n\n"
_CONTRACTION = re.compile(r"['’](?:s|d|ll|re|ve|m)$")
_CONFIDENCES = {
    "full_name": 0.97,
    "short_name": 0.94,
    "title": 0.75,
    "pronoun": 0.8,
    "description": 0.75,
    "author": 0.65,
}


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
        return answers

    def name_of(self, part: Part, speaker: Speaker | None) -> Callable[[Span], str | None]:
        """A function that names whom a pronoun at a span of `part` means, in `speaker`'s words."""
        return lambda span: self._sources.pronoun_name(self._moved(part, (span,))[0], speaker)

    def _moved(self, part: Part, spans: Spans) -> list[Span]:
        shift = self._shift[part]
        return [(start + shift, end + shift) for start, end in spans]


def _speaker(
    name: str, kind: str, how: str, members: tuple[str, ...] = (), certainty: float = 1.0
) -> Speaker:
    return Speaker(name, kind, how, members or (name,), _CONFIDENCES[how] * certainty)


def _person(person: Person, how: str) -> Speaker:
    return _speaker(person.name, "person" if person.surname else "unnamed", how)


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
            return self._again(self.before.several(span[0]))
        if word in word_class("it"):
            return self._again(self.before.body(span[0]))
        if word in word_class("relatives"):
            antecedent = self.before.relative(span[0])
            found = self._phrase(antecedent) if antecedent else None
            return self._again(found)
        return None

    def _again(self, speaker: Speaker | None) -> Speaker | None:
        if speaker is None:
            return None
        return _speaker(speaker.name, speaker.speaker_type, "pronoun", speaker.members)

    def _together(self, parts: list[Span]) -> Speaker | None:
        """Several speakers, where every part has a name at its head."""
        speakers = [self._named(piece) for piece in (phrase(self.text, p) for p in parts)]
        named = [speaker for speaker in speakers if speaker]
        if len(named) < 2 or len(named) < len(parts):
            return None
        members = tuple(dict.fromkeys(s.name for s in named))
        kinds = {s.speaker_type for s in named}
        kind = named[0].speaker_type if len(kinds) == 1 else "person"
        return _speaker(" and ".join(members), kind, named[0].resolution, members)

    def _phrase(self, span: Span) -> Speaker | None:
        core = phrase(self.text, span)
        if not core.words:
            return None
        return (
            self._named(core)
            or self._in_apposition(core, span)
            or self._office(core)
            or self._document(core, span)
            or self._body_again(core)
            or self._described(core)
        )

    def _named(self, core: Phrase) -> Speaker | None:
        name = core.head_name()
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

    def _body(self, name: Name) -> Speaker:
        full = self.roster.full_form(name.text)
        return _speaker(full, body_type(full), "full_name" if full == name.text else "short_name")

    def _in_apposition(self, core: Phrase, span: Span) -> Speaker | None:
        """`her campaign manager, Robby Mook,`: the name that follows."""
        for extra in appositions(self.text, span)[:2]:
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
        plain = not core.determiner or core.determiner == "the" or core.determiner == "this"
        if not plain or not is_person_noun(core.head):
            return None
        wanted = [fold(word) for word in core.core if word != core.determiner]
        person = self.before.holder(core.span[0], wanted, definite=bool(core.determiner))
        return _person(person, "title") if person else None

    def _document(self, core: Phrase, span: Span) -> Speaker | None:
        """Documents speak for whoever the article names as their author or publisher."""
        noun = next((w for w in reversed(core.core) if w in word_list("documents")), None)
        if noun is None:
            return None
        owner = self._owner(core)
        if owner:
            return _speaker(owner.name, owner.speaker_type, "author", owner.members)
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
        if first not in {"his", "her", "their", "its"}:
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
        return _speaker(name, body_type(name), "title") if name else None

    def _described(self, core: Phrase) -> Speaker:
        earlier = self.before.described(core)
        if earlier:
            return _speaker(earlier.name, earlier.speaker_type, "description", earlier.members)
        name = described(core)
        owner = self._owner(core)
        if owner:
            name = f"{owner.name}'s {name}"
        elif name[0].isupper() and not core.names:
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
