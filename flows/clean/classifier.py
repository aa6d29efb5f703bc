"""The trained models: the probability that a line of a dump, or a block of a page, is article."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions

from flows.clean.line_features import Matrix
from flows.clean.words import WordTable, shipped_words


@dataclass(frozen=True, slots=True)
class Forest:
    """Gradient-boosted trees in ONNX, run on one thread."""

    session: InferenceSession

    @classmethod
    def load(cls, model: bytes) -> "Forest":
        """From the bytes of an ONNX file with one input of features."""
        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return cls(InferenceSession(model, options, providers=["CPUExecutionProvider"]))

    def probabilities(self, features: Matrix) -> NDArray[np.float32]:
        """Probability of being article for each row of `features`."""
        if not len(features):
            return np.empty(0, dtype=np.float32)
        (scores,) = self.session.run(None, {"features": features})
        values: NDArray[np.float32] = scores.reshape(-1)
        return values


@dataclass(frozen=True, slots=True)
class Models:
    """All that training makes: word counts, and the forests for lines and for HTML blocks."""

    words: WordTable
    lines: Forest
    blocks: Forest


@cache
def shipped_models() -> Models:
    """The models that ship with the project (once per process)."""
    folder = files("flows.clean").joinpath("resources")
    return Models(
        words=shipped_words(),
        lines=Forest.load(folder.joinpath("lines.onnx").read_bytes()),
        blocks=Forest.load(folder.joinpath("blocks.onnx").read_bytes()),
    )
