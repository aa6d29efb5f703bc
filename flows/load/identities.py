"""The user's speaker file: who is who across articles, and facts with the dates they hold.

A CSV file with the column `name` and any of `alias`, `wikidata_id`, `attribute`, `value`,
`valid_from`, `valid_to`, `source`: a line gives a name another spelling, a Wikidata item, a fact,
or several of these. Nothing of it is ever inferred.
"""

from pathlib import Path
from typing import NamedTuple

import duckdb
import polars as pl

from schemas.entities import SpeakerAliases, SpeakerAttributes
from schemas.errors import StancebankError
from schemas.table import Table
from schemas.validation import split_valid

COLUMNS = (
    "name",
    "alias",
    "wikidata_id",
    "attribute",
    "value",
    "valid_from",
    "valid_to",
    "source",
)


class SpeakerFileError(StancebankError):
    """A speaker file cannot be used; the message names the file and what is wrong."""


class SpeakerFile(NamedTuple):
    """Rows for `speaker_aliases` and `speaker_attributes`."""

    aliases: pl.DataFrame
    attributes: pl.DataFrame


def read_speaker_file(path: Path) -> SpeakerFile:
    """Read aliases and attributes of speakers.

    Raises:
        SpeakerFileError: if file, column, date or id are wrong, or an alias has two names.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SpeakerFileError(f"{path} cannot be read as CSV: {error}") from None
    strange = set(frame.columns) - set(COLUMNS)
    if strange or "name" not in frame.columns:
        raise SpeakerFileError(
            f"{path} has the columns {', '.join(frame.columns)}; known are {', '.join(COLUMNS)}, "
            "and `name` is needed."
        )
    missing = [pl.lit(None, pl.String).alias(c) for c in COLUMNS if c not in frame.columns]
    rows = frame.with_columns(missing).with_columns(pl.col(pl.String).str.strip_chars())
    return SpeakerFile(
        _checked(path, SpeakerAliases, _aliases(rows)),
        _checked(path, SpeakerAttributes, _attributes(path, rows)),
    )


def replace_speaker_file(connection: duckdb.DuckDBPyConnection, known: SpeakerFile) -> None:
    """Put `known` in the place of the former speaker file and identify all speakers anew."""
    connection.begin()
    for table, rows in ((SpeakerAliases, known.aliases), (SpeakerAttributes, known.attributes)):
        connection.register("_known", rows)
        connection.execute(f"DELETE FROM {table.table_name()}")
        connection.execute(f"INSERT INTO {table.table_name()} BY NAME SELECT * FROM _known")
        connection.unregister("_known")
    connection.execute("DELETE FROM speaker_identities")
    identify_speakers(connection)
    connection.commit()


def identify_speakers(connection: duckdb.DuckDBPyConnection) -> None:
    """Identify speakers that the file knows by name or alias, in any case; let go of vanished ones.

    Unnamed speakers are never identified.
    """
    connection.execute("""
        DELETE FROM speaker_identities WHERE speaker_id NOT IN (SELECT speaker_id FROM speakers)
    """)
    connection.execute("""
        INSERT INTO speaker_identities BY NAME
        SELECT s.speaker_id, a.name, if(a.alias = a.name, 'name', 'alias') AS how
        FROM speakers AS s
        JOIN speaker_aliases AS a ON lower(a.alias) = lower(s.name)
        ANTI JOIN speaker_identities AS i ON i.speaker_id = s.speaker_id
        WHERE s.speaker_type <> 'unnamed'
    """)


def _aliases(rows: pl.DataFrame) -> pl.DataFrame:
    """A row per spelling, folded for comparison; every name is a spelling of itself."""
    ids = rows.group_by("name", maintain_order=True).agg(pl.col("wikidata_id").drop_nulls().first())
    own = ids.select("name", alias="name")
    given = rows.filter(pl.col("alias").is_not_null()).select("name", "alias")
    spellings = pl.concat([own, given]).unique(maintain_order=True)
    folded = spellings.with_columns(_folded=pl.col("alias").str.to_lowercase())
    once = folded.unique(subset=["name", "_folded"], keep="first", maintain_order=True)
    return once.join(ids, on="name", maintain_order="left")


def _attributes(path: Path, rows: pl.DataFrame) -> pl.DataFrame:
    facts = rows.filter(pl.col("attribute").is_not_null()).drop("alias", "wikidata_id")
    try:
        days = [pl.col(column).str.to_date("%Y-%m-%d") for column in ("valid_from", "valid_to")]
        return facts.with_columns(days)
    except pl.exceptions.PolarsError:
        raise SpeakerFileError(f"{path}: write dates as 2018-08-14.") from None


def _checked(path: Path, table: type[Table], rows: pl.DataFrame) -> pl.DataFrame:
    if "_folded" in rows.columns:
        twice = rows.filter(pl.col("name").n_unique().over("_folded") > 1)
        if not twice.is_empty():
            names = " and ".join(twice["name"].unique(maintain_order=True))
            raise SpeakerFileError(
                f"{path}: {twice['alias'][0]!r} stands for {names}; leave it out."
            )
    good, bad = split_valid(table, rows.select(table.columns().keys()))
    if not bad.is_empty():
        raise SpeakerFileError(f"{path}: {bad['_reason'][0]} (name {bad['name'][0]!r}).")
    return good
