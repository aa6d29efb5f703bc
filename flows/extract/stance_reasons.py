"""The words of a statement that the lexicon knows to take a side, with the side they take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows.extract.lexicon import StanceVerb, match_stance_verb, stance_verbs
from flows.extract.names import Token, tokens
from flows.extract.records import Attribution, Sign, Span

_NEGATIONS = frozenset("not never n't cannot no hardly neither nor without".split())
_REFUSALS = frozenset("refused refuses refuse declined declines decline stopped failed".split())
_AUXILIARIES = frozenset(
    "will would can could shall should do does did have has had not never don't won't didn't "
    "always strongly also fully still really just absolutely firmly must am are was be been".split()
)
_WINDOW = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """A stance verb of the lexicon: where it stands, its lemma and the side that it takes."""

    span: Span
    lemma: str
    stance: Sign


def find_reasons(text: str, attribution: Attribution) -> list[Reason]:
    """The stance verbs of a statement's cue, then those of which the speaker is the subject.

    A verb counts as the codebook has it: negation flips its side where the lexicon says so, and
    cancels it elsewhere; what the speaker refuses to do cancels it too.
    """
    words = [
        token for span in (*attribution.cue, *attribution.content) for token in tokens(text, *span)
    ]
    words.sort(key=lambda word: word.start)
    lower = [word.text.lower().replace("’", "'") for word in words]
    found = (_reason(words, lower, at, verb) for at, verb in _carriers(words, lower, attribution))
    return [reason for reason in found if reason]


def _carriers(
    words: Sequence[Token], lower: Sequence[str], attribution: Attribution
) -> Iterator[tuple[int, StanceVerb]]:
    own = []
    for at, word in enumerate(words):
        if lower[at] not in stance_verbs():
            continue
        verb = match_stance_verb(lower, at)
        if verb is None or verb.sign == 0:
            continue
        if any(start <= word.start < end for start, end in attribution.cue):
            yield at, verb
        elif _is_own(lower, at):
            own.append((at, verb))
    yield from own


def _is_own(lower: Sequence[str], at: int) -> bool:
    """Whether the verb's subject is a pronoun that can be the speaker: `I strongly support`."""
    before = at - 1
    while before >= 0 and at - before < _WINDOW and lower[before] in _AUXILIARIES:
        before -= 1
    return before >= 0 and lower[before].split("'")[0] in {"i", "we"}


def _reason(
    words: Sequence[Token], lower: Sequence[str], at: int, verb: StanceVerb
) -> Reason | None:
    before = lower[max(0, at - _WINDOW) : at]
    negated = any(w in _NEGATIONS or w.endswith("n't") for w in before)
    if any(w in _REFUSALS for w in before) or (negated and verb.negation != "flip"):
        return None
    stance: Sign = "favor" if verb.sign * (-1 if negated else 1) > 0 else "against"
    last = words[at + len(verb.words) - 1]
    return Reason((words[at].start, last.end), verb.lemma, stance)
