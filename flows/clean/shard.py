"""One batch of the clean stage: raw articles of a Parquet file in, rows of four tables out."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from flows.clean.dates import parse_date
from flows.clean.page import clean_html
from flows.clean.plain import clean_text
from flows.clean.records import CleanArticle, PublicationDate
from flows.clean.signatures import sign
from flows.clean.urls import canonical_url
from schemas.articles import Articles, ArticleSignatures, RemovedLines
from schemas.ids import article_id
from schemas.operations import Rejects
from schemas.records import RawArticle, Reject

EXTRACTED_LANGUAGES = frozenset({"en"})

_PAGE_DATE = "a date of the page is before 1990 or after tomorrow; the article is kept without it"
_INPUT_DATE = (
    "publication date not understood, or before 1990 or after tomorrow; write it as 2018-08-14; "
    "the article is kept with what the page says, if anything"
)
_OLDER = "older version of an article that comes again later in the same batch"
_EMPTY = "no article text in it: nothing but boilerplate, or no text"


@dataclass(frozen=True, slots=True)
class _Cleaned:
    """An article under its name, with the input that it came from."""

    name: str
    raw: RawArticle
    article: CleanArticle


def clean_shard(intake: Path, folder: Path, *, fast: bool = False) -> None:
    """Clean the raw articles of `intake`, a Parquet file with a column per `RawArticle` field.

    Writes `articles`, `removed_lines`, `article_signatures` and `rejects` (`.parquet`) into
    `folder`, each under a temporary name and then renamed, without `run_id`. An article that
    cannot be cleaned becomes a reject. Of two versions of an article the later one stands.
    `fast` is `clean_html`'s.
    """
    cleaned: dict[str, _Cleaned] = {}
    rejects: list[Reject] = []
    for raw in _raw_articles(intake):
        found = _clean(raw, rejects, fast=fast)
        if found and found.name in cleaned:
            rejects.append(_reject(cleaned[found.name].raw, _OLDER))
        if found:
            cleaned[found.name] = found
    tables = _tables(list(cleaned.values()))
    _write({"rejects": Rejects.from_records(rejects)} | tables, folder)


def _raw_articles(intake: Path) -> Iterator[RawArticle]:
    for row in pl.read_parquet(intake).iter_rows(named=True):
        yield RawArticle(**row | {"authors": tuple(row["authors"] or ())})


def _clean(raw: RawArticle, rejects: list[Reject], *, fast: bool) -> _Cleaned | None:
    try:
        article = _with_input_metadata(_article_of(raw, fast=fast), raw)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        rejects.append(_reject(raw, f"cleaning failed ({problem}); please report the page"))
        return None
    if not article.text.strip():
        rejects.append(_reject(raw, _why_empty(article)))
        return None
    rejects += [_reject(raw, _PAGE_DATE, printed) for printed in article.rejected_dates]
    if raw.published_at and (not article.published or article.published.source != "input"):
        rejects.append(_reject(raw, _INPUT_DATE, raw.published_at))
    return _Cleaned(_name(raw, article), raw, article)


def _article_of(raw: RawArticle, *, fast: bool) -> CleanArticle:
    if raw.kind == "html":
        return clean_html(raw.content, raw.url, fast=fast)
    return clean_text(raw.content, raw.url, title=raw.title)


def _with_input_metadata(article: CleanArticle, raw: RawArticle) -> CleanArticle:
    """What the input says about an article wins over what cleaning found."""
    return replace(
        article,
        title=raw.title or article.title,
        authors=raw.authors or article.authors,
        outlet=raw.outlet or article.outlet,
        canonical_url=article.canonical_url or canonical_url(raw.url),
        published=_input_date(raw) or article.published,
    )


def _input_date(raw: RawArticle) -> PublicationDate | None:
    parsed = parse_date(raw.published_at) if raw.published_at else None
    return parsed.published("input") if parsed and parsed.is_possible() else None


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
    return reasons[0] if reasons else _EMPTY


def _reject(raw: RawArticle, reason: str, payload: str | None = None) -> Reject:
    return Reject("clean", raw.raw_file, raw.raw_member, reason, payload or raw.content)


def _tables(cleaned: list[_Cleaned]) -> dict[str, pl.DataFrame]:
    removed = [
        {"article_id": each.name, "position": position, "line": gone.line, "reason": gone.reason}
        for each in cleaned
        for position, gone in enumerate(each.article.removed)
    ]
    signatures = [(each.name, sign(each.article.text)) for each in cleaned]
    return {
        "removed_lines": RemovedLines.frame(removed).drop("run_id"),
        "article_signatures": ArticleSignatures.frame(
            [
                {"article_id": name, "minhash": one.minhash, "band_keys": one.band_keys}
                for name, one in signatures
            ]
        ).drop("run_id"),
        "articles": Articles.frame([_row(each) for each in cleaned]).drop("run_id"),
    }


def _row(cleaned: _Cleaned) -> dict[str, Any]:
    raw, article = cleaned.raw, cleaned.article
    published = article.published
    is_extracted = article.language in EXTRACTED_LANGUAGES
    return {
        "article_id": cleaned.name,
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
        "cleaner_version": article.cleaner_version,
        "extraction_status": "extracted" if is_extracted else "unsupported_language",
    }


def _write(tables: dict[str, pl.DataFrame], folder: Path) -> None:
    """Each table appears whole or not at all, `articles` last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        target = folder / f"{name}.parquet"
        temporary = target.with_suffix(".tmp")
        table.write_parquet(temporary)
        temporary.replace(target)
