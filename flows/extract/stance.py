"""What a statement is for or against, by the verbs that carry a stance."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flows.extract.lexicon import (
    StanceVerb,
    inflections,
    match_stance_verb,
    stance_verbs,
    word_class,
)
from flows.extract.names import Token, tokens
from flows.extract.records import Attribution, Sign, Span, Speaker, Stance
from flows.extract.targets import clause, noun_phrase, target_name, target_type, verb_phrase

MOST_ROWS = 3
"""Targets of a statement that a reader would name first."""
NameOf = Callable[[Span], str | None]
"""Gives the name that a pronoun of the text stands for, None where it is none."""

_WINDOW = 5
_LONGEST_ADDRESSEE = 6
_ACTS = frozenset(["negotiate with", "cooperate with"])
_EXPRESSING = frozenset(
    form
    for verb in ("express", "voice", "reiterate", "repeat", "declare", "signal", "show", "announce")
    for form in inflections(verb)
)
_TO_REFUSE = frozenset(["refuse", "decline"])
_OBJECTLESS = frozenset(["that", "to", "for", "by", "if", "whether", "about", "how", "why", "what"])


@dataclass(frozen=True, slots=True)
class _Target:
    """What a stance is about: `role` is its place beside the verb (object, act, claim, …)."""

    span: Span
    sign: int
    role: str


@dataclass(frozen=True, slots=True)
class _Carrier:
    """A stance verb in the words of a statement: its phrase is `words[at:end]`."""

    verb: StanceVerb
    at: int
    end: int
    sign: int
    intensity: int


def find_stances(
    text: str, attribution: Attribution, speaker: Speaker | None, name_of: NameOf
) -> tuple[Stance, ...]:
    """The targets that a statement is for or against, at most three; none without a speaker.

    `text` is the field that the attribution's spans refer to. The lexicon gives the sign, negation
    flips or cancels it, and the target is the verb's argument. Verbs of the cue come first, then
    those of the statement whose subject is "I" or "we".
    """
    if speaker is None:
        return ()
    words = _words(text, attribution)
    for carrier in _carriers(words, attribution):
        targets = dict.fromkeys(_targets(text, words, carrier))
        if targets:
            basis = (words[carrier.at].start, words[min(carrier.end, len(words)) - 1].end)
            return tuple(_row(text, target, carrier, basis, name_of) for target in targets)[
                :MOST_ROWS
            ]
    return ()


def _words(text: str, attribution: Attribution) -> list[Token]:
    """The words of cue and content in text order."""
    spans = sorted([*attribution.cue, *attribution.content])
    return [token for span in spans for token in tokens(text, *span)]


def _carriers(words: Sequence[Token], attribution: Attribution) -> Iterator[_Carrier]:
    lower = [_plain(word) for word in words]
    cue = {i for i, w in enumerate(words) if any(s <= w.start < e for s, e in attribution.cue)}
    own = (i for i in range(1, len(words)) if i not in cue and _is_own(lower, i))
    for at in (*sorted(cue), *_expressed(lower, cue), *own):
        carrier = _carrier(lower, at)
        if carrier:
            yield carrier


def _expressed(lower: Sequence[str], cue: set[int]) -> list[int]:
    """The nouns that a cue such as `expressed` has at the head of the statement: `his support`."""
    if not any(lower[at] in _EXPRESSING for at in cue):
        return []
    after = max(cue) + 1
    near = range(after, min(after + _WINDOW - 1, len(lower)))
    verbs = ((at, match_stance_verb(lower, at)) for at in near)
    return [at for at, verb in verbs if verb and verb.family == "noun"]


def _plain(word: Token) -> str:
    return word.text.lower().replace("’", "'")


def _is_own(lower: Sequence[str], at: int) -> bool:
    """Whether a stance verb's subject is the speaker: `I strongly support`."""
    if lower[at] not in stance_verbs():
        return False
    before = at - 1
    while before >= 0 and at - before < _WINDOW and lower[before] in word_class("own_auxiliaries"):
        before -= 1
    return before >= 0 and lower[before].split("'")[0] in {"i", "we"}


def _carrier(lower: Sequence[str], at: int) -> _Carrier | None:
    """The stance verb at a word with its sign here; None where negation leaves none."""
    verb = match_stance_verb(lower, at)
    before = lower[max(0, at - _WINDOW) : at]
    if verb is None or not verb.sign or _is_passive(verb, lower, at):
        return None
    if any(word in word_class("refusals") for word in before):
        return None
    negated = any(word in word_class("negations") or word.endswith("n't") for word in before)
    if negated and verb.negation != "flip":
        return None
    hedged = any(word in word_class("hedges") for word in before)
    intensity = 1 if hedged else 3 if "never" in before else 2 if negated else verb.intensity
    sign = -verb.sign if negated else verb.sign
    return _Carrier(verb, at, at + len(verb.words), sign, intensity)


