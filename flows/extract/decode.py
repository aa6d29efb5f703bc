"""From the encoder's scores to attributions: best tag sequence, links, confidence."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.extract.links import (
    CONTENT,
    CUE,
    PAIRS,
    SOURCE,
    Candidates,
    candidates,
)
from flows.extract.pieces import Ints, Pieces

Floats = NDArray[np.float32]
UnitSpan = tuple[int, int]

N_TAGS = 7
N_EVIDENCE = 11
IMPOSSIBLE = np.float32(-1e4)
_BEGINS = np.array([0, 1, 0, 1, 0, 1, 0], dtype=np.float32)


LinkScorer = Callable[[list[Floats], list[Candidates]], list[Floats]]
"""Scores links: from the representation of the spans of each kind [n, 3 * width] and the candidates
of each of PAIRS to scores [seeking spans, 2 * REACH + 1], the last column: no partner."""


@dataclass(frozen=True)
class Rules:
    """Constants of decoding, tuned on articles held back from training.

    `eager`: bonus for beginning a span, which trades precision for recall. `join`: weight of what
    the contents say of their source beside what the cue says. `least`: confidence below which an
    attribution is dropped. `calibration`: intercept and weights of the logistic regression that
    gives the confidence, see `_evidence`.
    """

    eager: float
    join: float
    least: float
    calibration: tuple[float, ...]


@dataclass(frozen=True)
class Model:
    """What decoding needs of a model beside the encoder: `transitions` [from tag, to tag]."""

    transitions: Floats
    score_links: LinkScorer
    rules: Rules


@dataclass(frozen=True)
class Reading:
    """An article as the encoder sees it: `scores` [units, tags], `states` [units, width]."""

    pieces: Pieces
    scores: Floats
    states: Floats


@dataclass(frozen=True)
class Found:
    """An attribution in units; `evidence` is what its confidence is computed from."""

    source: UnitSpan | None
    cue: UnitSpan | None
    contents: tuple[UnitSpan, ...]
    evidence: tuple[float, ...]


def _log_softmax(scores: Floats) -> Floats:
    top = scores.max(axis=-1, keepdims=True)
    shifted = scores - top
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _block_scores(steps: Floats) -> tuple[Floats, Ints]:
    """Score the best path through each block for every tag before it.

    `steps` [blocks, length, from, to] -> (best score [blocks, before, last], tag before each step
    on that path [blocks, length, before, to]).
    """
    blocks, length = steps.shape[:2]
    best = steps[:, 0]
    origin = np.empty((blocks, length, N_TAGS, N_TAGS), dtype=np.int64)
    origin[:, 0] = np.arange(N_TAGS)[:, None]
    for step in range(1, length):
        paths = best[:, :, :, None] + steps[:, step, None]
        origin[:, step] = paths.argmax(axis=2)
        best = paths.max(axis=2)
    return best, origin


def best_tags(scores: Floats, transitions: Floats) -> Ints:
    """Return the best tag sequence [units] for `scores` [units, tags] (Viterbi).

    `transitions` [from, to] holds the constraints of BIO. The sequence is cut into about
    sqrt(units) blocks that are worked on side by side, each for every tag that may precede it.
    """
    total = len(scores)
    if not total:
        return np.zeros(0, dtype=np.int64)
    length = max(1, int(total**0.5))
    blocks = -(-total // length)
    steps = transitions[None] + scores[:, None, :]
    steps[0] = np.where(transitions[0] > IMPOSSIBLE / 2, scores[0], IMPOSSIBLE)[None]
    identity = np.full((N_TAGS, N_TAGS), IMPOSSIBLE, dtype=np.float32)
    np.fill_diagonal(identity, 0.0)
    padding = np.broadcast_to(identity, (blocks * length - total, N_TAGS, N_TAGS))
    steps = np.concatenate([steps, padding]).reshape(blocks, length, N_TAGS, N_TAGS)
    best, origin = _block_scores(steps)
    arrived = np.zeros((blocks, N_TAGS), dtype=np.int64)
    score = np.zeros(N_TAGS, dtype=np.float32)
    for block in range(blocks):
        paths = score[:, None] + best[block]
        arrived[block] = paths.argmax(axis=0)
        score = paths.max(axis=0)
    last, before = np.zeros((2, blocks), dtype=np.int64)
    tag = int(score.argmax())
    for block in range(blocks - 1, -1, -1):
        last[block] = tag
        before[block] = tag = arrived[block, tag]
    tags = np.empty((blocks, length), dtype=np.int64)
    rows, current = np.arange(blocks), last
    for step in range(length - 1, -1, -1):
        tags[:, step] = current
        current = origin[rows, step, before, current]
    return tags.ravel()[:total]


def tag_spans(tags: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the unit spans [n, 2] of sources, cues and contents in a BIO sequence."""
    after = np.r_[tags[1:], 0]
    goes_on = (after > 0) & (after % 2 == 0)
    ends = np.flatnonzero((tags > 0) & ~goes_on) + 1
    starts = np.flatnonzero(tags % 2 == 1)
    kinds = (tags[starts] - 1) // 2
    spans = np.stack([starts, ends], axis=1)
    return spans[kinds == SOURCE], spans[kinds == CUE], spans[kinds == CONTENT]


