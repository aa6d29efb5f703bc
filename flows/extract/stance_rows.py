"""From what the stance model says of a statement to its stance rows."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from flows.extract.pieces import Pieces
from flows.extract.records import Attribution, Sign, Span, Spans, Speaker, Stance
from flows.extract.stance_looks import CONTENT, content_words
from flows.extract.stance_model import Reading, StanceModel, default_stance_model
from flows.extract.stance_reasons import Reason, find_reasons
from flows.extract.stance_spans import Candidate, candidates
from flows.extract.targets import target_name

MOST_ROWS = 3
"""Targets of a statement that a reader would name first."""
SIDES: tuple[Sign, Sign] = ("favor", "against")
"""The model's signs in their order."""
N_EVIDENCE = 12
NameOf = Callable[[Span], str | None]
"""Gives the name that a pronoun of the text stands for, None where it is none."""

_LEAST_CHANCE = 0.05
_EDGE = re.compile(r"^\W+|(?:['’]s)?\W*$")


@dataclass(frozen=True)
class Proposal:
    """A possible stance row of a statement.

    `span`: where the target stands. `reason`: the lexicon's verb that takes the same side; `words`:
    what carries the stance without one. `evidence`: what the confidence is computed from.
    """

    candidate: Candidate
    span: Span
    reason: Reason | None
    words: Spans
    intensity: int
    target_type: str
    evidence: tuple[float, ...]


def propose(
    text: str, pieces: Pieces, attribution: Attribution, reading: Reading
) -> list[Proposal]:
    """All stance rows of a statement worth weighing, likeliest first."""
    telling = content_words(text, pieces, reading.look)
    found = candidates(reading.chances, telling, _LEAST_CHANCE, MOST_ROWS)
    reasons = find_reasons(text, attribution) if found else []
    proposals = []
    for number, one in enumerate(found):
        span = _trimmed(text, pieces, reading, one)
        others = max((o.chance for o in found if o is not one), default=0.0)
        proposals.append(
            Proposal(
                candidate=one,
                span=span,
                reason=_reason(reasons, span, one),
                words=attribution.cue or attribution.content,
                intensity=reading.intensity(one.low, one.high),
                target_type=reading.target_type(one.low, one.high),
                evidence=(
                    *_chances(reading, one, number, others),
                    *_circumstances(reading, one, reasons),
                ),
            )
        )
    return proposals


def _trimmed(text: str, pieces: Pieces, reading: Reading, one: Candidate) -> Span:
    """The target's characters without marks at its edges."""
    low = reading.look.low
    start = int(pieces.starts[low + one.low])
    end = int(pieces.ends[low + one.high - 1])
    words = text[start:end]
    edges = [match.span() for match in _EDGE.finditer(words)]
    inner = (edges[0][1] if edges[0][0] == 0 else 0, edges[-1][0])
    return (start + inner[0], start + inner[1]) if inner[0] < inner[1] else (start, end)


def _reason(reasons: Sequence[Reason], span: Span, one: Candidate) -> Reason | None:
    """The lexicon's verb that takes the same side, outside of the target; the nearest one."""
    agreeing = [
        reason
        for reason in reasons
        if reason.stance == SIDES[one.sign]
        and (reason.span[1] <= span[0] or span[1] <= reason.span[0])
    ]
    return min(agreeing, key=lambda reason: abs(reason.span[0] - span[0]), default=None)


def _logit(chance: float) -> float:
    kept = min(max(chance, 1e-3), 1 - 1e-3)
    return float(np.log(kept / (1 - kept)))


def _chances(reading: Reading, one: Candidate, number: int, others: float) -> tuple[float, ...]:
    """What the model's probabilities tell of a row.

    Logits: of a target that agrees, of exactly this one, of one of the other sign, of the best
    other row, of the statement taking a side; then whether the row is the second or a later one.
    """
    return (
        _logit(one.chance),
        _logit(one.exact),
        _logit(one.opposite),
        _logit(others),
        reading.gate,
        float(number == 1),
        float(number > 1),
    )


def _circumstances(
    reading: Reading, one: Candidate, reasons: Sequence[Reason]
) -> tuple[float, ...]:
    """What else tells how sure a row is.

    The logarithm of the target's and of the content's length in units; whether the target lies in
    the content; whether the statement's stance verbs take this side, or only the other.
    """
    roles = reading.look.roles
    sides = {reason.stance for reason in reasons}
    agrees = SIDES[one.sign] in sides
    return (
        float(np.log(one.high - one.low)),
        float(np.log(max(1, int((roles == CONTENT).sum())))),
        float((roles[one.low : one.high] == CONTENT).all()),
        float(agrees),
        float(bool(sides) and not agrees),
    )


def confidence(evidence: Sequence[float], calibration: Sequence[float]) -> float:
    """Probability that target and sign are right; `calibration` is intercept and weights."""
    intercept, *weights = calibration
    logit = intercept + sum(w * e for w, e in zip(weights, evidence, strict=True))
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))


def find_stances(
    text: str,
    attributions: Sequence[Attribution],
    speakers: Sequence[Speaker | None],
    names: Sequence[NameOf],
    model: StanceModel | None = None,
) -> list[tuple[Stance, ...]]:
    """The targets that each statement of a text is for or against, at most three, surest first.

    `text` is the field that the attributions' spans refer to. A statement without a speaker has
    none. `names` tells for each statement what its pronouns stand for.
    """
    model = model or default_stance_model()
    held = [number for number, speaker in enumerate(speakers) if speaker]
    rows: list[tuple[Stance, ...]] = [()] * len(attributions)
    if not held:
        return rows
    pieces = model.encode(text)
    readings = model.read(pieces, [attributions[number] for number in held])
    for number, reading in zip(held, readings, strict=True):
        if reading:
            proposals = propose(text, pieces, attributions[number], reading)
            rated = [(confidence(p.evidence, model.calibration), p) for p in proposals]
            kept = sorted((r for r in rated if r[0] >= model.least), key=lambda r: -r[0])
            rows[number] = tuple(
                _stance(text, proposal, names[number], sure) for sure, proposal in kept[:MOST_ROWS]
            )
    return rows


def _stance(text: str, proposal: Proposal, name_of: NameOf, sure: float) -> Stance:
    reason = proposal.reason
    return Stance(
        target=(proposal.span,),
        target_name=target_name(text, proposal.span, name_of),
        target_type=proposal.target_type,
        stance=SIDES[proposal.candidate.sign],
        intensity=proposal.intensity,
        basis=(reason.span,) if reason else proposal.words,
        method=f"model+rule:{reason.lemma}" if reason else "model",
        confidence=sure,
    )
