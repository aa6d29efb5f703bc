"""Proper names as they stand in a text: runs of capitalized words, with the titles before them."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from flows.extract.lexicon import RESOURCES, word_class, word_list

_TOKEN = re.compile(r"[^\W_]+(?:[-'’.&/][^\W_]+)*\.?")
_POSSESSIVE = re.compile(r"(?:['’]s|(?<=s)['’])$", re.IGNORECASE)
_LONGEST_NAME = 12
_MOST_WORDS_OF_PERSON = 5
_SENTENCE_START = re.compile(r"(?:^|[.!?:\n\r])[\s\"“”„«‘'’(\[-]*$")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text; `bare` is its text without possessive ending and final full stop."""

    text: str
    bare: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        """The bare word in lower case."""
        return self.bare.lower()

    @property
    def is_possessive(self) -> bool:
        """Whether the word ends in `'s` or a final apostrophe."""
        return len(self.bare) < len(self.text.rstrip("."))


@dataclass(frozen=True, slots=True)
class Name:
    """A proper name in the text: `titles` stand before `words`, from `outer_start`.

    `start` and `end` are the words' own; `possessive` says that `'s` follows, `after_the` that
    "the" stands before, `opens_sentence` that a sentence begins with it.
    """

    words: tuple[str, ...]
    titles: tuple[str, ...]
    start: int
    end: int
    outer_start: int
    possessive: bool
    after_the: bool
    opens_sentence: bool

    @property
    def text(self) -> str:
        """The name's words, joined by spaces."""
        return " ".join(self.words)

    @property
    def surname(self) -> str:
        """The last word that is no suffix such as `Jr.`, folded."""
        words = [w for w in self.words if fold(w) not in word_class("suffixes")] or self.words
        return fold(words[-1])


def fold(word: str) -> str:
    """A word for comparison: lower case, without full stops, straight apostrophes."""
    return word.lower().replace(".", "").replace("’", "'")


def tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """Yield the words of a stretch of text."""
    for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
        word = match.group()
        if word.endswith(".") and not _keeps_stop(word):
            word = word[:-1]
        begin = match.start()
        finish = begin + len(word)
        if word.endswith("s") and text[finish : finish + 1] in {"'", "’"}:
            word = text[begin : finish + 1]
        yield Token(word, _POSSESSIVE.sub("", word).rstrip("."), begin, begin + len(word))


def _keeps_stop(word: str) -> bool:
    """Whether a final full stop belongs to the word: initials, `U.S.` and short titles."""
    stem = word[:-1]
    return len(stem) == 1 or "." in stem or stem.lower() in word_class("abbreviations")


def is_capitalized(word: str) -> bool:
    """Whether a word begins like a proper name, such as `Trump` or `al-Assad`."""
    return word[0].isupper() or (word[:3].lower() in {"al-", "el-"} and word[3:4].isupper())


def is_function_word(token: Token) -> bool:
    """Whether a capitalized word is one that begins sentences without being a name."""
    folded = token.text.lower().replace("’", "'")
    if folded in word_list("function_words"):
        return token.text != "US"
    return False


def find_names(text: str, start: int = 0, end: int | None = None) -> list[Name]:
    """Return the names of a stretch of text, organizations' with their `of` and `for` parts.

    Offices without a name (`the Foreign Minister`) are none.
    """
    found: list[Name] = []
    run: list[Token] = []
    previous: Token | None = None
    for token in tokens(text, start, end):
        gap = text[previous.end : token.start] if previous else ""
        if run and not _joins(run, token, gap):
            found.extend(_names(run, text))
            run = []
        if run or _may_begin(token, text):
            run.append(token)
        previous = token
    return [*found, *_names(run, text)] if run else found


def _may_begin(token: Token, text: str) -> bool:
    if not is_capitalized(token.text) or is_function_word(token):
        return False
    adverb = token.lower.endswith("ly") and len(token.text) > 5
    if not adverb or token.lower in given_names() or token.lower in word_list("countries"):
        return True
    return not _SENTENCE_START.search(text[max(0, token.start - 5) : token.start])


