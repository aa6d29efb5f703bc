"""Whom pronouns, offices and bare surnames refer back to."""

import csv
import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from functools import cache

from flows.extract.lexicon import RESOURCES, is_person_noun, verb_forms, word_class, word_list
from flows.extract.names import fold, tokens
from flows.extract.phrases import Phrase
from flows.extract.quotes import Quotations
from flows.extract.records import Span, Speaker
from flows.extract.roster import Body, Person, Roster
from flows.extract.sentences import sentences

_RELATIVE_REACH = 160
_CLAUSE = re.compile(
    r"[;:!?“”\"\n(]|''|\b(?:but|said|says|told|that|as|by|to|with|for|like|declared|added)\s"
)
_PRONOUN = re.compile(r"\b(?:(he|him|his)|(she|her|hers))\b", re.IGNORECASE)
_OPENING = word_class("definite") | word_class("indefinite")
_OPENERS = frozenset("but and yet as while when if though although so still now for".split(" "))
_RECENT_SPEAKERS = 8
_MOST_REFERENCES = 300
_MOST_SPEAKERS = 200
_MOST_CANDIDATES = 12
_DISTANCES = (0, 1, 2, 3, 5, 8, 15)
_MOST_PRONOUN_VOTES = 4


class Antecedents:
    """What an article has mentioned so far, and who has spoken.

    Candidates are ranked by a sum of weights of what is true of them (`antecedent_weights.csv`,
    fitted on the training labels): how far back, whether as subject, who spoke last.
    """

    def __init__(self, text: str, roster: Roster, quotations: Quotations) -> None:
        self._text = text
        self._roster = roster
        self._quotations = quotations
        self._spoken: list[tuple[int, Speaker]] = []
        self._known = list(roster.people)
        self._people = {person.name: person for person in roster.people}
        self._sentences = [start for start, _ in sentences(text)]
        self._paragraphs = [m.start() for m in re.finditer(r"[^\n\r]+", text)]
        self._numbers = {person: number for number, person in enumerate(roster.people)}
        self._references: dict[Person, list[int]] = {}
        self._most_mentions = max((len(p.mentions) for p in roster.people), default=1)
        self._subjects: set[int] = set()
        self._order: list[tuple[int, int]] = []
        for number, person in enumerate(roster.people):
            places = [at for at in person.mentions if not quotations.contains(at)]
            self._references[person] = places
            self._order.extend((at, number) for at in places)
        self._order.sort()
        self._mark_subjects()
        self._pronouns: list[tuple[int, str]] = []
        self._vote_genders()
        self._pronouns.reverse()
        self._bodies: list[Body] = roster.bodies
        self._body_places = [body.start for body in self._bodies]

    def remember(self, at: int, speaker: Speaker) -> None:
        """Note who spoke at an offset; offsets never fall."""
        self._spoken.append((at, speaker))
        self._follow(at)
        person = self._people.get(speaker.name)
        if person is None and speaker.speaker_type == "unnamed" and _is_single(speaker.name):
            person = Person(speaker.name, tuple(speaker.name.split()), "", certain=True)
            person.offices.update(fold(word) for word in person.words)
            self._numbers[person] = len(self._known)
            self._known.append(person)
            self._people[person.name] = person
            self._references[person] = []
        if person:
            self._refer(person, at)

    def _follow(self, at: int) -> None:
        """Say whom the pronouns before an offset mean, so that later ones can follow them."""
        while self._pronouns and self._pronouns[-1][0] < at:
            place, gender = self._pronouns.pop()
            known = [p for p in self._recent(place) if p.gender in {"", gender}]
            person = self._best("pronoun", known, place)
            if person:
                self._refer(person, place)

    def _refer(self, person: Person, at: int) -> None:
        places = self._references[person]
        found = bisect_left(places, at)
        if found == len(places) or places[found] != at:
            places.insert(found, at)
            insort(self._order, (at, self._numbers[person]))
        self._subjects.add(at)

    def person(self, at: int, gender: str) -> Person | None:
        """The person whom `he` (`m`) or `she` (`f`) means at an offset."""
        self._follow(at)
        known = [p for p in self._recent(at) if p.gender in {"", gender}]
        return self._best("pronoun", known, at)

    def of_surname(self, people: Sequence[Person], at: int) -> Person | None:
        """Which of several people of one name a bare surname at an offset means."""
        return self._best("surname", people, at)

    def holder(
        self, at: int, wanted: Sequence[str], further: Sequence[str], *, definite: bool
    ) -> Person | None:
        """The person who was called so before: titles and roles hold the words, head noun last.

        `further` are words after the head noun. None where a person not mentioned before is
        likelier.
        """
        self._follow(at)
        people = [None, *self.holders(at, wanted, definite)]
        return self._best("office", people, at, wanted, further)

    def holders(self, at: int, wanted: Sequence[str], definite: bool) -> list[Person]:
        """Those of whom a role was said, and for a definite one those referred to last."""
        people = dict.fromkeys(p for p in self._known if p.offices[wanted[-1]])
        return list(people | dict.fromkeys(self._recent(at) if definite else ()))

    def features(
        self,
        kind: str,
        person: Person | None,
        at: int,
        wanted: Sequence[str] = (),
        further: Sequence[str] = (),
    ) -> list[str]:
        """What is true of a candidate, by name; None is somebody not mentioned before."""
        if person is None:
            held = sum(p.offices[wanted[-1]] > 0 for p in self._known)
            return [
                f"{kind}: nobody",
                f"{kind}: nobody, role held by {min(held, 2)}",
                f"{kind}: nobody, described further {bool(further)}",
            ]
        references = self._references[person]
        count = bisect_left(references, at)
        found = [f"spoke {self._turns_ago(person)}"]
        if not count:
            found.append("not yet named")
        else:
            last = references[count - 1]
            found.append(f"sentences {self._between(self._sentences, last, at)}")
            found.append(f"paragraphs {self._between(self._paragraphs, last, at)}")
            found.append(f"people since {self._people_since(person, last, at)}")
            found.append(f"subject {last in self._subjects}")
        found.append(f"mentions {_rank(len(person.mentions), self._most_mentions)}")
        found.append(f"certain {person.certain} full name {len(person.words) > 1}")
        found.append(f"described {not person.surname}")
        if kind == "pronoun":
            found.append(f"gender known {bool(person.gender)}")
        if kind == "surname":
            full = bisect_left(person.full_mentions, at)
            found.append(f"named in full {bool(full)}")
        if kind == "office":
            found.append(f"head {min(person.offices[wanted[-1]], 3)}")
            modifiers = [w for w in wanted[:-1] if person.offices[w]]
            found.append(f"modifiers {min(2, len(modifiers))}")
            found.append(f"other modifiers {min(2, len(wanted) - 1 - len(modifiers))}")
            found.append(f"further {any(person.offices[w] for w in further)} {bool(further)}")
        return [f"{kind}: {feature}" for feature in found]

    def _best(
        self,
        kind: str,
        people: Sequence[Person | None],
        at: int,
        wanted: Sequence[str] = (),
        further: Sequence[str] = (),
    ) -> Person | None:
        weights = _weights()

        def weight(person: Person | None) -> float:
            features = self.features(kind, person, at, wanted, further)
            return sum(weights.get(feature, 0.0) for feature in features)

        return max(people, key=weight, default=None)

    def _recent(self, at: int) -> list[Person]:
        """The people referred to last before an offset, latest first, then any other."""
        found: dict[int, None] = {}
        last = bisect_left(self._order, (at, -1)) - 1
        for place in range(last, max(-1, last - _MOST_REFERENCES), -1):
            found[self._order[place][1]] = None
            if len(found) >= _MOST_CANDIDATES:
                break
        return [self._known[number] for number in found] or self._known[:_MOST_CANDIDATES]

    def _turns_ago(self, person: Person) -> str:
        """How many other speakers have spoken since this person did."""
        others: set[str] = set()
        for _, speaker in reversed(self._spoken[-12:]):
            if speaker.name == person.name:
                return str(min(len(others), 3))
            others.add(speaker.name)
        return "never"

    def _between(self, starts: Sequence[int], low: int, high: int) -> int:
        """Sentences or paragraphs that begin between two offsets, in steps."""
        count = bisect_right(starts, high) - bisect_right(starts, low)
        return max(step for step in _DISTANCES if step <= count)

    def _people_since(self, person: Person, last: int, at: int) -> int:
        low, high = (
            bisect_right(self._order, (last, len(self._people))),
            bisect_left(self._order, (at, -1)),
        )
        since = {number for _, number in self._order[low : min(high, low + 20)]}
        return min(len(since), 4)

    def _mark_subjects(self) -> None:
        """Mark the first person named in each sentence."""
        last = -1
        for at, _ in self._order:
            sentence = bisect_right(self._sentences, at)
            if sentence != last:
                self._subjects.add(at)
            last = sentence

    def _vote_genders(self) -> None:
        """Let pronouns tell the gender of the only person named shortly before them."""
        for match in _PRONOUN.finditer(self._text):
            at = match.start()
            if self._quotations.contains(at):
                continue
            self._pronouns.append((at, "m" if match.group(1) else "f"))
            sentence = max(0, bisect_right(self._sentences, at) - 2)
            low = bisect_left(self._order, (self._sentences[sentence], -1))
            high = bisect_left(self._order, (at, -1))
            near = {number for _, number in self._order[low:high]}
            if len(near) == 1:
                person = self._roster.people[near.pop()]
                gender = "m" if match.group(1) else "f"
                if person.genders[f"{gender} by pronoun"] < _MOST_PRONOUN_VOTES:
                    person.genders[f"{gender} by pronoun"] += 1

    def several(self, at: int) -> Speaker | None:
        """Whom `they` means: the last speaker who is more than one."""
        for _, speaker in reversed(self._spoken[-_RECENT_SPEAKERS:]):
            if is_several(speaker):
                return speaker
        return self._spoken[-1][1] if self._spoken else None

    def spoke_since(self, low: int) -> list[Speaker]:
        """Who has spoken since an offset, latest first."""
        return [speaker for at, speaker in reversed(self._spoken[-_RECENT_SPEAKERS:]) if at >= low]

    def body(self, at: int) -> Speaker | None:
        """What `it` means: the last speaker that is no person."""
        for _, speaker in reversed(self._spoken[-_MOST_SPEAKERS:]):
            if speaker.speaker_type != "person":
                return speaker
        return None

    def described(self, core: Phrase) -> Speaker | None:
        """The last speaker whose fuller description a definite one repeats: `the official`."""
        if core.determiner not in {"the", "this", "that", "these", "those"} or len(core.words) > 2:
            return None
        for _, speaker in reversed(self._spoken[-_MOST_SPEAKERS:]):
            words = speaker.name.lower().split()
            if speaker.resolution == "description" and core.head in words and len(words) > 1:
                return speaker
        return None

    def relative(self, at: int) -> Span | None:
        """The noun phrase before `who` or `which` that it refers to."""
        begin = max(0, at - _RELATIVE_REACH, self.sentence_start(at))
        for match in _CLAUSE.finditer(self._text, begin, at - 1):
            begin = match.end()
        if self._text[begin:at].rstrip().endswith(","):
            return self._described_name(begin, at) or (begin, at)
        start = at
        for token in reversed(list(tokens(self._text, begin, at))):
            is_function = token.lower in word_list("function_words")
            if is_function and token.lower not in _OPENING | {"of", "and"}:
                break
            start = token.start
            if token.lower in _OPENING:
                break
        if start == at:
            return None
        return self._name_before(start) or (start, at)

    def _described_name(self, begin: int, at: int) -> Span | None:
        """The last person named before a comma: `Alan Berger, a gynecologist from Jersey, who`."""
        for name in reversed(self._roster.names_at(begin, at)):
            follows = self._text[name.end : name.end + 1]
            if follows in {",", " "} and not name.possessive and self._roster.person(name):
                return (name.outer_start, name.end) if follows == "," else None
        return None

    def sentence_start(self, at: int) -> int:
        """Where the sentence around an offset begins."""
        count = bisect_right(self._sentences, at)
        return self._sentences[count - 1] if count else 0

    def subjects(self, at: int) -> list[Span]:
        """What the sentence around an offset, and the three before it, begin with; latest first."""
        last = bisect_left(self._sentences, at) - 1
        starts = [self._sentences[i] for i in range(last, max(-1, last - 4), -1)]
        found = (self._subject(start, at) for start in starts)
        return [span for span in found if span]

    def _subject(self, start: int, at: int) -> Span | None:
        """The noun phrase before the first verb of a sentence, as far as closed classes tell it."""
        end = start
        begin = None
        for token in tokens(self._text, start, min(at, start + _RELATIVE_REACH)):
            if begin is None and token.lower in _OPENERS:
                continue
            begin = token.start if begin is None else begin
            if token.lower in verb_forms() or "," in self._text[end : token.start]:
                break
            end = token.end
        return (begin, end) if begin is not None and end > begin else None

    def _name_before(self, start: int) -> Span | None:
        """The name that a phrase after a comma describes: `Ronnie Cameron, a magnate who`."""
        before = self._text[max(0, start - 3) : start].rstrip()
        if not before.endswith(","):
            return None
        end = self._text.rfind(",", 0, start)
        for name in self._roster.names_at(max(0, end - _RELATIVE_REACH), end):
            if name.end == end:
                return (name.outer_start, name.end)
        return None

    def last_two(self, at: int) -> list[Person]:
        """The two people referred to last before an offset, in the order of the text."""
        people = [p for p in self._recent(at) if p.surname][:2]
        latest = {p: self._references[p][bisect_left(self._references[p], at) - 1] for p in people}
        return sorted(people, key=lambda p: latest[p]) if len(people) == 2 else []

    def last_body(self, at: int) -> Speaker | None:
        """The organization or government that spoke last, not too long before an offset."""
        for _, speaker in reversed(self._spoken[-_RECENT_SPEAKERS:]):
            if speaker.speaker_type in {"organization", "government"}:
                return speaker
        return None

    def body_named(self, at: int, wanted: Sequence[str]) -> str | None:
        """The last body before an offset whose name holds the head noun that is wanted."""
        head = wanted[-1]
        last = bisect_left(self._body_places, at) - 1
        for place in range(last, max(-1, last - _MOST_REFERENCES), -1):
            name = self._bodies[place].name
            if head in map(fold, name.split()) and len(name.split()) > 1:
                return name
        return None


