"""Made-up batches of any size, as the stages before the load hand them over.

Names, words and targets follow Zipf's law, as in news; the same seed gives the same rows.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from schemas.articles import Articles, ArticleSignatures, RemovedLines
from schemas.entities import Speakers, Targets
from schemas.fields import SPAN_DTYPE
from schemas.shards import shard_dtypes, write_shard
from schemas.statements import Stances, Statements, StatementSpeakers

STATEMENTS_AN_ARTICLE = 14
WORDS_A_STATEMENT = 22
BATCH_ARTICLES = 5_000
SPEAKERS, TARGETS, WORDS, OUTLETS = 20_000, 200_000, 30_000, 40
FIRST_DAY, DAYS = datetime(2021, 1, 1), 5 * 365
STANCES_A_STATEMENT = 0.3


def write_batches(folder: Path, articles: int, *, first: int = 0) -> Iterator[Path]:
    """Write batches of `articles` articles in all, numbered from `first`; their folders."""
    for begin in range(first, first + articles, BATCH_ARTICLES):
        numbers = np.arange(begin, min(begin + BATCH_ARTICLES, first + articles))
        batch = folder / f"batch-{begin}"
        _write(batch, numbers, np.random.default_rng(begin))
        yield batch


def _write(batch: Path, numbers: np.ndarray, random: np.random.Generator) -> None:
    articles = _articles(numbers, random)
    statements = _statements(articles, random)
    speakers = _zipf(random, SPEAKERS, statements.height)
    made_by = statements.select("statement_id").with_columns(
        speaker_id=_ids("speaker", speakers), position=pl.lit(0, pl.Int32)
    )
    stances = _stances(statements, random)
    frames = {
        Articles: articles,
        RemovedLines: pl.DataFrame(schema=shard_dtypes(RemovedLines)),
        ArticleSignatures: _signatures(articles, random),
        Speakers: _entities("speaker", "person", speakers),
        Targets: _entities("target", "policy", stances["_number"].to_numpy()),
        Statements: statements,
        StatementSpeakers: made_by,
        Stances: stances.drop("_number"),
    }
    for table, frame in frames.items():
        write_shard(table, frame.cast(pl.Schema(shard_dtypes(table))), batch)


def _articles(numbers: np.ndarray, random: np.random.Generator) -> pl.DataFrame:
    days = random.integers(0, DAYS, len(numbers))
    number = pl.Series("number", numbers)
    digest = pl.col("number").cast(pl.String).str.zfill(64)
    url = pl.format("https://outlet{}.example/{}", pl.col("number") % OUTLETS, "number")
    return number.to_frame().select(
        article_id=_ids("article", number),
        url=url,
        canonical_url=url,
        outlet=pl.format("Outlet {}", pl.col("number") % OUTLETS),
        title=pl.format("Number {}", "number"),
        authors=pl.lit([], pl.List(pl.String)),
        published_at=pl.Series([FIRST_DAY + timedelta(days=int(day)) for day in days]),
        published_precision=pl.lit("day"),
        published_source=pl.lit("input"),
        modified_at=pl.lit(None, pl.Datetime("us")),
        language=pl.lit("en"),
        text=_sentences(random, len(numbers), WORDS_A_STATEMENT * STATEMENTS_AN_ARTICLE),
        text_sha256=digest,
        raw_file=pl.format("synthetic-{}.jsonl", pl.col("number") // BATCH_ARTICLES),
        raw_member=pl.format("line {}", "number"),
        raw_sha256=digest,
        duplicate_cluster_id=pl.lit(None, pl.String),
        cleaner_version=pl.lit("synthetic"),
        extraction_status=pl.lit("extracted"),
        extractor_version=pl.lit("synthetic"),
    )


def _statements(articles: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    rows = articles.height * STATEMENTS_AN_ARTICLE
    position = pl.Series("position", np.tile(np.arange(STATEMENTS_AN_ARTICLE), articles.height))
    owner = articles["article_id"].repeat_by(STATEMENTS_AN_ARTICLE).explode()
    spans = pl.lit([{"start": 0, "end": 10}], pl.List(SPAN_DTYPE))
    return pl.DataFrame({"article_id": owner, "position": position}).select(
        statement_id=pl.format("{}-{}", "article_id", "position"),
        article_id="article_id",
        part=pl.lit("body"),
        position="position",
        kind=pl.lit("direct"),
        text=_sentences(random, rows, WORDS_A_STATEMENT),
        content_spans=spans,
        cue=pl.lit("said"),
        cue_spans=spans,
        source=pl.lit("she"),
        source_spans=spans,
        resolution=pl.lit("pronoun"),
        statement_confidence=pl.Series(random.random(rows)),
        speaker_confidence=pl.Series(random.random(rows)),
        extractor_version=pl.lit("synthetic"),
    )


def _stances(statements: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    chosen = statements.filter(pl.Series(random.random(statements.height) < STANCES_A_STATEMENT))
    numbers = _zipf(random, TARGETS, chosen.height)
    spans = pl.lit([{"start": 0, "end": 10}], pl.List(SPAN_DTYPE))
    name = pl.format("target {}", "_number")
    return chosen.with_columns(_number=pl.Series(numbers)).select(
        "statement_id",
        position=pl.lit(0),
        target_id=_ids("target", numbers),
        target_text=name,
        target_spans=spans,
        target_name=name,
        target_type=pl.lit("policy"),
        stance=pl.Series(random.choice(["favor", "against"], chosen.height)),
        intensity=pl.lit(2),
        basis=pl.lit("backs"),
        basis_spans=spans,
        method=pl.lit("synthetic"),
        stance_confidence=pl.Series(random.random(chosen.height)),
        confidence=pl.Series(random.random(chosen.height)),
        _number="_number",
    )


def _signatures(articles: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    minhash = random.integers(0, 2**32, (articles.height, 64), dtype=np.uint32)
    bands = random.integers(0, 2**63, (articles.height, 16), dtype=np.uint64)
    return pl.DataFrame(
        {
            "article_id": articles["article_id"],
            "minhash": pl.Series(minhash.tolist(), dtype=pl.List(pl.UInt32)),
            "band_keys": pl.Series(bands.tolist(), dtype=pl.List(pl.UInt64)),
        }
    )


def _entities(kind: str, entity_type: str, numbers: np.ndarray) -> pl.DataFrame:
    distinct = np.unique(numbers)
    return pl.DataFrame(
        {
            f"{kind}_id": _ids(kind, distinct),
            "name": [f"{kind} {number}" for number in distinct],
            f"{kind}_type": [entity_type] * len(distinct),
            "aliases": pl.Series([[]] * len(distinct), dtype=pl.List(pl.String)),
        }
    )


def _ids(kind: str, numbers: np.ndarray | pl.Series) -> pl.Series:
    return pl.Series(numbers).cast(pl.String).str.zfill(12).str.replace(r"^", f"{kind[:2]}-")


def _sentences(random: np.random.Generator, rows: int, words: int) -> pl.Series:
    numbers = _zipf(random, WORDS, rows * words)
    vocabulary = pl.Series([f"w{number}" for number in range(WORDS)])
    return vocabulary.gather(numbers).reshape((rows, words)).cast(pl.List(pl.String)).list.join(" ")


def _zipf(random: np.random.Generator, distinct: int, rows: int) -> np.ndarray:
    """Numbers below `distinct`, the lower ones the more frequent (exponent near 1)."""
    return np.floor(distinct ** random.random(rows)).astype(np.int64) - 1
