"""The people and bodies that an article names, each once, with all the ways it refers to them."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from flows.extract.lexicon import is_person_noun, synonyms, verb_forms, word_class, word_list
from flows.extract.names import (
    Name,
    find_names,
    fold,
    given_names,
    is_acronym,
    is_capitalized,
    is_organization,
    looks_like_person,
    tokens,
)

_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
_ROLE_REACH = 80
_APPOSITION = re.compile(
    r"(?:,|\s[–—-])\s((?:the|a|an|who is|who was|his|her|its|their)\s)?([^,.;:()\n]{3,90})"
)
_PARTY = re.compile(r"\s*\(([RDI])[-–—.\s,)]")
_PARTIES = {"R": "republican", "D": "democrat", "I": "independent"}
_SHORT_FORM = re.compile(r"\(([A-Z][A-Za-z.&-]{1,9})\)")
_NEAR = 3
_MOST_NAMESAKES = 50
_LONGEST_HEADLINE = 200
_HEADLINE_SHARE = 0.7


@dataclass(eq=False, slots=True)
class Person:
    """Somebody whom the article names.

    `offices` counts the words of titles, roles and appositions; `genders` the evidence for `f` and
    `m`; `mentions` are the offsets of all names that refer to the person, in order, and
    `full_mentions` of those with more than one word. `certain`: a title or a given name shows that
    it is a person.
    """

    name: str
    words: tuple[str, ...]
    surname: str
    offices: Counter[str] = field(default_factory=Counter)
    genders: Counter[str] = field(default_factory=Counter)
    mentions: list[int] = field(default_factory=list)
    full_mentions: list[int] = field(default_factory=list)
    certain: bool = False

    @property
    def gender(self) -> str:
        """`f`, `m`, or empty where the article gives no hint."""
        female, male = (self.genders[g] + self.genders[f"{g} by pronoun"] for g in "fm")
        return "" if female == male else "f" if female > male else "m"


@dataclass(frozen=True, slots=True)
class Body:
    """A name that is no person's: an organization, a government, a group, a place."""

    name: str
    start: int


