"""The stance model at work: a short look at each statement, on ONNX Runtime and numpy only.

Every statement is read by itself, so what it yields does not depend on its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from flows.extract.pieces import Pieces, encode
from flows.extract.records import Attribution
from flows.extract.stance_looks import CONTENT, Look, look_at
from flows.extract.stance_spans import SIGNS, Doubles, span_chances
from flows.extract.tagger import open_session, read_description

STANCE_FOLDER = Path(__file__).parent / "stance_weights"
TARGET_TYPES = ("actor", "policy", "event", "claim", "other")
GATE_CONTENT, GATE_LOOK = 0, 1
INTENSITY_TARGET, INTENSITY_LOOK = slice(2, 5), slice(5, 8)
TYPE = slice(8, 8 + len(TARGET_TYPES))
"""Columns of the scores that are pooled, over content, look or target."""


@dataclass(frozen=True)
class Reading:
    """What the model says of one statement.

    `chances`: probability of every span being a target, see `stance_spans.span_chances`. `gate`:
    logit of the statement taking a side. `pooled` [1 + units, columns]: scores of the classifier
    mark and of each unit.
    """

    look: Look
    chances: Doubles
    gate: float
    pooled: NDArray[np.float32]

    def intensity(self, low: int, high: int) -> int:
        """The intensity, 1 to 3, of a stance on the units `[low, high)`."""
        units = self.pooled[1 + low : 1 + high, INTENSITY_TARGET].mean(axis=0)
        return 1 + int((units + self.pooled[0, INTENSITY_LOOK]).argmax())

    def target_type(self, low: int, high: int) -> str:
        """The type of the target that stands at the units `[low, high)`."""
        return TARGET_TYPES[int(self.pooled[1 + low : 1 + high, TYPE].mean(axis=0).argmax())]


class StanceModel:
    """The trained model, loaded once and used for many articles.

    Raises `tagger.ModelError` where the files in `folder` do not match the hashes in model.json.
    """

    def __init__(self, folder: Path = STANCE_FOLDER) -> None:
        description = read_description(folder)
        self.version: str = description["version"]
        decoding: dict[str, Any] = description["decoding"]
        self.least = float(decoding["least"])
        self.calibration: tuple[float, ...] = tuple(decoding["calibration"])
        self._transitions = np.array(decoding["transitions"], dtype=np.float64)
        self._tokenizer = Tokenizer.from_file(str(folder / description["tokenizer"]))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._encoder = open_session(folder / "model.onnx")

    def encode(self, text: str) -> Pieces:
        """Cut a text into the pieces that the model reads."""
        return encode(text, self._tokenizer)

    def read(self, pieces: Pieces, statements: Sequence[Attribution]) -> list[Reading | None]:
        """Read statements of one text; None for one that has no word."""
        looks = [look_at(pieces, s.source, s.cue, s.content) for s in statements]
        seen = [look for look in looks if look]
        if not seen:
            return [None] * len(looks)
        outputs = [self._run(look) for look in seen]
        scores = [tags.astype(np.float64) for tags, _ in outputs]
        chances = span_chances(scores, self._transitions)
        readings = iter(
            Reading(look, one, _gate(look, pooled), pooled)
            for look, one, (_, pooled) in zip(seen, chances, outputs, strict=True)
        )
        return [next(readings) if look else None for look in looks]

    def _run(self, look: Look) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Tag scores [units, signs, 3] and scores to pool [1 + units, columns] of a look."""
        places = np.arange(len(look.ids))
        given = {"ids": look.ids[None], "places": places[None], "shapes": look.kinds[None]}
        tags, pooled = self._encoder.run(("tags", "pooled"), given)
        return tags[0, look.at].reshape(-1, SIGNS, 3), pooled[0, np.append(0, look.at)]


def _gate(look: Look, pooled: NDArray[np.float32]) -> float:
    inside = np.flatnonzero(look.roles == CONTENT)
    units = pooled[1 + inside] if len(inside) else pooled[1:]
    return float(units[:, GATE_CONTENT].mean() + pooled[0, GATE_LOOK])


@lru_cache(maxsize=1)
def default_stance_model() -> StanceModel:
    """Load the shipped model once in a process."""
    return StanceModel()
