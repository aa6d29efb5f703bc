"""What extraction finds in an article."""

from dataclasses import dataclass
from typing import Literal

Part = Literal["title", "body"]
Kind = Literal["direct", "indirect", "mixed"]
Sign = Literal["favor", "against"]
Span = tuple[int, int]
Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Attribution:
    """A statement with the words that attribute it. Spans are characters of `part`."""

    part: Part
    source: Spans
    cue: Spans
    content: Spans
    confidence: float


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whoever makes a statement, as far as the article resolves it."""

    name: str
    speaker_type: str
    resolution: str
    members: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Stance:
    """The side that a speaker takes on one target. Spans are characters of the statement's part."""

    target: Spans
    target_name: str
    target_type: str
    stance: Sign
    intensity: int
    basis: Spans
    method: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Statement:
    """An attribution with its speaker (None where the article gives none) and stances."""

    attribution: Attribution
    kind: Kind
    speaker: Speaker | None
    stances: tuple[Stance, ...]
