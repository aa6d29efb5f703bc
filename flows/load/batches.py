"""What the load stage tells the others of the warehouse, and of batches not yet in it."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

from schemas.articles import Articles, ArticleSignatures, RemovedLines
from schemas.ids import hashed_id
from schemas.shards import read_shard, shard_dtypes, write_shard
from schemas.table import Table

BATCH_ARTICLES = 100
CLEANED: tuple[type[Table], ...] = (Articles, RemovedLines, ArticleSignatures)


def new_signatures(batches: Sequence[Path]) -> pl.DataFrame:
    """Signatures of all articles in `batches`, with what orders and compares them.

    Columns: those of `article_signatures`, `text_sha256` and `published_at`.
    """
    frames = [
        read_shard(ArticleSignatures, batch).join(
            read_shard(Articles, batch).select("article_id", "text_sha256", "published_at"),
            on="article_id",
        )
        for batch in batches
    ]
    everything = pl.concat([_no_signatures(), *frames])
    return everything.unique(subset="article_id", maintain_order=True)


def known_signatures(connection: duckdb.DuckDBPyConnection, new: pl.DataFrame) -> pl.DataFrame:
    """Signatures of loaded articles that share a band with one of `new` and are not among them."""
    connection.register("_new", new.select("article_id", "band_keys"))
    frame = connection.sql("""
        WITH keys AS (SELECT DISTINCT unnest(band_keys) AS key FROM _new),
        near AS (
            SELECT DISTINCT article_id
            FROM (SELECT article_id, unnest(band_keys) AS key FROM article_signatures)
            SEMI JOIN keys USING (key)
        )
        SELECT s.article_id, s.minhash, s.band_keys, a.text_sha256, a.published_at,
            a.duplicate_cluster_id
        FROM article_signatures AS s
        JOIN articles AS a USING (article_id)
        SEMI JOIN near USING (article_id)
        ANTI JOIN _new USING (article_id)
    """).pl()
    connection.unregister("_new")
    return frame


def outdated_batches(
    connection: duckdb.DuckDBPyConnection, extractor_version: str, folder: Path
) -> list[Path]:
    """Write articles that another extractor version read as batches in `folder`; their folders."""
    rows = connection.execute(
        "SELECT article_id FROM articles WHERE extraction_status IN ('extracted', 'failed') "
        "AND extractor_version IS DISTINCT FROM ? ORDER BY article_id",
        [extractor_version],
    ).fetchall()
    names = [name for (name,) in rows]
    parts = (names[i : i + BATCH_ARTICLES] for i in range(0, len(names), BATCH_ARTICLES))
    return [_write_batch(connection, part, folder) for part in parts]


def _write_batch(connection: duckdb.DuckDBPyConnection, names: list[str], folder: Path) -> Path:
    batch = folder / f"outdated-{hashed_id(*names)}"
    for table in CLEANED:
        columns = ", ".join(f'"{name}"' for name in shard_dtypes(table))
        query = f"SELECT {columns} FROM {table.table_name()} WHERE article_id IN (SELECT unnest(?))"
        rows = connection.execute(query, [names]).pl()
        write_shard(table, rows.cast(pl.Schema(shard_dtypes(table))), batch)
    return batch


def _no_signatures() -> pl.DataFrame:
    dtypes = shard_dtypes(ArticleSignatures)
    extra = {name: Articles.dtypes()[name] for name in ("text_sha256", "published_at")}
    return pl.DataFrame(schema=dtypes | extra)