def _joins(run: list[Token], token: Token, gap: str) -> bool:
    """Whether a word goes on the name that a run has begun."""
    if gap == " & ":
        return is_capitalized(token.text)
    apart = gap.strip(" \u00a0") or len(gap) > 2 or "\n" in gap
    if (
        apart
        or len(run) >= _LONGEST_NAME
        or (run[-1].is_possessive and not _owns_body(run[-1], token))
    ):
        return False
    return _capital_joins(run, token) if is_capitalized(token.text) else _small_joins(run, token)


def _owns_body(owner: Token, token: Token) -> bool:
    """`Fishermen’s Union`, `Prime Minister’s Office`: the owner is part of a body's name."""
    several = owner.lower.endswith(("men", "people", "children")) or owner.text[-1] in "'’"
    office = owner.lower in word_list("titles")
    is_body = token.lower in word_list("organization_nouns")
    return (several or office) and is_body and is_capitalized(token.text)


def _capital_joins(run: list[Token], token: Token) -> bool:
    last = run[-1].lower
    inside = last in word_class("connectors") or last in word_list("honorifics")
    return (
        inside
        or token.text == "Will"
        or is_organization([run[0].bare])
        or not is_function_word(token)
    )


def _small_joins(run: list[Token], token: Token) -> bool:
    if token.lower == "and":
        return any(before.text == "of" for before in run)
    follows = run[-1].lower in {"of", "for", "on"} or token.text != "the"
    return token.lower in word_class("particles") or (
        token.lower in word_class("connectors") and follows
    )


def _names(run: list[Token], text: str) -> Iterator[Name]:
    while run and not is_capitalized(run[-1].text):
        run = run[:-1]
    while len(run) > 1 and _is_modifier(run[0], text):
        run = run[1:]
    if not run:
        return
    cut = _after_titles(run)
    titles, rest = run[:cut], run[cut:]
    for part in _parts(rest, bool(titles)):
        if titles or not _is_office(part):
            yield _name(part, titles, text)
        titles = []


def _is_modifier(token: Token, text: str) -> bool:
    """Whether a run's first word is none of the name: `U.S.-backed`, `secretary of State`."""
    _, hyphen, ending = token.bare.rpartition("-")
    if hyphen and ending.islower() and token.bare[:3].lower() not in {"al-", "el-"}:
        return True
    return token.text == "State" and text[max(0, token.start - 3) : token.start] == "of "


def _parts(run: list[Token], titled: bool) -> Iterator[list[Token]]:
    """Cut a run that is no one organization's name: `Hassan Rouhani of Iran` is two names."""
    pieces = _split(run)
    person = _person_after_body(run)
    if person:
        yield run[:person]
        yield run[person:]
    elif len(pieces) > 1 and (
        _begins_with_person(pieces[0], titled)
        or _is_at_body(run, pieces)
        or _is_of_place(run, pieces)
    ):
        head_length = len(pieces[0])
        yield pieces[0]
        rest = run[head_length:]
        while rest and rest[0].text in word_class("connectors"):
            rest = rest[1:]
        if rest:
            yield from _parts(rest, titled=False)
    else:
        yield run


def _is_of_place(run: list[Token], pieces: list[list[Token]]) -> bool:
    """`Rouhani of Iran`, but not `Bank of England`."""
    place = " ".join(token.lower for token in pieces[-1])
    joined = len(pieces) == 2 and run[len(pieces[0])].text == "of"
    known = place in word_list("places") or place in word_list("countries")
    return joined and known and not is_organization([token.bare for token in run])


def _is_at_body(run: list[Token], pieces: list[list[Token]]) -> bool:
    """`Meenakshi Ganguly of Human Rights Watch`."""
    first = [token.bare for token in pieces[0]]
    plain = not is_organization(first) and first[0].lower() not in word_list("demonyms")
    return len(first) in {2, 3} and plain and run[len(first)].text == "of"


