"""From what the stance model says of a statement to its stance rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flows.extract.pieces import Pieces
from flows.extract.records import Attribution, Sign, Span, Speaker, Stance
from flows.extract.stance import MOST_ROWS, NameOf
from flows.extract.stance import find_stances as find_by_rule
from flows.extract.stance_looks import CONTENT, content_words, unit_span
from flows.extract.stance_model import Reading, StanceModel, default_stance_model
from flows.extract.stance_spans import Candidate, Candidates
from flows.extract.targets import target_name

SIDES: tuple[Sign, Sign] = ("favor", "against")
"""The model's signs in their order."""
N_EVIDENCE = 13
LEAST_ROW = 0.2
"""Confidence of a whole row (statement, speaker and stance) below which it is not given out: half
of the F1 within reach end to end, where one row more costs what it gains (Lipton et al. 2014)."""

_LEAST_CHANCE = 0.05
_EDGE = re.compile(r"^\W+|(?:['’]s)?\W*$")


@dataclass(frozen=True)
class Proposal:
    """A possible stance row of a statement.

    `span`: where the target stands. `rule`: the row by rule that agrees in target and sign.
    `evidence`: what the confidence is computed from.
    """

    candidate: Candidate
    span: Span
    rule: Stance | None
    intensity: int
    target_type: str
    evidence: tuple[float, ...]


class _Statement:
    """A statement in the making of its rows."""

    def __init__(
        self, text: str, pieces: Pieces, reading: Reading, by_rule: Sequence[Stance]
    ) -> None:
        self.text, self.pieces, self.reading = text, pieces, reading
        self.candidates = Candidates(reading.chances, content_words(text, pieces, reading.look))
        units = [self._units(stance) for stance in by_rule]
        self.by_rule = [
            (stance, at) for stance, at in zip(by_rule, units, strict=True) if at is not None
        ]

    def _units(self, stance: Stance) -> Span | None:
        """The units of the look at which a row's target stands, None where it is not all inside."""
        look = self.reading.look
        low, high = unit_span(self.pieces, *stance.target[0])
        if low < look.low or high > look.low + len(look.at) or low >= high:
            return None
        return low - look.low, high - look.low

    def proposals(self) -> list[Proposal]:
        """The rows that the model holds possible, likeliest first."""
        found = self.candidates.likeliest(_LEAST_CHANCE, MOST_ROWS)
        return [self._propose(found, number) for number in range(len(found))]

    def _same(self, one: Candidate, units: Span) -> bool:
        pair = np.array([[one.low, one.high]]), np.array([units])
        return bool(self.candidates.agree(*pair)[0, 0])

    def _propose(self, found: Sequence[Candidate], number: int) -> Proposal:
        one = found[number]
        on_target = [stance for stance, units in self.by_rule if self._same(one, units)]
        agreeing = [stance for stance in on_target if stance.stance == SIDES[one.sign]]
        others = max((o.chance for o in found if o is not one), default=0.0)
        return Proposal(
            candidate=one,
            span=self._trimmed(one),
            rule=agreeing[0] if agreeing else None,
            intensity=self.reading.intensity(one.low, one.high),
            target_type=self.reading.target_type(one.low, one.high),
            evidence=(
                *_chances(self.reading, one, number, others),
                *_circumstances(self.reading, one),
                float(bool(agreeing)),
                float(len(on_target) > len(agreeing)),
                float(bool(self.by_rule) and not on_target),
            ),
        )

    def _trimmed(self, one: Candidate) -> Span:
        """The target's characters without marks at its edges."""
        low = self.reading.look.low
        start = int(self.pieces.starts[low + one.low])
        end = int(self.pieces.ends[low + one.high - 1])
        edges = [match.span() for match in _EDGE.finditer(self.text[start:end])]
        first = edges[0][1] if edges[0][0] == 0 else 0
        last = edges[-1][0]
        return (start + first, start + last) if first < last else (start, end)


def propose(
    text: str, pieces: Pieces, reading: Reading, by_rule: Sequence[Stance]
) -> list[Proposal]:
    """All stance rows of a statement worth weighing; `by_rule` are those that the rules find."""
    return _Statement(text, pieces, reading, by_rule).proposals()


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


def _circumstances(reading: Reading, one: Candidate) -> tuple[float, ...]:
    """The logarithm of the target's and the content's length; whether one lies in the other."""
    roles = reading.look.roles
    return (
        float(np.log(one.high - one.low)),
        float(np.log(max(1, int((roles == CONTENT).sum())))),
        float((roles[one.low : one.high] == CONTENT).all()),
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
            attribution, name_of = attributions[number], names[number]
            by_rule = find_by_rule(text, attribution, speakers[number], name_of)
            proposals = propose(text, pieces, reading, by_rule)
            rated = [(confidence(p.evidence, model.calibration), p) for p in proposals]
            least = max(model.least, LEAST_ROW / _sure_of_speaker(attribution, speakers[number]))
            kept = sorted((r for r in rated if r[0] >= least), key=lambda r: -r[0])
            rows[number] = tuple(
                _stance(proposal, attribution, target_name(text, proposal.span, name_of), sure)
                for sure, proposal in kept[:MOST_ROWS]
            )
    return rows


def _sure_of_speaker(attribution: Attribution, speaker: Speaker | None) -> float:
    """Probability that statement and speaker are right."""
    return max(1e-6, attribution.confidence * (speaker.confidence if speaker else 1.0))


def _stance(proposal: Proposal, attribution: Attribution, name: str, sure: float) -> Stance:
    rule = proposal.rule
    return Stance(
        target=(proposal.span,),
        target_name=name,
        target_type=proposal.target_type,
        stance=SIDES[proposal.candidate.sign],
        intensity=proposal.intensity,
        basis=rule.basis if rule else attribution.cue or attribution.content,
        method=f"model+{rule.method}" if rule else "model",
        confidence=sure,
    )
