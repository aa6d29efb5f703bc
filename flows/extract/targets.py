"""The targets of stances: how far they reach, what they are called and what kind they are."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flows.extract.lexicon import word_class, word_list
from flows.extract.names import Token, is_acronym
from flows.extract.records import Span

_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
_POLICY = re.compile(
    r"(?:tion|ment|ing|sion|ance|ence|ism|cy|law|bill|deal|plan|act|sanctions|talks|tax|treaty|"
    r"agreement|ban|reform|vote|proposal|policy|move|decision|measure|cut|hike|war)s?$"
)
_SENTENCE_MARKS = frozenset(",;:—()\n.")
_MOST_WORDS = 14
_MOST_LINKS = 2
_LONGEST_GAP = 3


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """Where a noun phrase stands in the text, and the number of the first word after it."""

    span: Span
    end: int


def noun_phrase(text: str, words: Sequence[Token], at: int, until: str = "") -> NounPhrase | None:
    """The noun phrase that begins at a word, with at most two prepositional parts.

    It ends before the word `until`, the preposition of the verb's other argument.
    """
    end, links = at, 0
    while end < len(words) and end - at < _MOST_WORDS:
        word = words[end].text.lower()
        if word in word_class("stops") or word == until or (end > at and _breaks(text, words, end)):
            break
        if word in word_class("np_links"):
            if end == at or links >= _MOST_LINKS or (word not in {"of", "with", "on"} and links):
                break
            links += 1
        end += 1
    end = _without_tail(words, at, end)
    return NounPhrase((words[at].start, words[end - 1].end), end) if end > at else None


def verb_phrase(text: str, words: Sequence[Token], at: int) -> Span | None:
    """The verb phrase that begins at a word, up to the next clause."""
    end = at
    while end < len(words) and end - at < _MOST_WORDS:
        if end > at and _breaks(text, words, end):
            break
        if end > at + 1 and words[end].text.lower() in word_class("stops"):
            break
        end += 1
    end = _without_tail(words, at, end)
    return (words[at].start, words[end - 1].end) if end > at else None


def clause(text: str, words: Sequence[Token], at: int) -> Span | None:
    """The clause that begins at a word, up to a comma or its twentieth word."""
    end = at
    while end < len(words) and end - at < _MOST_WORDS + 6 and not _breaks(text, words, end):
        end += 1
    return (words[at].start, words[end - 1].end) if end > at + 1 else None


def _without_tail(words: Sequence[Token], at: int, end: int) -> int:
    """The end before prepositions and determiners that lead nowhere."""
    loose = word_class("np_links") | word_class("np_determiners")
    while end > at and words[end - 1].text.lower() in loose:
        end -= 1
    return end


def _breaks(text: str, words: Sequence[Token], at: int) -> bool:
    """Whether punctuation or a jump parts a word from the one before it."""
    gap = text[words[at - 1].end : words[at].start] if at else ""
    return len(gap) > _LONGEST_GAP or " – " in gap or not _SENTENCE_MARKS.isdisjoint(gap)


def target_name(text: str, span: Span, name_of: Callable[[Span], str | None]) -> str:
    """A target's words without article, or the name that its pronoun stands for."""
    words = text[slice(*span)]
    resolved = name_of(span)
    return resolved or " ".join(_ARTICLE.sub("", words).split()) or words


def target_type(name: str, role: str) -> str:
    """What kind of thing a target is, by its form and its role beside the verb."""
    if role == "claim":
        return "claim"
    if role in {"act", "reason", "undone"}:
        return "policy"
    words = name.split()
    links = (at for at, word in enumerate(words) if at and word.lower() in word_class("np_links"))
    core = words[: next(links, len(words))]
    head = core[-1].lower()
    if _POLICY.search(head) or core[0].endswith("ing"):
        return "policy"
    if head in word_list("groups") or head in word_list("person_nouns") or is_acronym(core[-1]):
        return "actor"
    return "actor" if all(word[0].isupper() for word in core) else "other"
