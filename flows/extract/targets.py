"""The targets of stances: how far they reach, what they are called and what kind they are."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flows.extract.lexicon import word_list
from flows.extract.names import Token, is_acronym
from flows.extract.records import Span

_DETERMINERS = frozenset(
    [
        "a",
        "an",
        "the",
        "his",
        "her",
        "its",
        "their",
        "our",
        "my",
        "your",
        "this",
        "that",
        "these",
        "those",
        "any",
        "some",
        "all",
        "no",
        "every",
        "both",
        "each",
        "what",
        "such",
    ]
)
_LINKS = frozenset(
    [
        "of",
        "with",
        "on",
        "to",
        "for",
        "in",
        "from",
        "against",
        "between",
        "over",
        "about",
        "into",
        "under",
        "at",
        "by",
    ]
)
_STOPS = frozenset(
    [
        "that",
        "which",
        "who",
        "whom",
        "whose",
        "because",
        "after",
        "before",
        "when",
        "while",
        "as",
        "since",
        "if",
        "although",
        "though",
        "unless",
        "until",
        "whether",
        "where",
        "why",
        "how",
        "but",
        "so",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "has",
        "have",
        "had",
        "will",
        "would",
        "could",
        "should",
        "can",
        "may",
        "might",
        "must",
        "does",
        "did",
        "do",
        "said",
        "says",
        "told",
        "and",
        "or",
        "than",
        "amid",
        "during",
        "despite",
        "including",
        "following",
        "through",
        "without",
    ]
)
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
_POLICY_ENDINGS = re.compile(r"(?:tion|ment|ing|sion|ance|ence|ism|cy|law|bill|deal|plan|act)s?$")
_MOST_WORDS = 14
_MOST_LINKS = 2
_LONGEST_GAP = 3


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """Where a noun phrase stands in the text, and the number of the first word after it."""

    span: Span
    end: int


def noun_phrase(text: str, words: Sequence[Token], at: int) -> NounPhrase | None:
    """The noun phrase that begins at a word, with at most two prepositional parts."""
    end, links = at, 0
    while end < len(words) and end - at < _MOST_WORDS:
        word = words[end].text.lower()
        if end > at and _breaks(text, words, end):
            break
        if word in _STOPS:
            break
        if word in _LINKS:
            if end == at or links >= _MOST_LINKS or (word not in {"of", "with", "on"} and links):
                break
            links += 1
        end += 1
    while end > at and words[end - 1].text.lower() in _LINKS | _DETERMINERS:
        end -= 1
    if end <= at:
        return None
    return NounPhrase((words[at].start, words[end - 1].end), end)


def verb_phrase(text: str, words: Sequence[Token], at: int) -> Span | None:
    """The verb phrase that begins at a word, up to the next clause."""
    end = at
    while end < len(words) and end - at < _MOST_WORDS:
        if end > at and _breaks(text, words, end):
            break
        if end > at + 1 and words[end].text.lower() in _STOPS:
            break
        end += 1
    while end > at and words[end - 1].text.lower() in _LINKS | _DETERMINERS:
        end -= 1
    return (words[at].start, words[end - 1].end) if end > at else None


def _breaks(text: str, words: Sequence[Token], at: int) -> bool:
    """Whether punctuation or a jump parts a word from the one before it."""
    gap = text[words[at - 1].end : words[at].start]
    return len(gap) > _LONGEST_GAP or any(mark in gap for mark in ",;:—()\n.") or " – " in gap


def target_name(text: str, span: Span, name_of: Callable[[Span], str | None]) -> str:
    """A target's words without article, or the name that its pronoun stands for."""
    words = text[slice(*span)]
    resolved = name_of(span)
    return resolved or " ".join(_ARTICLE.sub("", words).split()) or words


def target_type(name: str, role: str) -> str:
    """What kind of thing a target is, by its form and its role beside the verb."""
    if role in {"act", "reason", "undone"}:
        return "policy"
    words = name.split()
    last = words[-1].lower()
    if last in word_list("groups") or is_acronym(words[-1]):
        return "actor"
    if all(word[0].isupper() for word in words if word.lower() not in _LINKS):
        return "actor"
    return "policy" if _POLICY_ENDINGS.search(last) else "other"
