"""Proper names as they stand in a text: runs of capitalized words, with the titles before them."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from flows.extract.lexicon import RESOURCES, word_list

_TOKEN = re.compile(r"[^\W_]+(?:[-'’.&/][^\W_]+)*\.?")
_POSSESSIVE = re.compile(r"(?:['’]s|(?<=s)['’])$", re.IGNORECASE)
_PARTICLES = frozenset(
    [
        "de",
        "la",
        "del",
        "della",
        "di",
        "da",
        "dos",
        "das",
        "du",
        "van",
        "von",
        "der",
        "den",
        "bin",
        "ibn",
        "al",
        "el",
        "le",
        "ten",
        "y",
    ]
)
_CONNECTORS = frozenset(["of", "for", "on", "the", "and", "&"])
_SUFFIXES = frozenset(
    ["jr", "sr", "ii", "iii", "iv", "mp", "mep", "mla", "esq", "phd", "md", "obe"]
)
_LONGEST_NAME = 12
_MOST_WORDS_OF_PERSON = 5


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text; `bare` is its text without possessive ending and final full stop."""

    text: str
    bare: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        """The bare word in lower case, without full stops: `Sen.` gives `sen`, `U.S.` gives `us`."""
        return self.bare.lower()

    @property
    def is_possessive(self) -> bool:
        """Whether the word ends in `'s` or a final apostrophe."""
        return len(self.bare) < len(self.text.rstrip("."))


@dataclass(frozen=True, slots=True)
class Name:
    """A proper name in the text: `titles` and `words` follow one another; `start` is the words'.

    `full` is the name with connectors (`of`, `for`) for organizations; `possessive`: `X's`.
    """

    words: tuple[str, ...]
    titles: tuple[str, ...]
    start: int
    end: int
    outer_start: int
    possessive: bool
    after_the: bool

    @property
    def text(self) -> str:
        """The name's words, joined by spaces."""
        return " ".join(self.words)

    @property
    def surname(self) -> str:
        """The last word that is no suffix such as `Jr.`, in lower case."""
        words = [w for w in self.words if w.lower().rstrip(".") not in _SUFFIXES] or self.words
        return words[-1].lower()


def tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """Yield the words of a stretch of text."""
    for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
        word = match.group()
        if word.endswith(".") and not _keeps_stop(word):
            word = word[:-1]
        begin = match.start()
        finish = begin + len(word)
        if text[finish : finish + 1] in "'’" and word.endswith("s") and finish < len(text):
            word = text[begin : finish + 1]
        yield Token(word, _POSSESSIVE.sub("", word).rstrip("."), begin, begin + len(word))


def _keeps_stop(word: str) -> bool:
    """Whether a final full stop belongs to the word: initials, `U.S.` and short titles."""
    stem = word[:-1]
    return len(stem) == 1 or "." in stem or stem.lower() in _ABBREVIATIONS


_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "sen",
        "sens",
        "rep",
        "reps",
        "gov",
        "govs",
        "gen",
        "col",
        "lt",
        "maj",
        "adm",
        "capt",
        "cmdr",
        "sgt",
        "hon",
        "rev",
        "prof",
        "jr",
        "sr",
        "st",
        "pres",
        "atty",
        "supt",
    ]
)


def is_capitalized(word: str) -> bool:
    """Whether a word begins like a proper name (`Trump`, `al-Assad`, `iPhone` does not)."""
    return word[0].isupper() or (word[:3].lower() in {"al-", "el-"} and word[3:4].isupper())


def is_function_word(token: Token) -> bool:
    """Whether a word is one that begins sentences or headlines without being a name."""
    return (
        token.text.lower().replace("’", "'") in word_list("function_words") and token.text != "US"
    )


def find_names(text: str, start: int = 0, end: int | None = None) -> list[Name]:
    """Return the names of a stretch of text, organizations' with their `of` and `for` parts."""
    found: list[Name] = []
    run: list[Token] = []
    previous: Token | None = None
    for token in tokens(text, start, end):
        gap = text[previous.end : token.start] if previous else ""
        if run and not _joins(run, token, gap):
            found.extend(_names(run, text))
            run = []
        if run or (is_capitalized(token.text) and not is_function_word(token)):
            run.append(token)
        previous = token
    return [*found, *_names(run, text)] if run else found


