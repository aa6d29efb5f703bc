"""Corpora of annotated articles, and what the network learns from each."""

import gzip
import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from flows.extract.links import CONTENT, CUE, PAIRS, REACH, SOURCE, Candidates, candidates
from flows.extract.pieces import Pieces, Window, encode, plan_windows

Ints = NDArray[np.int64]

KINDS = ("source", "cue", "content")
IGNORED = -100
"""Link target of a span whose partner lies out of reach: no loss is taken there."""

_QUOTE_STYLES = ("“”‘’", "\"\"''", "‘’“”", "«»‘’", "„“‘’")


@dataclass(frozen=True)
class Article:
    """An annotated article: `attributions` as in PolNeAR's JSON Lines, spans in characters."""

    article_id: str
    corpus: str
    text: str
    attributions: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Cut:
    """How an article is cut: most pieces of a window and of its context, windows a stretch."""

    capacity: int = 240
    left: int = 32
    right: int = 16
    windows_each: int = 4


@dataclass(frozen=True)
class Link:
    """Candidates of every seeking span and which is right (`2 * REACH`: none is)."""

    candidates: Candidates
    target: Ints


@dataclass(frozen=True)
class Example:
    """A stretch of an article: its windows, the tag of each unit, its spans and their links."""

    pieces: Pieces
    windows: tuple[Window, ...]
    tags: Ints
    spans: tuple[Ints, Ints, Ints]
    links: tuple[Link, ...]


def read_articles(path: Path, corpus: str) -> list[Article]:
    """Read annotated articles from JSON Lines, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Article(row.get("article_id") or row["id"], corpus, row["text"], tuple(row["attributions"]))
        for row in rows
    ]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hold_back(articles: list[Article], count: int) -> tuple[list[Article], list[Article]]:
    """Split articles into (rest, held back), by a hash of the id: the same in every run."""
    ranked = sorted(articles, key=lambda a: hashlib.sha256(a.article_id.encode()).hexdigest())
    held = {a.article_id for a in ranked[:count]}
    return (
        [a for a in articles if a.article_id not in held],
        [a for a in articles if a.article_id in held],
    )


def restyle_quotes(text: str, rng: random.Random) -> str:
    """Exchange the quotation marks for those of another style, length unchanged."""
    style = rng.choice(_QUOTE_STYLES)
    table = str.maketrans({"“": style[0], "”": style[1], "‘": style[2], "’": style[3]})
    return text.translate(table)


def _unit_span(pieces: Pieces, start: int, end: int) -> tuple[int, int]:
    """Return the units that characters `[start, end)` touch, as a half-open range."""
    low = int(np.searchsorted(pieces.ends, start, side="right"))
    high = int(np.searchsorted(pieces.starts, end, side="left"))
    return low, max(high, low)


def _segments(pieces: Pieces, spans: list[list[int]]) -> list[tuple[int, int]]:
    """Return the unit ranges of character spans, those that touch one another joined."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        low, high = _unit_span(pieces, start, end)
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        elif high > low:
            found.append((low, high))
    return found


class Annotation:
    """The spans of an article in units, and for each the span it belongs to."""

    def __init__(self, pieces: Pieces, attributions: tuple[dict[str, Any], ...]) -> None:
        self.pieces = pieces
        segments = [{kind: _segments(pieces, a[kind]) for kind in KINDS} for a in attributions]
        self.spans = tuple(sorted({s for a in segments for s in a[kind]}) for kind in KINDS)
        self.owner: dict[tuple[int, int], dict[tuple[int, int], tuple[int, int] | None]] = {
            pair: {} for pair in PAIRS
        }
        for attribution in segments:
            for seek, sought in PAIRS:
                partner = attribution[KINDS[sought]]
                for span in attribution[KINDS[seek]]:
                    self.owner[seek, sought][span] = partner[0] if partner else None

    def tags(self) -> Ints:
        """Return the BIO tag of each unit: 0, or 1 + 2 * kind at a beginning, 2 + 2 * kind in."""
        tags = np.zeros(len(self.pieces.first), dtype=np.int64)
        for kind in (CONTENT, SOURCE, CUE):
            for low, high in self.spans[kind]:
                tags[low:high] = 2 + 2 * kind
                tags[low] = 1 + 2 * kind
        inner = (tags > 0) & (tags % 2 == 0)
        broken = inner & (np.r_[0, tags[:-1] + tags[:-1] % 2] != tags)
        tags[broken] -= 1
        return tags


def _inside(spans: list[tuple[int, int]], low: int, high: int) -> Ints:
    kept = [s for s in spans if low <= s[0] and s[1] <= high]
    return np.array(kept, dtype=np.int64).reshape(-1, 2)


def _link(annotation: Annotation, spans: tuple[Ints, Ints, Ints], pair: tuple[int, int]) -> Link:
    """List the candidates of every seeking span of a stretch and the right one among them."""
    found = candidates(annotation.pieces, spans, pair)
    number = {(int(a), int(b)): i for i, (a, b) in enumerate(spans[pair[1]])}
    target = np.full(len(found.index), IGNORED, dtype=np.int64)
    for row, (low, high) in enumerate(spans[pair[0]]):
        partner = annotation.owner[pair].get((int(low), int(high)))
        if partner is None:
            target[row] = 2 * REACH
        elif partner in number:
            places = np.flatnonzero(found.index[row] == number[partner])
            target[row] = places[0] if len(places) else IGNORED
    return Link(found, target)


def make_examples(
    article: Article,
    tokenizer: Tokenizer,
    *,
    cut: Cut,
    text: str | None = None,
) -> list[Example]:
    """Cut an article into stretches of at most `cut.windows_each` windows.

    `text`, where given, replaces the article's own and must be as long.
    """
    pieces = encode(article.text if text is None else text, tokenizer)
    annotation = Annotation(pieces, article.attributions)
    tags = annotation.tags()
    windows = plan_windows(pieces, cut.capacity, cut.left, cut.right)
    groups = -(-len(windows) // cut.windows_each)
    examples = []
    for part in np.array_split(np.arange(len(windows)), groups) if groups else ():
        chosen = tuple(windows[i] for i in part)
        low, high = np.searchsorted(pieces.first, [chosen[0].start, chosen[-1].end])
        sources, cues, contents = (_inside(s, int(low), int(high)) for s in annotation.spans)
        spans = sources, cues, contents
        links = tuple(_link(annotation, spans, pair) for pair in PAIRS)
        examples.append(Example(pieces, chosen, tags, spans, links))
    return examples