def _span_states(states: Floats, spans: Ints) -> Floats:
    """Represent spans by first, last and mean unit: [n, 3 * width]."""
    low, high = spans.T
    means = [states[a:b].mean(axis=0) for a, b in spans.tolist()]
    mean = np.array(means, dtype=np.float32).reshape(len(spans), states.shape[1])
    return np.concatenate([states[low], states[high - 1], mean], axis=1)


def _spread(logs: Floats, index: Ints, count: int) -> Floats:
    """Lay log-probabilities of candidates out over all `count` spans, and none as the last."""
    spread = np.full((len(logs), count + 1), IMPOSSIBLE, dtype=np.float32)
    rows, columns = np.nonzero(index >= 0)
    spread[rows, index[rows, columns]] = logs[rows, columns]
    spread[:, -1] = logs[:, -1]
    return spread


def _all_links(
    pieces: Pieces, states: Floats, spans: tuple[Ints, Ints, Ints], score_links: LinkScorer
) -> list[Floats]:
    """Return for each of PAIRS the log-probabilities [seeking spans, sought spans + 1]."""
    found = [candidates(pieces, spans, pair) for pair in PAIRS]
    scores = score_links([_span_states(states, s) for s in spans], found)
    return [
        _spread(_log_softmax(table), one.index, len(spans[pair[1]]))
        for table, one, pair in zip(scores, found, PAIRS, strict=True)
    ]


def decode(reading: Reading, model: Model) -> list[Found]:
    """Return the attributions of an article, in the order of their contents.

    Contents that share a cue are one attribution (a split quotation). A content without a cue
    stands alone.
    """
    pieces, states, rules = reading.pieces, reading.states, model.rules
    scores = reading.scores + rules.eager * _BEGINS
    tags = best_tags(scores, model.transitions)
    spans = tag_spans(tags)
    if not len(spans[CONTENT]):
        return []
    cue_of, source_of_cue, source_of_content = _all_links(pieces, states, spans, model.score_links)
    certainty = _log_softmax(scores)[np.arange(len(tags)), tags]
    groups: dict[int, list[int]] = {}
    for content, cue in enumerate(cue_of.argmax(axis=1).tolist()):
        groups.setdefault(cue if cue < len(spans[CUE]) else -1 - content, []).append(content)
    found = []
    for cue, contents in groups.items():
        wanted = source_of_content[contents].mean(axis=0)
        if cue >= 0:
            wanted = source_of_cue[cue] + rules.join * wanted
        source = int(wanted.argmax())
        chosen = _span(spans[SOURCE], source), _span(spans[CUE], cue)
        statement = tuple((int(a), int(b)) for a, b in spans[CONTENT][contents])
        links = (
            float(cue_of[contents, cue if cue >= 0 else -1].min()),
            float(_log_softmax(wanted)[source]),
        )
        found.append(Found(*chosen, statement, _evidence(certainty, statement, chosen, links)))
    return sorted(found, key=lambda f: f.contents)


def _span(spans: Ints, number: int) -> UnitSpan | None:
    if not 0 <= number < len(spans):
        return None
    return int(spans[number, 0]), int(spans[number, 1])


def _evidence(
    certainty: Floats,
    contents: tuple[UnitSpan, ...],
    chosen: tuple[UnitSpan | None, UnitSpan | None],
    links: tuple[float, float],
) -> tuple[float, ...]:
    """Collect what tells how sure an attribution is.

    Log-probabilities: of the tags at the first and after the last unit of the contents (the worst
    of several), their mean over the contents, over the source and the cue, and of the links to the
    cue and to the source. Then whether source and cue are missing, how many contents there are and
    the logarithm of their length in units.
    """
    first = min(float(certainty[a]) for a, _ in contents)
    last = min(float(certainty[min(b, len(certainty) - 1)]) for _, b in contents)
    inside = float(np.concatenate([certainty[a:b] for a, b in contents]).mean())
    around = [float(certainty[slice(*s)].mean()) if s else 0.0 for s in chosen]
    missing = [float(s is None) for s in chosen]
    length = float(np.log(sum(b - a for a, b in contents)))
    return first, last, inside, *around, *links, *missing, float(len(contents)), length


def confidence(found: Found, rules: Rules) -> float:
    """Return the probability that an attribution and its source are right."""
    intercept, *weights = rules.calibration
    logit = intercept + sum(w * e for w, e in zip(weights, found.evidence, strict=True))
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))