def is_several(speaker: Speaker) -> bool:
    """Whether `they` can mean a speaker: several together, or a plural."""
    plural = speaker.speaker_type in {"group", "unnamed"} and _is_plural(speaker.name)
    return plural or len(speaker.members) > 1


def _is_plural(name: str) -> bool:
    """Whether a description is of several: its noun ends in `s` or is a collective."""
    words = name.lower().split()
    at = next((i for i, w in enumerate(words) if i and w in word_class("prepositions")), len(words))
    head = words[at - 1]
    return head.endswith("s") or head in word_list("groups") or head in _COLLECTIVES


_COLLECTIVES = frozenset(["people", "police", "men", "women", "those", "many", "some", "percent"])


def _is_single(name: str) -> bool:
    """Whether a description is of one person: its noun is a person's, and no plural."""
    words = name.lower().split()
    head = next((i for i, w in enumerate(words) if i and w in word_class("prepositions")), None)
    return is_person_noun(words[:head][-1])


def _rank(count: int, most: int) -> str:
    """How often someone is named, against whoever is named most."""
    share = count / max(1, most)
    return "most" if share == 1 else "often" if share > 0.5 else "some" if share > 0.2 else "rarely"


@cache
def _weights() -> dict[str, float]:
    with (RESOURCES / "antecedent_weights.csv").open(encoding="utf-8", newline="") as file:
        return {row["feature"]: float(row["weight"]) for row in csv.DictReader(file)}
