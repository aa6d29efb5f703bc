"""What a statement is for or against, by the verbs that carry a stance."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flows.extract.lexicon import StanceVerb, match_stance_verb, stance_verbs
from flows.extract.names import Token, tokens
from flows.extract.records import Attribution, Sign, Span, Speaker, Stance
from flows.extract.targets import noun_phrase, target_name, target_type, verb_phrase

MOST_ROWS = 3
"""Targets of a statement that a reader would name first."""
NameOf = Callable[[Span], str | None]
"""Gives the name that a pronoun of the text stands for, None where it is none."""

_NEGATIONS = frozenset(
    ["not", "never", "n't", "cannot", "no", "hardly", "neither", "nor", "without"]
)
_REFUSALS = frozenset(
    ["refused", "refuses", "refuse", "declined", "declines", "decline", "stopped", "failed"]
)
_HEDGES = frozenset(
    [
        "would",
        "could",
        "might",
        "may",
        "if",
        "perhaps",
        "considering",
        "willing",
        "hope",
        "hopes",
        "hoped",
    ]
)
_SELF = frozenset(["i", "we", "he", "she", "they", "it"])
_EFFECTS = frozenset(["effect_neg", "effect_pos", "act_neg", "act_pos"])
_CALLS = frozenset(["directive", "commit", "attitude"])
_WINDOW = 5


@dataclass(frozen=True, slots=True)
class _Found:
    """A stance verb in the words of a statement: its place, its phrase's end, its polarity."""

    verb: StanceVerb
    at: int
    end: int
    sign: int
    intensity: int


def find_stances(
    text: str, attribution: Attribution, speaker: Speaker | None, name_of: NameOf
) -> tuple[Stance, ...]:
    """The targets that a statement is for or against, at most three; none without a speaker.

    `text` is the field that the attribution's spans refer to. Rules follow docs/codebook: the
    lexicon's sign, flipped or cancelled by negation, with the target in the verb's argument.
    """
    if speaker is None:
        return ()
    words = _words(text, attribution)
    rows: dict[Span, Stance] = {}
    for found in _carriers(words, attribution):
        for span, sign, role in _targets(text, words, found):
            if span not in rows:
                rows[span] = _stance(text, words, found, span, sign, role, name_of)
        if rows:
            break
    return tuple(rows.values())[:MOST_ROWS]


def _words(text: str, attribution: Attribution) -> list[Token]:
    """The words of cue and content in text order."""
    spans = sorted([*attribution.cue, *attribution.content])
    return [token for span in spans for token in tokens(text, *span)]


def _carriers(words: Sequence[Token], attribution: Attribution) -> Iterator[_Found]:
    """Stance verbs of the cue first, then those whose subject is the speaker."""
    lower = [_plain(word) for word in words]
    cue = [i for i, w in enumerate(words) if any(s <= w.start < e for s, e in attribution.cue)]
    in_cue = set(cue)
    for at in cue:
        found = _found(lower, at, in_cue)
        if found:
            yield found
    for at in range(1, len(words)):
        if at not in in_cue and lower[at] in stance_verbs() and _is_own(lower, at):
            found = _found(lower, at, in_cue)
            if found:
                yield found


def _plain(word: Token) -> str:
    return word.text.lower().replace("’", "'")


def _is_own(lower: Sequence[str], at: int) -> bool:
    """Whether the verb's subject is a pronoun that can be the speaker: `I strongly support`."""
    before = at - 1
    while before >= 0 and at - before < _WINDOW and lower[before] in _AUXILIARIES:
        before -= 1
    return before >= 0 and lower[before].split("'")[0] in {"i", "we"}


_AUXILIARIES = frozenset(
    [
        "will",
        "would",
        "can",
        "could",
        "shall",
        "should",
        "do",
        "does",
        "did",
        "have",
        "has",
        "had",
        "not",
        "never",
        "don't",
        "won't",
        "didn't",
        "always",
        "strongly",
        "also",
        "fully",
        "still",
        "really",
        "just",
        "absolutely",
        "firmly",
        "must",
        "am",
        "are",
        "was",
        "be",
        "been",
    ]
)


