"""Checking a batch before it is loaded: every row by its model, and rows against one another."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from schemas.articles import Articles, ArticleSignatures, RemovedLines
from schemas.entities import Speakers, Targets
from schemas.operations import Rejects
from schemas.records import Reject
from schemas.shards import read_shard, write_shard
from schemas.statements import SPAN_SEPARATOR, Stances, Statements, StatementSpeakers
from schemas.table import Table
from schemas.validation import split_valid

BATCH_TABLES: tuple[type[Table], ...] = (
    Articles,
    RemovedLines,
    ArticleSignatures,
    Speakers,
    Targets,
    Statements,
    StatementSpeakers,
    Stances,
)
VERBATIM_COLUMNS = {
    Statements: {"text": "content_spans", "cue": "cue_spans", "source": "source_spans"},
    Stances: {"target_text": "target_spans", "basis": "basis_spans"},
}


def validate_shard(folder: Path) -> None:
    """Write the rows of the batch in `folder` that may be loaded to `folder/valid`.

    Rows that fail a check of their model, whose words are not verbatim at their offsets, or whose
    parent failed, go to `folder/valid/rejects.parquet` with the batch's earlier rejects.
    """
    frames = {table: read_shard(table, folder) for table in BATCH_TABLES}
    valid: dict[type[Table], pl.DataFrame] = {}
    rejects = [read_shard(Rejects, folder)]
    for table in BATCH_TABLES:
        good, bad = _check(table, frames[table], valid)
        valid[table] = good
        rejects.append(Rejects.from_records(_rejects(table, bad, frames)))
    for table, frame in valid.items():
        write_shard(table, frame, folder / "valid")
    everything = pl.concat(rejects).unique(subset="reject_id", maintain_order=True)
    write_shard(Rejects, everything, folder / "valid")


def _check(
    table: type[Table], frame: pl.DataFrame, valid: dict[type[Table], pl.DataFrame]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Good rows, and bad ones with a `_reason`."""
    placed = frame.with_columns(run_id=pl.lit("")) if "run_id" in table.columns() else frame
    good, failed = split_valid(table, placed)
    good, orphans = _without_parent(table, good, valid)
    good, moved = _not_verbatim(table, good, valid)
    return good, pl.concat([failed, orphans, moved])


def _without_parent(
    table: type[Table], frame: pl.DataFrame, valid: dict[type[Table], pl.DataFrame]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    parents = {parent.table_name(): rows for parent, rows in valid.items()}
    orphans = frame.clear().with_columns(_reason=pl.lit(""))
    for column, parent in table.references().items():
        if parent in parents:
            reason = pl.lit(f"its row in {parent} is missing or did not pass")
            lost = frame.join(parents[parent], on=column, how="anti")
            orphans = pl.concat([orphans, lost.with_columns(_reason=reason)])
            frame = frame.join(parents[parent], on=column, how="semi")
    return frame, orphans


def _not_verbatim(
    table: type[Table], frame: pl.DataFrame, valid: dict[type[Table], pl.DataFrame]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    fields = _fields(table, valid)
    moved = frame.clear().with_columns(_reason=pl.lit(""))
    for words, spans in VERBATIM_COLUMNS.get(table, {}).items():
        right = _words_at(frame, spans, fields).eq_missing(frame[words])
        reason = pl.lit(f"{words} is not what the article has at {spans}")
        moved = pl.concat([moved, frame.filter(~right).with_columns(_reason=reason)])
        frame = frame.filter(right)
    return frame, moved


def _fields(table: type[Table], valid: dict[type[Table], pl.DataFrame]) -> pl.DataFrame:
    """The text that each row's offsets refer to, by the row's key columns."""
    if table not in VERBATIM_COLUMNS:
        return pl.DataFrame()
    articles = valid[Articles]
    parts = pl.concat(
        [
            articles.select("article_id", part=pl.lit("body"), _field="text"),
            articles.select("article_id", part=pl.lit("title"), _field="title"),
        ]
    )
    if table is Statements:
        return parts
    return (
        valid[Statements]
        .select("statement_id", "article_id", "part")
        .join(parts, on=["article_id", "part"])
    )


def _words_at(frame: pl.DataFrame, spans: str, fields: pl.DataFrame) -> pl.Series:
    """What stands at each row's spans, parts joined with ` … `; null for no spans."""
    on = [column for column in ("statement_id", "article_id", "part") if column in fields.columns]
    on = [column for column in on if column in frame.columns]
    start, end = pl.col(spans).struct.field("start"), pl.col(spans).struct.field("end")
    return (
        frame.select(*on, spans)
        .with_row_index("_row")
        .join(fields.select(*on, "_field"), on=on, how="left", maintain_order="left")
        .explode(spans, empty_as_null=True)
        .with_columns(_words=pl.col("_field").str.slice(start, end - start))
        .group_by("_row", maintain_order=True)
        .agg(
            pl.when(pl.col("_words").is_not_null().any())
            .then(pl.col("_words").str.join(SPAN_SEPARATOR))
            .first()
        )
        .get_column("_words")
    )


def _rejects(
    table: type[Table], bad: pl.DataFrame, frames: dict[type[Table], pl.DataFrame]
) -> Iterable[Reject]:
    places = frames[Articles].select("article_id", "raw_file", "raw_member")
    articles = {row["article_id"]: row for row in places.iter_rows(named=True)}
    statements = dict(frames[Statements].select("statement_id", "article_id").iter_rows())
    for row in bad.iter_rows(named=True):
        article_id = row.get("article_id") or statements.get(row.get("statement_id", ""), "")
        place: dict[str, Any] = articles.get(article_id, {})
        reason = row.pop("_reason")
        yield Reject(
            "validate",
            place.get("raw_file"),
            place.get("raw_member"),
            f"{table.table_name()}: {reason}",
            json.dumps(row, default=str, ensure_ascii=False),
        )