def _is_passive(verb: StanceVerb, lower: Sequence[str], at: int) -> bool:
    """`was rejected`: the subject is the target, and the holder somebody else."""
    participle = lower[at].endswith("ed") and verb.words[0] != "be"
    return participle and bool(at) and lower[at - 1] in word_class("be")


def _targets(text: str, words: Sequence[Token], carrier: _Carrier) -> Iterator[_Target]:
    """What a verb is about, each with its sign and its place beside the verb."""
    verb, at = carrier.verb, _argument(words, carrier)
    if at is None:
        return
    begins_clause = _plain(words[at]) == "to" and "xcomp" in verb.second_target
    if verb.target in {"xcomp", "ccomp"} or begins_clause:
        yield from _act(text, words, carrier)
    elif _plain(words[at]) not in _OBJECTLESS:
        yield from _object(text, words, at, carrier)


def _argument(words: Sequence[Token], carrier: _Carrier) -> int | None:
    """The word at which the verb's target begins: after the verb, or after its preposition."""
    wanted = carrier.verb.target.removeprefix("obl:")
    at = carrier.end
    if wanted != carrier.verb.target and carrier.verb.words[-1] != wanted:
        near = range(at, min(at + _WINDOW, len(words)))
        at = next((i + 1 for i in near if _plain(words[i]) == wanted), len(words))
    return at if at < len(words) else None


def _object(text: str, words: Sequence[Token], at: int, carrier: _Carrier) -> Iterator[_Target]:
    other = re.match(r"obl:(\w+)", carrier.verb.second_target)
    thing = noun_phrase(text, words, at, until=other.group(1) if other else "")
    if thing is None:
        return
    if carrier.verb.lemma in _ACTS:
        yield _Target((words[carrier.at].start, thing.span[1]), carrier.sign, "act")
        return
    follows = _plain(words[thing.end]) if thing.end < len(words) else ""
    if follows == "that" and _plain(words[thing.end - 1]) in word_class("claim_nouns"):
        claim = clause(text, words, thing.end + 1)
        if claim:
            yield _Target(claim, carrier.sign, "claim")
            return
    role = "claim" if carrier.verb.family == "epistemic" else "object"
    yield _Target(thing.span, carrier.sign, role)
    reason = _reason(text, words, thing.end, carrier)
    if reason:
        yield reason


def _reason(text: str, words: Sequence[Token], at: int, carrier: _Carrier) -> _Target | None:
    """`blamed X for Y`: the row for Y, with the lexicon's sign."""
    rule = re.fullmatch(r"obl:(\w+)=([+-])", carrier.verb.second_target)
    if not rule or at + 1 >= len(words) or _plain(words[at]) != rule.group(1):
        return None
    span = verb_phrase(text, words, at + 1)
    sign = 1 if rule.group(2) == "+" else -1
    flipped = carrier.sign != carrier.verb.sign
    return _Target(span, -sign if flipped else sign, "reason") if span else None


def _act(text: str, words: Sequence[Token], carrier: _Carrier) -> Iterator[_Target]:
    """`urged X to V Y`, `vowed to V Y`: the act is the target; Y as well where V undoes it."""
    at = _infinitive(words, carrier)
    if at is None:
        return
    if carrier.verb.lemma in {*_TO_REFUSE, "want", "seek", "plan", "intend"} and (
        _plain(words[at]) in word_class("uttering_verbs")
    ):
        return
    span = verb_phrase(text, words, at)
    if span is None:
        return
    negated = _plain(words[at - 2]) in {"not", "never"}
    sign = 1 if carrier.verb.second_target == "xcomp=+" else carrier.sign
    sign = -sign if negated else sign
    yield _Target(span, sign, "act")
    lower = [_plain(word) for word in words[at : at + 4]]
    inner = match_stance_verb(lower, 0)
    if inner and inner.family in {"effect_neg", "act_neg"} and at + len(inner.words) < len(words):
        thing = noun_phrase(text, words, at + len(inner.words))
        if thing:
            yield _Target(thing.span, -sign, "undone")


def _infinitive(words: Sequence[Token], carrier: _Carrier) -> int | None:
    """The word after the "to" that belongs to the verb, past a short addressee."""
    near = range(carrier.end, min(carrier.end + _LONGEST_ADDRESSEE, len(words) - 1))
    for at in near:
        word = _plain(words[at])
        if word == "to":
            return at + 1
        if word in word_class("stops") or word in _OBJECTLESS:
            return None
    return None


def _row(text: str, target: _Target, carrier: _Carrier, basis: Span, name_of: NameOf) -> Stance:
    stance: Sign = "favor" if target.sign > 0 else "against"
    name = target_name(text, target.span, name_of)
    return Stance(
        target=(target.span,),
        target_name=name,
        target_type=target_type(name, target.role),
        stance=stance,
        intensity=carrier.intensity,
        basis=(basis,),
        method=f"rule:{carrier.verb.lemma}",
        confidence=carrier.verb.precision,
    )
