"""From an article to its statements: attribution, speakers and stances, one after the other."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from flows.extract.quotes import Quotations
from flows.extract.records import Attribution, Part, Spans, Speaker, Stance, Statement
from flows.extract.speakers import SpeakerResolver
from flows.extract.stance_model import STANCE_FOLDER
from flows.extract.stance_rows import find_stances
from flows.extract.tagger import find_attributions, model_version
from schemas.fields import SPAN_DTYPE
from schemas.statements import SPAN_SEPARATOR

EXTRACTOR_VERSION = f"1+{model_version()}+{model_version(STANCE_FOLDER)}"
"""Rules and models. Changes whenever the same article can give other statements."""

_COLUMNS: dict[str, Any] = {
    "part": pl.String,
    "kind": pl.String,
    "statement": pl.String,
    "source": pl.String,
    "cue": pl.String,
    "speaker": pl.String,
    "speaker_type": pl.String,
    "resolution": pl.String,
    "target": pl.String,
    "target_name": pl.String,
    "target_type": pl.String,
    "stance": pl.String,
    "intensity": pl.Int8,
    "confidence": pl.Float64,
    "method": pl.String,
    "basis": pl.String,
    "spans": pl.List(SPAN_DTYPE),
}


def find_statements(text: str, title: str | None = None) -> list[Statement]:
    """Find the statements of an article in its title and its body, with speaker and stances.

    Spans are characters of the statement's part. A text without statements gives an empty list.
    """
    fields: dict[Part, str] = {"title": title or "", "body": text}
    attributions = [a for part, field in fields.items() for a in find_attributions(field, part)]
    quotations = {part: Quotations(field) for part, field in fields.items()}
    resolver = SpeakerResolver(text, title)
    speakers = resolver.resolve(attributions)
    sides = _sides(fields, attributions, speakers, resolver)
    return [
        Statement(
            attribution,
            quotations[attribution.part].kind(attribution.content),
            speaker,
            stances,
        )
        for attribution, speaker, stances in zip(attributions, speakers, sides, strict=True)
    ]


def _sides(
    fields: dict[Part, str],
    attributions: Sequence[Attribution],
    speakers: Sequence[Speaker | None],
    resolver: SpeakerResolver,
) -> list[tuple[Stance, ...]]:
    """The stances of each attribution; those of the title come first in `attributions`."""
    sides: list[tuple[Stance, ...]] = []
    for part, field in fields.items():
        own = [(a, s) for a, s in zip(attributions, speakers, strict=True) if a.part == part]
        sides += find_stances(
            field,
            [attribution for attribution, _ in own],
            [speaker for _, speaker in own],
            [resolver.name_of(part, speaker) for _, speaker in own],
        )
    return sides


def extract_statements(text: str, title: str | None = None) -> pl.DataFrame:
    """Find who says what, about what, and whether for or against it, in one article.

    Returns a frame with a row per statement and target, and one with stance `neutral` and no
    target where a statement takes no side. `spans` are where the statement stands in `part`
    (characters, end exclusive).
    """
    fields = {"title": title or "", "body": text}
    rows = [
        row
        for statement in find_statements(text, title)
        for row in _rows(statement, fields[statement.attribution.part])
    ]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")


def words_at(text: str, spans: Spans) -> str | None:
    """The text's words at some spans, parts joined with ` … `; None without spans."""
    return SPAN_SEPARATOR.join(text[start:end] for start, end in spans) if spans else None


def row_confidence(statement: Statement, stance: Stance | None = None) -> float:
    """Probability that statement, speaker and stance are all right, taken as independent."""
    speaker = statement.speaker.confidence if statement.speaker else 1.0
    return statement.attribution.confidence * speaker * (stance.confidence if stance else 1.0)


def _rows(statement: Statement, text: str) -> list[dict[str, Any]]:
    attribution, speaker = statement.attribution, statement.speaker
    common = {
        "part": attribution.part,
        "kind": statement.kind,
        "statement": words_at(text, attribution.content),
        "source": words_at(text, attribution.source),
        "cue": words_at(text, attribution.cue),
        "speaker": speaker and speaker.name,
        "speaker_type": speaker and speaker.speaker_type,
        "resolution": speaker and speaker.resolution,
        "stance": "neutral",
        "confidence": row_confidence(statement),
        "spans": [{"start": start, "end": end} for start, end in attribution.content],
    }
    if not statement.stances:
        return [common]
    return [common | _stance_columns(stance, statement, text) for stance in statement.stances]


def _stance_columns(stance: Stance, statement: Statement, text: str) -> dict[str, Any]:
    return {
        "target": words_at(text, stance.target),
        "target_name": stance.target_name,
        "target_type": stance.target_type,
        "stance": stance.stance,
        "intensity": stance.intensity,
        "confidence": row_confidence(statement, stance),
        "method": stance.method,
        "basis": words_at(text, stance.basis),
    }
