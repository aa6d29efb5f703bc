"""Articles and what cleaning took out of them."""

from typing import Annotated

import polars as pl

from schemas.fields import Texts, Timestamp, choice, digest, field, key, reference
from schemas.table import Table

PRECISIONS = ("year", "month", "day", "minute", "second")
DATE_SOURCES = ("input", "json-ld", "meta", "htmldate", "url", "text")
EXTRACTION_STATUSES = ("extracted", "unsupported_language", "too_long", "failed")


class Articles(Table):
    """One row per article: its clean text, where it came from and what was done with it."""

    article_id: str = key(
        "Hash of the canonical URL, else of outlet, title and date, else of the raw bytes."
    )
    url: str = field("Address as the input gives it.", nullable=True)
    canonical_url: str = field(
        "Address without tracking parameters, fragment and mobile prefix.", nullable=True
    )
    outlet: str = field("Name of the publication, else its domain.", nullable=True)
    title: str = field("Headline, as printed.", nullable=True)
    authors: Texts = field("Names in the byline, in order; empty where none is given.")
    published_at: Timestamp = field(
        "When the article says it was published (UTC); never the date of collection.",
        nullable=True,
    )
    published_precision: str = choice(
        PRECISIONS, "The finest unit that `published_at` can be trusted to.", nullable=True
    )
    published_source: str = choice(
        DATE_SOURCES, "Where `published_at` was read from.", nullable=True
    )
    modified_at: Timestamp = field(
        "When the article says it was last changed (UTC).", nullable=True
    )
    language: str = field(
        "ISO 639-1 code of the text's language, by its content; `und` where undetermined.",
        str_matches=r"^[a-z]{2,3}$",
    )
    text: str = field(
        "Body of the article without headline; offsets of statements refer to it.",
        str_length={"min_value": 1},
    )
    text_sha256: str = digest("SHA-256 of the UTF-8 bytes of `text`.")
    raw_file: str = field("File that the article was read from.")
    raw_member: str = field("Archive member, line or record inside `raw_file`.", nullable=True)
    raw_sha256: str = digest("SHA-256 of the raw record.")
    duplicate_cluster_id: str = field(
        "The `article_id` of the first article of its cluster of exact or near copies; "
        "null where it has no copy.",
        nullable=True,
    )
    cleaner_version: str = field("Version of the cleaning that made `text`.")
    extraction_status: str = choice(
        EXTRACTION_STATUSES, "Whether statements were extracted, else why not."
    )
    extractor_version: str = field(
        "Version of the extractor that read `text`; null where it was not read.", nullable=True
    )
    run_id: str = reference("runs", "Run that wrote the row.")


class RemovedLines(Table):
    """One row per line of the raw article that cleaning took out, with the reason."""

    article_id: str = key("Article that the line stood in.", references="articles")
    position: pl.Int32 = key("Number of the removed line within its article, from 0.", ge=0)
    line: str = field("The line as it stood.")
    reason: str = field("Why it went: the template, classifier or rule that took it.")
    run_id: str = reference("runs", "Run that wrote the row.")


class ArticleSignatures(Table):
    """One row per article: its MinHash signature, with which new articles are compared."""

    article_id: str = key("Article that the signature is of.", references="articles")
    minhash: Annotated[pl.List, pl.UInt32] = field("MinHash of the text's word shingles.")
    band_keys: Annotated[pl.List, pl.UInt64] = field(
        "Hashes of the signature's bands; articles that share one are compared."
    )
    run_id: str = reference("runs", "Run that wrote the row.")