class Roster:
    """All persons and bodies named in a text, to look a mention up."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.choose: Callable[[Sequence[Person], int], Person | None] | None = None
        self.people: list[Person] = []
        self._by_word: dict[str, list[Person]] = {}
        self._common = _common_words(text)
        self._inside = _inside_sentences(text)
        headlines = _headlines(text)
        names = [name for name in find_names(text) if self.is_name(name)]
        self.names = [name for name in names if not _stands_in(headlines, name.start)]
        self._starts = [name.start for name in self.names]
        self._add_people()
        for name in self.names:
            self._attach(name)
        self.short_forms = _short_forms(text, self.names)
        self.bodies = [
            Body(self.full_form(name.text), name.start)
            for name in self.names
            if self.person(name) is None
        ]

    def is_name(self, name: Name) -> bool:
        """Whether a capitalized word that opens a sentence is a name and not `Footage`."""
        if not name.opens_sentence or len(name.words) > 1 or name.titles:
            return True
        word = fold(name.words[0])
        namesakes = self._by_word.get(word, [])[:_MOST_NAMESAKES]
        if any(person.surname == word for person in namesakes):
            return True
        plural = (
            word.endswith("s") and not word.endswith("ss") and name.words[0] not in self._inside
        )
        return word not in self._common and not plural and not is_person_noun(word)

    def full_form(self, name: str) -> str:
        """The name that a short form stands for (`FEC`, `Pew`), else the name itself."""
        return self.short_forms.get(name.replace(".", ""), name)

    def names_at(self, start: int, end: int) -> list[Name]:
        """The names that begin within a stretch of the text."""
        low, high = bisect_left(self._starts, start), bisect_left(self._starts, end)
        return self.names[low:high]

    def person(self, name: Name, at: int | None = None) -> Person | None:
        """The person whom a name refers to; `at` is where, if not at the name's own place."""
        if len(name.words) > 1:
            return self._known(name) or self._before_connector(name)
        if is_acronym(name.words[0]) and len(name.words[0]) < 4:
            return None
        place = name.start if at is None else at
        return self.by_word(name.words[0], place, gender_of(name.titles))

    def by_word(self, word: str, at: int, gender: str = "") -> Person | None:
        """The person whom a single name means at an offset: by surname, else by another name."""
        folded = fold(word)
        found = self._by_word.get(folded, [])[:_MOST_NAMESAKES]
        found = [p for p in found if p.surname == folded] or found
        if gender:
            found = [p for p in found if p.gender == gender] or [p for p in found if not p.gender]
        if len(found) < 2:
            return found[0] if found else None
        return self.choose(found, at) if self.choose else max(found, key=lambda p: _claim(p, at))

    def _add_people(self) -> None:
        singles = Counter(fold(n.words[0]) for n in self.names if len(n.words) == 1)
        full = [n for n in self.names if looks_like_person(n) and self._is_person(n, singles)]
        for name in sorted(full, key=lambda n: (not _is_certain(n), -len(n.words), n.start)):
            if not self._known(name) and not self._ends_with_person(name):
                self._add(Person(name.text, name.words, name.surname))

    def _ends_with_person(self, name: Name) -> bool:
        """Whether a name is another's with words before it: `Imagine Brad Thor`."""
        people = self._by_word.get(name.surname, [])[:_MOST_NAMESAKES]
        return any(
            fold(p.words[0]) in given_names() and name.words[-len(p.words) :] == p.words
            for p in people
        )

    def _add(self, person: Person) -> None:
        self.people.append(person)
        for word in dict.fromkeys(map(fold, person.words)):
            if len(word) > 1 and word not in word_class("particles"):
                self._by_word.setdefault(word, []).append(person)

    def _is_person(self, name: Name, singles: Counter[str]) -> bool:
        if name.titles or fold(name.words[0]) in given_names():
            return True
        if singles[name.surname] or re.fullmatch(r"[A-Z]\.?", name.words[1]):
            return True
        before = self.text[max(0, name.start - 9) : name.start].lower().split()
        return not before or before[-1] not in {"in", "at", "from", "the", "of", "near"}

    def _known(self, name: Name) -> Person | None:
        """The person of whose name this is a shorter or equal form of at least two words."""
        for person in self._by_word.get(name.surname, [])[:_MOST_NAMESAKES]:
            if person.surname == name.surname and _is_form_of(name.words, person.words):
                return person
        return None

    def _before_connector(self, name: Name) -> Person | None:
        """The person in a name such as `Moriyama of the Constitutional Liberals`."""
        for at, word in enumerate(name.words):
            if word in word_class("connectors"):
                first = replace(name, words=name.words[:at])
                known = self._known(first) if at > 1 else self._by_word.get(fold(name.words[0]))
                return known[0] if isinstance(known, list) else known
        return None

    def _attach(self, name: Name) -> None:
        person = self.person(name)
        if person is None and _is_titled_single(name):
            person = Person(name.text, name.words, name.surname)
            self._add(person)
        if person:
            person.mentions.append(name.start)
            if len(name.words) > 1:
                person.full_mentions.append(name.start)
            self._describe(person, name)

    def _describe(self, person: Person, name: Name) -> None:
        person.certain |= _is_certain(name)
        gender = gender_of(name.titles) or given_names().get(fold(name.words[0]), "")
        if gender and (len(name.words) > 1 or name.titles):
            person.genders[gender] += 3 if name.titles else 2
        person.offices.update(_office_words(name.titles))
        if len(name.words) > 1 or name.titles:
            role = self._role_before(name)
            person.offices.update(role)
            person.genders.update(filter(None, [gender_of(role[:_NEAR])]))
        after = _APPOSITION.match(self.text, name.end)
        if after and not name.possessive:
            words = _WORD.findall(after.group(2).lower())
            plain = any(map(_is_role, words[:_NEAR])) and words[0] not in verb_forms()
            if after.group(1) or plain:
                person.offices.update(_office_words(words))
                person.genders.update(filter(None, [gender_of(words[:_NEAR])]))
        party = _PARTY.match(self.text, name.end)
        if party:
            person.offices[_PARTIES[party[1]]] += 1

    def _role_before(self, name: Name) -> list[str]:
        """The words of a role right before a name: `Clinton campaign spokesman` Brian Fallon."""
        line = self.text.rfind("\n", 0, name.outer_start) + 1
        begin = max(line, name.outer_start - _ROLE_REACH)
        words: list[str] = []
        end = name.outer_start
        for token in reversed(list(tokens(self.text, begin, end))):
            apart = self.text[token.end : end].strip(" \u00a0")
            stops = token.lower in word_list("function_words") or token.lower in verb_forms()
            if stops or (apart and words) or apart not in {"", ","}:
                break
            words.append(token.lower)
            end = token.start
        return _office_words(words) if any(map(_is_role, words)) else []