def _found(lower: Sequence[str], at: int, in_cue: set[int]) -> _Found | None:
    verb = match_stance_verb(lower, at)
    if verb is None or (verb.family.startswith("effect") and "embedded" in verb.family):
        return None
    before = lower[max(0, at - _WINDOW) : at]
    negated = any(w in _NEGATIONS or w.endswith("n't") for w in before)
    refused = any(w in _REFUSALS for w in before)
    sign = verb.sign
    intensity = verb.intensity
    if refused:
        return None
    if negated:
        if verb.negation != "flip":
            return None
        sign = -sign
        intensity = 2
    if any(w in _HEDGES for w in before):
        intensity = 1
    return _Found(verb, at, at + len(verb.words), sign, intensity)


def _targets(text: str, words: Sequence[Token], found: _Found) -> Iterator[tuple[Span, int, str]]:
    """The spans that a found verb is about, each with its sign and its role in the sentence."""
    if not found.sign:
        return
    argument = found.verb.target
    at: int | None = found.end
    if argument in {"xcomp", "ccomp"}:
        yield from _clause(text, words, found)
        return
    if argument.startswith("obl:") and not found.verb.lemma.endswith(argument[4:]):
        at = _after_preposition(words, found.end, argument[4:])
    if at is None or at >= len(words):
        return
    if _plain(words[at]) == "to" and "xcomp" in found.verb.second_target:
        yield from _clause(text, words, found)
        return
    if _plain(words[at]) in {"that", "to", "for", "by", "if", "whether"}:
        return
    first = noun_phrase(text, words, at)
    if first is None:
        return
    yield first.span, found.sign, "object"
    second = _second(text, words, first.end, found)
    if second:
        yield second


def _after_preposition(words: Sequence[Token], at: int, preposition: str) -> int | None:
    for i in range(at, min(at + _WINDOW, len(words))):
        if _plain(words[i]) == preposition:
            return i + 1
    return None


def _second(
    text: str, words: Sequence[Token], at: int, found: _Found
) -> tuple[Span, int, str] | None:
    """`blamed X for Y`: the row for Y, with the lexicon's sign."""
    rule = re.fullmatch(r"obl:(\w+)=([+-])", found.verb.second_target)
    if not rule or at + 1 >= len(words) or _plain(words[at]) != rule.group(1):
        return None
    span = verb_phrase(text, words, at + 1)
    sign = 1 if rule.group(2) == "+" else -1
    flipped = found.sign != found.verb.sign
    return (span, -sign if flipped else sign, "reason") if span else None


def _clause(text: str, words: Sequence[Token], found: _Found) -> Iterator[tuple[Span, int, str]]:
    """`urged X to V Y`, `vowed to V Y`: the act is the target; Y as well where V undoes it."""
    for at in range(found.end, min(found.end + 8, len(words) - 1)):
        if _plain(words[at]) != "to":
            continue
        negated = _plain(words[at - 1]) in {"not", "never"}
        span = verb_phrase(text, words, at + 1)
        if span:
            sign = -found.sign if negated else found.sign
            yield span, sign, "act"
            yield from _undone(text, words, at + 1, sign)
        return


def _undone(
    text: str, words: Sequence[Token], at: int, sign: int
) -> Iterator[tuple[Span, int, str]]:
    lower = [_plain(word) for word in words[at : at + 4]]
    verb = match_stance_verb(lower, 0)
    if verb and verb.family in {"effect_neg", "act_neg"} and at + len(verb.words) < len(words):
        thing = noun_phrase(text, words, at + len(verb.words))
        if thing:
            yield thing.span, -sign, "undone"


def _stance(
    text: str,
    words: Sequence[Token],
    found: _Found,
    span: Span,
    sign: int,
    role: str,
    name_of: NameOf,
) -> Stance:
    basis = (words[found.at].start, words[min(found.end, len(words)) - 1].end)
    stance: Sign = "favor" if sign > 0 else "against"
    name = target_name(text, span, name_of)
    return Stance(
        target=(span,),
        target_name=name,
        target_type=target_type(name, role),
        stance=stance,
        intensity=found.intensity,
        basis=(basis,),
        method=f"rule:{found.verb.lemma}",
        confidence=0.6,
    )
