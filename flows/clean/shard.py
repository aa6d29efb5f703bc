"""One batch of the clean stage: raw articles of a Parquet file in, rows of four tables out."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from flows.clean.dates import parse_date
from flows.clean.page import clean_html
from flows.clean.plain import clean_text
from flows.clean.records import CLEANER_VERSION, CleanArticle
from flows.clean.signatures import sign
from flows.clean.urls import canonical_url
from schemas.articles import Articles, ArticleSignatures, RemovedLines
from schemas.ids import article_id
from schemas.operations import Rejects
from schemas.records import RawArticle, Reject
from schemas.table import Table

EXTRACTED_LANGUAGES = frozenset({"en"})
_TABLES: tuple[type[Table], ...] = (Rejects, RemovedLines, ArticleSignatures, Articles)

Rows = dict[type[Table], list[Any]]


def clean_shard(intake: Path, folder: Path) -> None:
    """Clean the raw articles of `intake`, a Parquet file with a column per `RawArticle` field.

    Writes `articles`, `removed_lines`, `article_signatures` and `rejects` (`.parquet`) into
    `folder`, each under a temporary name and then renamed, without `run_id`. An article that
    cannot be cleaned becomes a reject. Of two versions of an article the later one stands.
    """
    rows: Rows = {table: [] for table in _TABLES}
    batches: dict[str, Rows] = {}
    for record in pl.read_parquet(intake).iter_rows(named=True):
        raw = RawArticle(**record | {"authors": tuple(record["authors"] or ())})
        _add(raw, rows, batches)
    for batch in batches.values():
        for table in _TABLES:
            rows[table] += batch.get(table, [])
    _write(rows, folder)


def _add(raw: RawArticle, rows: Rows, batches: dict[str, Rows]) -> None:
    try:
        article, refused = _with_input_metadata(_clean(raw), raw)
    except Exception as error:
        reason = (
            f"cleaning failed ({type(error).__name__}: {error}); report the page if it is sound"
        )
        rows[Rejects].append(_reject(raw, reason))
        return
    if not article.text.strip():
        rows[Rejects].append(_reject(raw, _why_empty(article)))
        return
    rows[Rejects] += [_reject(raw, reason, payload) for reason, payload in refused]
    batch = _rows_of(raw, article)
    name = batch[Articles][0]["article_id"]
    if name in batches:
        reason = "older version of an article that comes again later in the same batch"
        rows[Rejects].append(_reject(raw, reason))
    batches[name] = batch


def _clean(raw: RawArticle) -> CleanArticle:
    if raw.kind == "html":
        return clean_html(raw.content, raw.url)
    return clean_text(raw.content, raw.url, title=raw.title)


def _with_input_metadata(
    article: CleanArticle, raw: RawArticle
) -> tuple[CleanArticle, list[tuple[str, str]]]:
    """What the input says wins; with the dates that were refused, as (reason, raw value)."""
    refused = [
        (
            "a date of the page is before 1990 or after tomorrow; the article is kept without it",
            date,
        )
        for date in article.rejected_dates
    ]
    published = article.published
    if raw.published_at:
        parsed = parse_date(raw.published_at)
        if parsed and parsed.is_possible():
            published = parsed.published("input")
        else:
            reason = "publication date not understood, before 1990 or after tomorrow; write it as "
            refused.append((f"{reason}2018-08-14; the article is kept", raw.published_at))
    merged = replace(
        article,
        title=raw.title or article.title,
        authors=raw.authors or article.authors,
        outlet=raw.outlet or article.outlet,
        canonical_url=article.canonical_url or canonical_url(raw.url),
        published=published,
    )
    return merged, refused


def _rows_of(raw: RawArticle, article: CleanArticle) -> Rows:
    row = _article_row(raw, article)
    name = {"article_id": row["article_id"]}
    signature = sign(article.text)
    return {
        Articles: [row],
        RemovedLines: [
            name | {"position": position, "line": gone.line, "reason": gone.reason}
            for position, gone in enumerate(article.removed)
        ],
        ArticleSignatures: [
            name | {"minhash": signature.minhash, "band_keys": signature.band_keys}
        ],
    }


def _article_row(raw: RawArticle, article: CleanArticle) -> dict[str, Any]:
    published = article.published
    return {
        "article_id": _name(raw, article),
        "url": raw.url,
        "canonical_url": article.canonical_url,
        "outlet": article.outlet,
        "title": article.title,
        "authors": list(article.authors),
        "published_at": published.at if published else None,
        "published_precision": published.precision if published else None,
        "published_source": published.source if published else None,
        "modified_at": article.modified_at,
        "language": article.language,
        "text": article.text,
        "text_sha256": hashlib.sha256(article.text.encode()).hexdigest(),
        "raw_file": raw.raw_file,
        "raw_member": raw.raw_member,
        "raw_sha256": raw.raw_sha256,
        "cleaner_version": CLEANER_VERSION,
        "extraction_status": "extracted"
        if article.language in EXTRACTED_LANGUAGES
        else "unsupported_language",
    }


def _name(raw: RawArticle, article: CleanArticle) -> str:
    return article_id(
        canonical_url=article.canonical_url,
        outlet=article.outlet,
        title=article.title,
        published_on=article.published.at.date().isoformat() if article.published else None,
        raw_sha256=raw.raw_sha256,
    )


def _why_empty(article: CleanArticle) -> str:
    reasons = [gone.reason for gone in article.removed if gone.reason.startswith("page: ")]
    return reasons[0] if reasons else "no article text in it: nothing but boilerplate or no text"


def _reject(raw: RawArticle, reason: str, payload: str | None = None) -> Reject:
    return Reject("clean", raw.raw_file, raw.raw_member, reason, payload or raw.content)


def _write(rows: Rows, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for table in _TABLES:
        target = folder / f"{table.table_name()}.parquet"
        temporary = target.with_suffix(".tmp")
        _frame(table, rows[table]).write_parquet(temporary)
        temporary.replace(target)


def _frame(table: type[Table], rows: list[Any]) -> pl.DataFrame:
    return Rejects.from_records(rows) if table is Rejects else table.frame(rows).drop("run_id")
