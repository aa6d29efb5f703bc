"""The people and bodies that an article names, each once, with all the ways it refers to them."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from flows.extract.lexicon import word_list
from flows.extract.names import (
    Name,
    find_names,
    given_names,
    is_acronym,
    is_organization,
    looks_like_person,
)

_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
_SHORT_OFFICES = {
    "sen": "senator",
    "gov": "governor",
    "rep": "representative congressman congresswoman",
    "gen": "general",
    "pres": "president",
    "col": "colonel",
    "adm": "admiral",
    "prof": "professor",
    "dr": "doctor",
    "rev": "reverend pastor",
    "atty": "attorney",
    "cllr": "councillor",
    "lt": "lieutenant",
    "mp": "lawmaker",
    "ceo": "executive chief",
}
_FEMALE_TITLES = frozenset(
    [
        "mrs",
        "ms",
        "miss",
        "madam",
        "madame",
        "dame",
        "lady",
        "baroness",
        "congresswoman",
        "councilwoman",
        "chairwoman",
        "spokeswoman",
        "businesswoman",
        "actress",
        "queen",
        "princess",
        "sister",
        "señora",
        "frau",
        "hajia",
        "smt",
    ]
)
_MALE_TITLES = frozenset(
    [
        "mr",
        "sir",
        "lord",
        "congressman",
        "councilman",
        "chairman",
        "spokesman",
        "businessman",
        "king",
        "prince",
        "herr",
        "señor",
        "monsieur",
        "shri",
        "father",
        "brother",
        "pope",
        "alhaji",
    ]
)
_ROLE_BEFORE = re.compile(r"((?:[\w’'-]+ ){1,8})$")
_APPOSITION = re.compile(
    r"(?:,|\s[–—-]) (?:(?:the|a|an|who is|who was|his|her|its|their)\s)?([^,.;:()\n]{3,90})"
)
_PARTY = re.compile(r"\s*\(([RDI])[-–—.\s,)]")


@dataclass(eq=False, slots=True)
class Person:
    """Somebody whom the article names.

    `offices` counts the words of titles, roles and appositions; `genders` the evidence for `f` and
    `m`; `mentions` are the offsets of all names that refer to the person, in order.
    """

    name: str
    words: tuple[str, ...]
    surname: str
    offices: Counter[str] = field(default_factory=Counter)
    genders: Counter[str] = field(default_factory=Counter)
    mentions: list[int] = field(default_factory=list)
    full_mentions: list[int] = field(default_factory=list)

    @property
    def gender(self) -> str:
        """`f`, `m`, or empty where the article gives no hint."""
        most = self.genders.most_common(2)
        if not most or (len(most) == 2 and most[0][1] == most[1][1]):
            return ""
        return most[0][0]

    @property
    def is_full(self) -> bool:
        """Whether the article gives more than one word of the name."""
        return len(self.words) > 1


def fold(word: str) -> str:
    """A word for comparison: lower case, without full stops."""
    return word.lower().replace(".", "").replace("’", "'")


class Roster:
    """All persons and bodies named in a text, to look a mention up."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names = find_names(text)
        self.people: list[Person] = []
        self._by_word: dict[str, list[Person]] = {}
        self._add_people()
        self._attach_mentions()
        self.acronyms = _acronyms(text)
        self.bodies = Counter(name.text for name in self.names if not looks_like_person(name))

    def _add_people(self) -> None:
        singles = Counter(fold(n.words[0]) for n in self.names if len(n.words) == 1)
        full = [n for n in self.names if looks_like_person(n) and self._is_person(n, singles)]
        for name in sorted(full, key=lambda n: (-len(n.words), n.start)):
            if not self._known(name):
                self._add(Person(name.text, name.words, fold(name.surname)))

    def _add(self, person: Person) -> None:
        self.people.append(person)
        for word in dict.fromkeys(map(fold, person.words)):
            if len(word) > 1:
                self._by_word.setdefault(word, []).append(person)

    def _is_person(self, name: Name, singles: Counter[str]) -> bool:
        if name.titles or fold(name.words[0]) in given_names():
            return True
        if singles[fold(name.surname)] or re.fullmatch(r"[A-Z]\.?", name.words[1]):
            return True
        before = self.text[max(0, name.start - 9) : name.start].lower().split()
        return not before or before[-1] not in {"in", "at", "from", "the", "of", "near"}

    def _known(self, name: Name) -> Person | None:
        """The person of whose name this is a shorter or equal form of at least two words."""
        surname = fold(name.surname)
        for person in self._by_word.get(surname, ()):
            if person.surname == surname and _is_form_of(name.words, person.words):
                return person
        return None

    def _attach_mentions(self) -> None:
        for name in self.names:
            person = self.person(name)
            if person is None and _is_titled_single(name):
                person = Person(name.text, name.words, fold(name.surname))
                self._add(person)
            if person:
                person.mentions.append(name.start)
                if len(name.words) > 1:
                    person.full_mentions.append(name.start)
                self._describe(person, name)

    def person(self, name: Name, at: int | None = None) -> Person | None:
        """The person whom a name refers to; `at` is where, if not at the name's own place."""
        if len(name.words) > 1:
            known = self._known(name)
            if known or looks_like_person(name):
                return known
            return None
        place = name.start if at is None else at
        return self.by_word(name.words[0], place, _gender_of(name.titles))

    def by_word(self, word: str, at: int, gender: str = "") -> Person | None:
        """The person whom a single name means at an offset: by surname, else by another name."""
        folded = fold(word)
        found = self._by_word.get(folded, [])
        found = [p for p in found if p.surname == folded] or found
        if gender:
            found = [p for p in found if p.gender in {"", gender}]
        if len(found) < 2:
            return found[0] if found else None
        return max(found, key=lambda p: _salience(p, at))

    def _describe(self, person: Person, name: Name) -> None:
        gender = _gender_of(name.titles) or given_names().get(fold(name.words[0]), "")
        if gender and (len(name.words) > 1 or name.titles):
            person.genders[gender] += 3 if name.titles else 2
        person.offices.update(_office_words(name.titles))
        line = self.text.rfind("\n", 0, name.outer_start) + 1
        before = _ROLE_BEFORE.search(self.text, max(line, name.outer_start - 80), name.outer_start)
        if before and len(name.words) > 1:
            person.offices.update(_role_words(before.group(1)))
        after = _APPOSITION.match(self.text, name.end)
        if after and not name.possessive:
            person.offices.update(_office_words(_WORD.findall(after.group(1).lower())))
        party = _PARTY.match(self.text, name.end)
        if party:
            person.offices[{"R": "republican", "D": "democrat", "I": "independent"}[party[1]]] += 1