def _is_role(word: str) -> bool:
    return is_person_noun(word) or word in word_list("titles")


def gender_of(titles: Iterable[str]) -> str:
    """The gender that a title implies: `f` for Mrs, `m` for Mr, else empty."""
    for title in titles:
        if title in word_class("female_titles"):
            return "f"
        if title in word_class("male_titles"):
            return "m"
    return ""


def _is_certain(name: Name) -> bool:
    return bool(name.titles) or fold(name.words[0]) in given_names()


def _claim(person: Person, at: int) -> tuple[bool, int]:
    """How likely a shared surname means this person: named in full before, and last."""
    count = bisect_right(person.full_mentions, at)
    if count:
        return True, person.full_mentions[count - 1]
    return False, -person.mentions[0] if person.mentions else 0


def _is_titled_single(name: Name) -> bool:
    single = bool(name.titles) and len(name.words) == 1
    return single and not is_organization(name.words)


def _is_form_of(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    """Whether the words before the surname agree: all are in the full name, or are its initials."""
    a, b = [fold(w) for w in short[:-1]], [fold(w) for w in full]
    return all(w in b or any(len(w) == 1 and x.startswith(w) for x in b) for w in a)


def _office_words(words: Iterable[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        folded = fold(word)
        found.extend([folded, *synonyms("office_synonyms").get(folded, ())])
    return found


def _common_words(text: str) -> frozenset[str]:
    """Words that the text also has in lower case, or that are nouns of persons and things."""
    lower = {word for word in _WORD.findall(text) if word[0].islower()}
    return frozenset(lower) | word_list("person_nouns") | word_list("documents")


def _inside_sentences(text: str) -> frozenset[str]:
    """Capitalized words that stand elsewhere than at the beginning of a sentence."""
    return frozenset(re.findall(r"(?<=[\w,] )[^\W\d_a-z]\w+", text))


def _headlines(text: str) -> list[tuple[int, int]]:
    """Lines in title case or capitals, where capitals say nothing about names."""
    found = []
    for match in re.finditer(r"[^\n\r]+", text):
        line = match.group()
        if len(line) > _LONGEST_HEADLINE or line.rstrip().endswith((".", "”", '"')):
            continue
        words = [w for w in _WORD.findall(line) if len(w) > 3]
        capitals = sum(1 for w in words if is_capitalized(w))
        if len(words) > 3 and capitals >= _HEADLINE_SHARE * len(words):
            found.append(match.span())
    return found


def _stands_in(stretches: list[tuple[int, int]], at: int) -> bool:
    place = bisect_right(stretches, (at, len(stretches) and stretches[-1][1])) - 1
    return place >= 0 and at < stretches[place][1]


def _short_forms(text: str, names: list[Name]) -> dict[str, str]:
    """Short forms of bodies: in brackets after the name, its initials, its first word.

    `Joint Rivers Commission (JRC)`, `the F.E.C.` and `Pew` for `Pew Research Center`.
    """
    found: dict[str, str] = {}
    ends = {name.end: name.text for name in names}
    for match in _SHORT_FORM.finditer(text):
        full = ends.get(match.start() - 1)
        if full:
            found.setdefault(match.group(1).replace(".", ""), full)
    for name in names:
        if len(name.words) > 1 and not looks_like_person(name):
            for short in (*_initials(name.words), *_first_word(name)):
                found.setdefault(short, name.text)
    return found


def _initials(words: tuple[str, ...]) -> tuple[str, ...]:
    main = [w for w in words if w not in word_class("connectors")]
    initials = "".join(w[0] for w in main).upper()
    return (initials,) if len(main) > 1 and all(is_capitalized(w) for w in main) else ()


def _first_word(name: Name) -> tuple[str, ...]:
    word = name.words[0]
    places = word_list("places") | word_list("countries") | word_list("government_names")
    common = places | word_list("demonyms") | word_list("organization_nouns") | word_list("groups")
    plain = word.lower() not in common and word not in given_names() and word.isalpha()
    return (word,) if plain and len(word) > 2 and is_organization(name.words) else ()
