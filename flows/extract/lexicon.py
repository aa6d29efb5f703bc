"""Verbs of speech and stance: their lemmas, inflected forms and what they say about a target."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RESOURCES = Path(__file__).parent / "resources"

_VOWELS = frozenset("aeiou")
_IRREGULAR = {
    "be": "am is are was were been being 's 're",
    "come": "comes came coming",
    "cast": "casts casting",
    "cut": "cuts cutting",
    "fight": "fights fought fighting",
    "feel": "feels felt feeling",
    "find": "finds found finding",
    "forbid": "forbids forbade forbidden forbidding",
    "forgive": "forgives forgave forgiven forgiving",
    "give": "gives gave given giving",
    "hit": "hits hitting",
    "know": "knows knew known knowing",
    "meet": "meets met meeting",
    "pay": "pays paid paying",
    "put": "puts putting",
    "read": "reads reading",
    "say": "says said saying",
    "see": "sees saw seen seeing",
    "seek": "seeks sought seeking",
    "shun": "shuns shunned shunning",
    "show": "shows showed shown showing",
    "speak": "speaks spoke spoken speaking",
    "stand": "stands stood standing",
    "swear": "swears swore sworn swearing",
    "take": "takes took taken taking",
    "tear": "tears tore torn tearing",
    "tell": "tells told telling",
    "think": "thinks thought thinking",
    "understand": "understands understood understanding",
    "withdraw": "withdraws withdrew withdrawn withdrawing",
    "write": "writes wrote written writing",
}
_DOUBLING = frozenset(
    [
        "admit",
        "ban",
        "commit",
        "rebut",
        "rip",
        "scrap",
        "slam",
        "snub",
        "spur",
        "stop",
        "plan",
        "refer",
    ]
)


def inflections(verb: str) -> frozenset[str]:
    """All forms of an English verb, its lemma among them, by spelling rules and a short list."""
    if verb in _IRREGULAR:
        return frozenset([verb, *_IRREGULAR[verb].split()])
    if verb.endswith("e"):
        stem = verb[:-1]
        ing = f"{verb}ing" if verb.endswith("ee") else f"{stem}ing"
        return frozenset([verb, f"{verb}s", f"{verb}d", ing])
    if verb.endswith("y") and verb[-2] not in _VOWELS:
        return frozenset([verb, f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing"])
    plural = f"{verb}es" if verb.endswith(("s", "sh", "ch", "x", "z")) else f"{verb}s"
    stem = verb + verb[-1] if verb in _DOUBLING else verb
    return frozenset([verb, plural, f"{stem}ed", f"{stem}ing"])


@dataclass(frozen=True, slots=True)
class StanceVerb:
    """A verb or phrase of speech or action that takes a side.

    `sign`: +1 for, -1 against, 0 neither by itself. `target`, `second_target`: the argument that
    names what the side is about (`obj`, `xcomp`, `ccomp` or `obl:` with a preposition); the second
    with its own sign after `=`. `negation`: what "not" does (flip, flip_weak, cancel, none).
    `precision`: share of its rows that were right on the training labels, drawn to its family's.
    """

    lemma: str
    sign: int
    intensity: int
    target: str
    second_target: str
    family: str
    negation: str
    precision: float

    @property
    def words(self) -> tuple[str, ...]:
        """The phrase word by word, its verb first."""
        return tuple(self.lemma.split())


@cache
def stance_verbs() -> dict[str, tuple[StanceVerb, ...]]:
    """Stance verbs by each inflected form of their first word, longest phrase first."""
    found: dict[str, list[StanceVerb]] = {}
    with (RESOURCES / "stance_verbs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            verb = _stance_verb(row)
            for form in inflections(verb.words[0]):
                found.setdefault(form, []).append(verb)
    return {
        form: tuple(sorted(verbs, key=lambda verb: -len(verb.words)))
        for form, verbs in found.items()
    }


def _stance_verb(row: dict[str, str]) -> StanceVerb:
    return StanceVerb(
        lemma=row["lemma"],
        sign={"+": 1, "-": -1, "0": 0}[row["stance"]],
        intensity=int(row["intensity"]),
        target=row["target"],
        second_target=row["second_target"],
        family=row["family"],
        negation=row["negation"],
        precision=float(row["precision"]),
    )


def match_stance_verb(words: Sequence[str], at: int) -> StanceVerb | None:
    """The longest stance verb whose words stand at `at` in lower-case `words`, else None."""
    for verb in stance_verbs().get(words[at], ()):
        rest = verb.words[1:]
        if tuple(words[at + 1 : at + 1 + len(rest)]) == rest:
            return verb
    return None


@cache
def reporting_forms() -> frozenset[str]:
    """All forms of the verbs that introduce what somebody says or thinks."""
    verbs = (RESOURCES / "reporting_verbs.txt").read_text(encoding="utf-8").split("\n")
    return frozenset(form for verb in verbs if verb for form in inflections(verb.split()[0]))


@cache
def word_list(name: str) -> frozenset[str]:
    """The entries of a plain word list of the resources, one a line; `#` begins a comment."""
    lines = (RESOURCES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@cache
def word_class(name: str) -> frozenset[str]:
    """A closed class of words, such as `auxiliaries`, from the resource `word_classes.txt`."""
    return frozenset(_word_classes()[name])


@cache
def synonyms(name: str) -> dict[str, tuple[str, ...]]:
    """A class whose entries have the form `word=other,other`."""
    pairs = (entry.split("=") for entry in _word_classes()[name])
    return {word: tuple(others.split(",")) for word, others in pairs}


@cache
def _word_classes() -> dict[str, list[str]]:
    lines = (RESOURCES / "word_classes.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(":", 1) for line in lines if line and not line.startswith("#"))
    return {name: words.split() for name, words in pairs}


def is_person_noun(word: str) -> bool:
    """Whether a singular noun names a person by office, trade or kin: `senator`, `aide`."""
    folded = word.lower().replace(".", "")
    return folded in word_list("person_nouns") or folded.endswith(("-year-old", "woman"))


@cache
def verb_forms() -> frozenset[str]:
    """Words that cannot go on a subject: auxiliaries, forms of known verbs, relative pronouns."""
    plain = {form for form in reporting_forms() | stance_verbs().keys() if form.endswith("ed")}
    said = {form for verb in _IRREGULAR for form in inflections(verb)}
    return frozenset(plain | said | word_class("auxiliaries") | word_class("relatives"))