def _person_after_body(run: list[Token]) -> int:
    """Where a person's name begins right after a body's: `leader in the Senate Clara Farias`."""
    nouns = word_list("organization_nouns")
    for at in range(1, len(run) - 1):
        rest = [token.bare for token in run[at:]]
        if run[at - 1].lower in nouns and fold(rest[0]) in given_names():
            return 0 if is_organization(rest) else at
    return 0


def _begins_with_person(piece: list[Token], titled: bool) -> bool:
    words = [token.bare for token in piece]
    if is_organization(words) or len(words) > _MOST_WORDS_OF_PERSON:
        return False
    return titled or (len(words) > 1 and fold(words[0]) in given_names())


def _split(run: list[Token]) -> list[list[Token]]:
    pieces: list[list[Token]] = [[]]
    for token in run:
        if token.text in word_class("connectors"):
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [piece for piece in pieces if piece]


def _is_office(run: list[Token]) -> bool:
    """Whether a run only names an office: `House Speaker`, `Commissioner of Charities`."""
    titles = word_list("titles")
    if run[-1].text.isupper() and len(run) == 1:
        return False
    first = _split(run)[0]
    rest = run[len(first) :]
    return run[-1].lower in titles or (
        bool(rest) and first[-1].lower in titles and rest[0].text in {"of", "for"}
    )


def _name(run: list[Token], titles: list[Token], text: str) -> Name:
    while len(run) > 1 and run[-1].lower in word_class("postnominals"):
        run = run[:-1]
    last = run[-1]
    keeps = last.lower in word_class("suffixes") or last.text.count(".") > 1
    tail = last.text if keeps and not last.is_possessive else last.bare
    outer = titles[0].start if titles else run[0].start
    before = text[max(0, outer - 20) : outer]
    return Name(
        words=(*(token.text for token in run[:-1]), tail),
        titles=tuple(token.lower for token in titles),
        start=run[0].start,
        end=last.start + len(tail),
        outer_start=outer,
        possessive=last.is_possessive,
        after_the=before.lower().endswith(("the ", "the\u00a0")),
        opens_sentence=bool(_SENTENCE_START.search(before)) if before else True,
    )


def _after_titles(run: list[Token]) -> int:
    """Number of leading words that are titles and offices, never the whole run."""
    titles = word_list("titles")
    cut = 0
    for at, token in enumerate(run[:-1]):
        follows_office = cut and run[at - 1].text == "of" and at >= 2
        if token.lower in titles or (follows_office and token.lower in _OF_OFFICES):
            cut = at + 1
    if cut and is_organization([token.bare for token in _split(run[cut:])[0]]):
        return cut if run[cut - 1].lower in word_list("honorifics") else 0
    if cut and not is_capitalized(run[cut].text):
        return 0
    first = run[0].lower
    if not cut and len(run) > 2 and (first in word_list("demonyms") or _is_trade(first)):
        return 1
    return cut


def _is_trade(word: str) -> bool:
    """Whether a word can be a trade before a name: `Epidemiologist Aylin Sarikaya`."""
    return word.endswith(("ist", "ician", "ologist", "grapher")) and word not in given_names()


_OF_OFFICES = frozenset({"state", "defense", "defence", "security", "justice", "labor", "energy"})


def is_organization(words: Sequence[str]) -> bool:
    """Whether the words of a name hold a noun of organizations, places or things, or an acronym."""
    nouns = word_list("organization_nouns")
    rest = words[1:] if len(words) > 1 and fold(words[0]) in given_names() else words
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
    if is_organization(name.words) or (name.after_the and not name.titles):
        return False
    if any(word in word_class("connectors") for word in name.words):
        return False
    places = word_list("places") | word_list("countries") | word_list("government_names")
    return folded not in places and name.words[0].lower() not in word_list("demonyms")