def _joins(run: list[Token], token: Token, gap: str) -> bool:
    last = run[-1]
    if gap.strip(" \u00a0") or len(gap) > 2 or "\n" in gap or last.is_possessive:
        return False
    if len(run) >= _LONGEST_NAME:
        return False
    if is_capitalized(token.text):
        return not is_function_word(token) or last.lower in _CONNECTORS or token.text == "Will"
    if token.lower in _PARTICLES:
        return True
    if token.lower == "and":
        return any(before.text == "of" for before in run)
    return token.lower in _CONNECTORS and (
        last.lower in {"of", "for", "on"} or token.lower != "the"
    )


def _names(run: list[Token], text: str) -> Iterator[Name]:
    while run and not is_capitalized(run[-1].text):
        run = run[:-1]
    if not run:
        return
    cut = _after_titles(run)
    outer, titles, rest = run[0].start, run[:cut], run[cut:]
    if not is_organization([token.bare for token in rest]):
        for part in _split(rest):
            yield _name(part, titles, outer, text)
            titles, outer = [], part[-1].end
    else:
        yield _name(rest, titles, outer, text)


def _split(run: list[Token]) -> Iterator[list[Token]]:
    """Cut a run that is no organization at its connectors: `Rouhani of Iran` is two names."""
    part: list[Token] = []
    for token in run:
        if token.text in _CONNECTORS:
            if part:
                yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _name(run: list[Token], titles: list[Token], outer: int, text: str) -> Name:
    last = run[-1]
    tail = last.text if last.bare.lower() in _SUFFIXES or last.text.count(".") > 1 else last.bare
    words = (*(token.text for token in run[:-1]), tail)
    before = text[max(0, outer - 5) : outer].lower().split()
    return Name(
        words=words,
        titles=tuple(token.lower for token in titles),
        start=run[0].start,
        end=last.start + len(tail),
        outer_start=min(outer, run[0].start),
        possessive=last.is_possessive,
        after_the=bool(before) and before[-1] == "the",
    )


def _after_titles(run: list[Token]) -> int:
    """Number of leading words that are titles and offices, never the whole run."""
    cut = 0
    titles = word_list("titles")
    for at, token in enumerate(run[:-1]):
        if token.lower in titles or (token.lower in {"state", "defense"} and at >= 2 and cut):
            cut = at + 1
    if (
        cut
        and is_organization([token.bare for token in run[cut:]])
        and run[cut - 1].text[-1] != "."
    ):
        return 0
    if not cut and len(run) > 2 and run[0].lower in word_list("demonyms"):
        return 1
    return cut


def is_organization(words: list[str]) -> bool:
    """Whether the words of a name hold a noun of organizations, places or things, or an acronym."""
    nouns = word_list("organization_nouns")
    rest = words[1:] if len(words) > 1 and words[0].lower() in given_names() else words
    return any(word.lower() in nouns for word in rest) or is_acronym(words[-1])


def is_acronym(word: str) -> bool:
    """Whether a word is written in capitals only, such as `FBI` or `U.N.`."""
    letters = word.replace(".", "")
    return len(letters) > 1 and letters.isupper() and letters.isalpha()


@cache
def given_names() -> dict[str, str]:
    """Common given names with `f`, `m` or, where it can be either, an empty string."""
    with (RESOURCES / "given_names.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["gender"] for row in csv.DictReader(file)}


def looks_like_person(name: Name) -> bool:
    """Whether a name of several words can be a person's, by its form alone."""
    folded = name.text.lower()
    if not 2 <= len(name.words) <= _MOST_WORDS_OF_PERSON or any(c.isdigit() for c in folded):
        return False
    if is_organization(list(name.words)) or (name.after_the and not name.titles):
        return False
    places = word_list("places") | word_list("countries")
    if folded in places or folded in word_list("government_names"):
        return False
    return not any(w.lower() in word_list("demonyms") for w in name.words[:1])
