"""Statements with their stance rows, and what the network learns from each."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from flows.extract.pieces import Ints, Pieces, encode
from flows.extract.records import Attribution, Spans, Speaker
from flows.extract.stance_looks import CONTENT, Look, look_at, unit_span
from flows.extract.stance_model import TARGET_TYPES
from flows.extract.stance_rows import SIDES
from flows.extract.stance_spans import BEGIN, INSIDE, SIGNS
from flows.training.data import Article, hold_back, read_articles

HELD_BACK = {"labels": 30, "world": 12}


@dataclass(frozen=True)
class Target:
    """A gold target: units of its look, intensity (0 to 2) and number of its type."""

    low: int
    high: int
    intensity: int
    type_number: int


@dataclass(frozen=True)
class Example:
    """A statement: its look, the tags of each sign [signs, units], its targets, if it is polar."""

    look: Look
    tags: Ints
    targets: tuple[Target, ...]
    polar: bool

    @property
    def content(self) -> Ints:
        """Units of the content; all units where the content lies outside of the look."""
        inside = np.flatnonzero(self.look.roles == CONTENT)
        return inside if len(inside) else np.arange(len(self.look.roles))


@dataclass(frozen=True)
class Corpora:
    """Articles to train on, and those held back for tuning."""

    train: list[Article]
    held: list[Article]


def read_corpora(data: Path) -> Corpora:
    """Read the labelled articles below `data`; raises FileNotFoundError where a file is missing."""
    train: list[Article] = []
    held: list[Article] = []
    for corpus, count in HELD_BACK.items():
        articles = read_articles(data / corpus / "train.jsonl", corpus)
        rest, back = hold_back(articles, count)
        train += rest
        held += back
    return Corpora(train, held)


def _spans(offsets: list[list[int]]) -> Spans:
    return tuple((start, end) for start, end in offsets)


def as_attribution(statement: dict[str, Any]) -> Attribution:
    """A gold statement as the extraction's record."""
    source, cue, content = (_spans(statement[part]) for part in ("source", "cue", "content"))
    return Attribution("body", source, cue, content, 1.0)


def speaker_of(statement: dict[str, Any]) -> Speaker | None:
    """The speaker of a gold statement as the extraction's record."""
    name = statement["speaker"]
    return Speaker(name, statement["speaker_type"], "gold", (), 1.0) if name else None


def no_name(_: object) -> None:
    """Names no pronoun: scores compare targets by where they stand."""
    return


def _placed(pieces: Pieces, look: Look, row: dict[str, Any]) -> Target | None:
    """The target of a stance row in units of the look; None where it lies outside."""
    low, high = unit_span(pieces, *row["target"][0])
    if high <= low or low < look.low or high > look.low + len(look.at):
        return None
    kind = TARGET_TYPES.index(row["target_type"])
    return Target(low - look.low, high - look.low, row["intensity"] - 1, kind)


def make_example(
    pieces: Pieces, statement: dict[str, Any], hidden: frozenset[str]
) -> Example | None:
    """Prepare a statement; parts named in `hidden` (source, cue) are kept from the model.

    Of targets of one sign that overlap only the shorter is tagged. None without any unit.
    """
    parts = [() if part in hidden else _spans(statement[part]) for part in ("source", "cue")]
    look = look_at(pieces, parts[0], parts[1], _spans(statement["content"]))
    if look is None:
        return None
    tags = np.zeros((SIGNS, len(look.at)), dtype=np.int64)
    targets = []
    rows = [(_placed(pieces, look, row), row["stance"]) for row in statement["stances"]]
    inside = [(target, SIDES.index(stance)) for target, stance in rows if target]
    for target, sign in sorted(inside, key=lambda pair: pair[0].high - pair[0].low):
        targets.append(target)
        if not tags[sign, target.low : target.high].any():
            tags[sign, target.low : target.high] = INSIDE
            tags[sign, target.low] = BEGIN
    return Example(look, tags, tuple(targets), bool(statement["stances"]))


def statements_of(articles: list[Article]) -> Iterator[tuple[Article, dict[str, Any]]]:
    """Yield the statements that have a speaker, with their article."""
    for article in articles:
        for statement in article.attributions:
            if statement["speaker"]:
                yield article, statement


class Statements:
    """The training statements of some articles, tokenized once."""

    def __init__(self, articles: list[Article], tokenizer: Tokenizer) -> None:
        self._pieces = {a.article_id: encode(a.text, tokenizer) for a in articles}
        self._all = list(statements_of(articles))

    def __len__(self) -> int:
        return len(self._all)

    def examples(self, rng: random.Random, neutral: float, hide: float) -> list[Example]:
        """Draw the examples of an epoch: all polar statements, a share `neutral` of the others.

        Source and cue are each hidden with probability `hide`.
        """
        drawn = []
        for article, statement in self._all:
            if not statement["stances"] and rng.random() >= neutral:
                continue
            hidden = frozenset(part for part in ("source", "cue") if rng.random() < hide)
            example = make_example(self._pieces[article.article_id], statement, hidden)
            if example:
                drawn.append(example)
        return drawn
