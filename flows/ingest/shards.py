"""Parquet files of raw articles, small enough for a batch of seconds."""

import hashlib
import os
from operator import attrgetter
from pathlib import Path

import polars as pl

from flows.ingest.records import Shard
from schemas.records import RawArticle

SHARD_ARTICLES = 100
SHARD_CHARS = 4 * 2**20
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "raw_file": pl.String,
    "raw_member": pl.String,
    "raw_sha256": pl.String,
    "kind": pl.String,
    "content": pl.String,
    "url": pl.String,
    "title": pl.String,
    "outlet": pl.String,
    "authors": pl.List(pl.String),
    "published_at": pl.String,
}
_row = attrgetter(*SCHEMA)


class ShardWriter:
    """Fills shards in `folder`, one after another. The same articles give the same files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._pending: list[RawArticle] = []
        self._chars = 0
        self.shards: list[Shard] = []

    def add(self, article: RawArticle) -> None:
        """Take an article; a shard that it would overfill is written first."""
        length = len(article.content)
        if self._pending and self._chars + length > SHARD_CHARS:
            self.flush()
        self._pending.append(article)
        self._chars += length
        if len(self._pending) >= SHARD_ARTICLES:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        if self._pending:
            self.shards.append(Shard(self._written(), len(self._pending)))
        self._pending, self._chars = [], 0

    def _written(self) -> Path:
        path = self._folder / f"intake-{_digest(self._pending)}.parquet"
        if not path.exists():
            rows = [_row(article) for article in self._pending]
            unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
            pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(
                unfinished, compression="lz4"
            )
            unfinished.replace(path)
        return path


def _digest(articles: list[RawArticle]) -> str:
    digest = hashlib.sha256()
    for article in articles:
        digest.update(hashlib.sha256(repr(_row(article)).encode()).digest())
    return digest.hexdigest()[:32]
