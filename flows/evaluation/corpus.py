"""Annotated articles, and what an extractor found in them: the same JSON Lines."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NotRequired, TypedDict

from schemas.errors import StancebankError

Offsets = list[list[int]]


class Row(TypedDict):
    """A stance: the target's spans and the side."""

    target: Offsets
    stance: str
    intensity: NotRequired[int]
    confidence: NotRequired[float]


class Attribution(TypedDict):
    """A statement with its words, speaker and stances; spans are characters of the text."""

    source: NotRequired[Offsets]
    cue: NotRequired[Offsets]
    content: NotRequired[Offsets]
    speaker: NotRequired[str | None]
    speaker_type: NotRequired[str | None]
    confidence: NotRequired[float]
    stances: NotRequired[list[Row]]


class Article(TypedDict):
    """An article and its attributions; predictions have no text."""

    id: str
    text: NotRequired[str]
    attributions: list[Attribution]


class CorpusError(StancebankError):
    """A corpus file cannot be used; the message names the line."""


def read_corpus(path: Path) -> list[Article]:
    """Articles of a JSON Lines file, also gzipped; `article_id` will do for `id`.

    Raises:
        CorpusError: if there is no such file, or a line is not an article.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}.") from None
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    return list(_articles(path, text))


def _articles(path: Path, text: str) -> Iterator[Article]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            name = found.get("id") or found["article_id"]
            yield Article(id=name, text=found["text"], attributions=found["attributions"])
        except (ValueError, KeyError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise CorpusError(f"{path} line {number} is no annotated article ({reason}).") from None
