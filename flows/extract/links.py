"""Candidate links between the spans of an article: which cue, and which source, is whose."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.extract.pieces import Pieces

Ints = NDArray[np.int64]

REACH = 8
"""Candidates looked at on either side of a span."""
SOURCE, CUE, CONTENT = range(3)
PAIRS = ((CONTENT, CUE), (CUE, SOURCE), (CONTENT, SOURCE))
"""The three links: (the span that seeks, the span that is sought)."""
FEATURE_SIZES = (32, 4, 4, 4, 4, 4, 4)
"""Values of each feature: signed distance, paragraph and sentence ends between, sources, cues and
contents between, quotation state of both."""

_EDGES = np.array([0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610])


@dataclass(frozen=True)
class Candidates:
    """For each seeking span its candidates, padded to `2 * REACH`.

    `index` [n, 2 * REACH]: number of the candidate span, -1 where there is none. `features`
    [n, 2 * REACH, len(FEATURE_SIZES)]: small integers, see FEATURE_SIZES.
    """

    index: Ints
    features: Ints


def _between(spans: Ints, low: Ints, high: Ints) -> Ints:
    """Count the spans (sorted by start) that start within `[low, high)`, at most 3."""
    starts = spans[:, 0]
    count = np.searchsorted(starts, high) - np.searchsorted(starts, low)
    return np.asarray(np.minimum(count, 3), dtype=np.int64)


def candidates(pieces: Pieces, spans: tuple[Ints, Ints, Ints], pair: tuple[int, int]) -> Candidates:
    """List the candidates of each span of kind `pair[0]` among those of kind `pair[1]`.

    `spans`: per kind (SOURCE, CUE, CONTENT) unit spans [n, 2], end exclusive, sorted by start.
    """
    seek, sought = spans[pair[0]], spans[pair[1]]
    middle = np.searchsorted(sought[:, 0], seek[:, 0]) if len(sought) else np.zeros(len(seek), int)
    index = middle[:, None] + np.arange(-REACH, REACH)[None]
    valid = (index >= 0) & (index < len(sought))
    index = np.where(valid, index, -1)
    if not len(sought) or not len(seek):
        shape = (len(seek), 2 * REACH, len(FEATURE_SIZES))
        return Candidates(index, np.zeros(shape, dtype=np.int64))
    other = sought[index]
    before = other[..., 0] < seek[:, None, 0]
    low = np.where(before, other[..., 1], seek[:, None, 1])
    high = np.where(before, seek[:, None, 0], other[..., 0])
    high = np.maximum(high, low)
    distance = np.searchsorted(_EDGES, high - low, side="right") + 16 * before
    edge = np.minimum(high, len(pieces.first) - 1)
    inner = np.maximum(low - 1, 0)
    features = [
        distance,
        np.clip(pieces.paragraph[edge] - pieces.paragraph[inner], 0, 3),
        np.clip(pieces.sentence[edge] - pieces.sentence[inner], 0, 3),
        *(_between(spans[kind], low, high) for kind in (SOURCE, CUE, CONTENT)),
        2 * pieces.quoted[seek[:, 0]][:, None] + pieces.quoted[other[..., 0]],
    ]
    return Candidates(index, np.stack(features, axis=-1))