def _is_titled_single(name: Name) -> bool:
    return (
        bool(name.titles)
        and len(name.words) == 1
        and not is_acronym(name.words[0])
        and not (is_organization(list(name.words)))
    )


def _is_form_of(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    """Whether the words before the surname agree: all are in the full name, or are its initials."""
    a, b = [fold(w) for w in short[:-1]], [fold(w) for w in full]
    return all(w in b or any(len(w) == 1 and x.startswith(w) for x in b) for w in a)


def _salience(person: Person, at: int) -> tuple[int, int]:
    named = sum(1 for m in person.full_mentions if m <= at)
    last = max((m for m in person.full_mentions if m <= at), default=-1)
    return (last >= 0, last) if named else (0, -min(person.mentions, default=0))


def _gender_of(titles: Iterable[str]) -> str:
    for title in titles:
        if title in _FEMALE_TITLES:
            return "f"
        if title in _MALE_TITLES:
            return "m"
    return ""


def _office_words(words: Iterable[str]) -> list[str]:
    found = []
    for word in words:
        folded = fold(word)
        found.extend([folded, *_SHORT_OFFICES.get(folded, "").split()])
    return found


def _role_words(before: str) -> list[str]:
    """The words of a role right before a name: `Clinton campaign spokesman` Brian Fallon."""
    words: list[str] = []
    for word in reversed(before.split()):
        if word.lower() in word_list("function_words") or not word[-1].isalnum():
            break
        words.append(word.lower())
    return _office_words(words)


def _acronyms(text: str) -> dict[str, str]:
    """Short forms that the article gives in brackets: `Joint Rivers Commission (JRC)`."""
    found = {}
    for match in re.finditer(r"\(([A-Z][A-Za-z.-]{1,9})\)", text):
        names = find_names(text, max(0, match.start() - 120), match.start())
        if names and match.start() - names[-1].end <= 2:
            found[match.group(1)] = names[-1].text
    return found
