"""The attribution model at work: articles in, statements with source and cue out.

ONNX Runtime, tokenizers and numpy only. Every window is read by itself, so what an article yields
depends neither on its neighbours nor on their order.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from flows.extract.decode import (
    IMPOSSIBLE,
    Floats,
    Found,
    Model,
    Reading,
    Rules,
    UnitSpan,
    confidence,
    decode,
)
from flows.extract.links import FEATURE_SIZES, PAIRS, REACH, Candidates
from flows.extract.pieces import Pieces, Window, encode, plan_windows
from flows.extract.records import Attribution, Part, Spans
from schemas.errors import StancebankError

MODEL_FOLDER = Path(__file__).parent / "model"
LONGEST_STRETCH = 50_000
"""Characters worked on at once; a longer text is cut at a paragraph, to bound memory."""

_CLS, _SEP = 101, 102
_FEATURE_STARTS = np.cumsum((0, *FEATURE_SIZES[:-1]))


class ModelError(StancebankError):
    """The model's files are missing, damaged or do not belong together."""


def read_description(folder: Path) -> dict[str, Any]:
    """Read model.json and check the SHA-256 of every file it names; raises ModelError."""
    description: dict[str, Any] = json.loads(_described(folder))
    for name, wanted in description["files"].items():
        path = folder / name
        if not path.exists():
            raise ModelError(f"{path} is missing: install the package again")
        if (found := hashlib.sha256(path.read_bytes()).hexdigest()) != wanted:
            raise ModelError(
                f"{path} is damaged or of another version (sha256 {found}, model.json says "
                f"{wanted}): install the package again"
            )
    return description


def _described(folder: Path) -> bytes:
    path = folder / "model.json"
    if not path.exists():
        raise ModelError(f"{path} is missing: install the package again")
    return path.read_bytes()


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Load an ONNX file to run on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Beyond the basic level, sum and norm are fused into an operator that is seven times slower.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """Cut a very long text into (offset, stretch), at line ends where there are any."""
    at = 0
    while len(text) - at > LONGEST_STRETCH:
        line_end = text.rfind("\n", at + LONGEST_STRETCH // 2, at + LONGEST_STRETCH)
        end = line_end + 1 if line_end >= 0 else at + LONGEST_STRETCH
        yield at, text[at:end]
        at = end
    yield at, text[at:]


class Tagger:
    """The trained model, loaded once and used for many articles.

    Raises ModelError where the files in `folder` do not match the hashes in its model.json.
    """

    def __init__(self, folder: Path = MODEL_FOLDER) -> None:
        description = read_description(folder)
        decoding = description["decoding"]
        self.version: str = description["version"]
        self._capacity = int(decoding["capacity"])
        self._context = int(decoding["left"]), int(decoding["right"])
        rules = Rules(
            decoding["eager"], decoding["join"], decoding["least"], tuple(decoding["calibration"])
        )
        transitions = np.array(decoding["transitions"], dtype=np.float32)
        self.model = Model(transitions, self._score_links, rules)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._encoder = open_session(folder / "model.onnx")
        self._links = open_session(folder / "links.onnx")

    def attribute(self, texts: Sequence[str], part: Part = "body") -> list[list[Attribution]]:
        """Return the attributions of each text, in the order of their contents.

        Offsets are characters of the text; `part` is noted on every attribution.
        """
        return [
            [
                found
                for offset, stretch in _stretches(text)
                for found in self._attribute_stretch(stretch, offset, part)
            ]
            for text in texts
        ]

    def read(self, text: str) -> Reading:
        """Run the encoder over a text."""
        pieces = encode(text, self._tokenizer)
        windows = plan_windows(pieces, self._capacity, *self._context)
        outputs = [self._read_window(pieces, window) for window in windows]
        if not outputs:
            empty = np.zeros((0, 0), dtype=np.float32)
            return Reading(pieces, empty, empty)
        scores, states = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
        return Reading(pieces, scores, states)

    def _read_window(self, pieces: Pieces, window: Window) -> tuple[Floats, Floats]:
        """Run the encoder on one window; return tag scores and link states of its own units."""
        inner = slice(window.left, window.right)
        ids = np.r_[_CLS, pieces.ids[inner], _SEP][None]
        shapes = np.pad(pieces.shapes[inner], 1)[None]
        given = {"ids": ids, "places": np.arange(ids.shape[1])[None], "shapes": shapes}
        scores, states = self._encoder.run(("tags", "links"), given)
        low, high = np.searchsorted(pieces.first, [window.start, window.end])
        at = pieces.first[low:high] - window.left + 1
        return scores[0, at], states[0, at]

    def _score_links(self, spans: list[Floats], found: list[Candidates]) -> list[Floats]:
        """Score the candidate links of an article, see `decode.LinkScorer`."""
        given: dict[str, Any] = {
            f"spans{kind}": states if len(states) else np.zeros((1, states.shape[1]), np.float32)
            for kind, states in enumerate(spans)
        }
        places = [np.nonzero(one.index >= 0) for one in found]
        for number, (one, (rows, columns)) in enumerate(zip(found, places, strict=True)):
            given[f"rows{number}"] = rows
            given[f"chosen{number}"] = one.index[rows, columns]
            given[f"features{number}"] = one.features[rows, columns] + _FEATURE_STARTS
        wanted = [f"{kind}{number}" for number in range(len(PAIRS)) for kind in ("pairs", "none")]
        outputs = self._links.run(wanted, given)
        tables = []
        for number, (one, place) in enumerate(zip(found, places, strict=True)):
            scores = np.full((len(one.index), 2 * REACH + 1), IMPOSSIBLE, dtype=np.float32)
            scores[place] = outputs[2 * number]
            scores[:, -1] = outputs[2 * number + 1][: len(scores)]
            tables.append(scores)
        return tables

    def _attribute_stretch(self, text: str, offset: int, part: Part) -> list[Attribution]:
        reading, rules = self.read(text), self.model.rules
        found = decode(reading, self.model) if len(reading.scores) else []
        rated = [(one, confidence(one, rules)) for one in found]
        return [
            _record(one, sure, reading.pieces, offset, part)
            for one, sure in rated
            if sure >= rules.least
        ]


def _characters(pieces: Pieces, spans: Sequence[UnitSpan | None], offset: int) -> Spans:
    return tuple(
        (offset + int(pieces.starts[s[0]]), offset + int(pieces.ends[s[1] - 1]))
        for s in spans
        if s is not None
    )


def _record(found: Found, sure: float, pieces: Pieces, offset: int, part: Part) -> Attribution:
    return Attribution(
        part,
        _characters(pieces, [found.source], offset),
        _characters(pieces, [found.cue], offset),
        _characters(pieces, found.contents, offset),
        sure,
    )


@lru_cache(maxsize=1)
def default_tagger() -> Tagger:
    """Load the shipped model once in a process."""
    return Tagger()


def model_version(folder: Path = MODEL_FOLDER) -> str:
    """Return what changes with a model's weights or decoding; raises ModelError if it is missing.

    It is a hash of model.json, which holds the hashes of all other files.
    """
    return hashlib.sha256(_described(folder)).hexdigest()[:8]


def find_attributions(text: str, part: Part) -> list[Attribution]:
    """Find who said what in a text with the shipped model; offsets are characters of `text`."""
    return default_tagger().attribute([text], part)[0]
