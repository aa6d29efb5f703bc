"""One batch of the extract stage: articles of a Parquet shard in, rows of five tables out."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from flows.extract.records import Spans, Speaker, Stance, Statement
from flows.extract.statements import (
    EXTRACTOR_VERSION,
    find_statements,
    row_confidence,
    words_at,
)
from schemas.articles import Articles
from schemas.entities import Speakers, Targets
from schemas.errors import StancebankError
from schemas.ids import speaker_id, statement_id, target_id
from schemas.operations import Rejects
from schemas.records import Reject
from schemas.shards import read_shard, write_shard
from schemas.statements import Stances, Statements, StatementSpeakers
from schemas.table import Table

LONGEST_TEXT = 2_000_000
"""Characters of an article's text; longer ones are no articles and are not read."""

_TABLES = (Statements, StatementSpeakers, Stances, Speakers, Targets)
_READ_AGAIN = frozenset({"extracted", "failed", "too_long"})

Row = dict[str, Any]


def extract_shard(folder: Path) -> None:
    """Extract the statements of the articles of a batch.

    Reads `folder/articles.parquet` and writes beside it `statements`, `statement_speakers`,
    `stances`, `speakers` and `targets`, each whole or not at all. An article that cannot be read
    gets a row in `rejects` and the `extraction_status` `failed` or `too_long`; statuses and
    extractor version are written back to `articles`, last. Articles in an unsupported language
    give no statements.
    """
    articles = read_shard(Articles, folder)
    batch = _Batch()
    outcomes = [batch.add(article) for article in articles.iter_rows(named=True)]
    for table in _TABLES:
        write_shard(table, batch.frame(table), folder)
    earlier = read_shard(Rejects, folder)
    rejects = pl.concat([earlier, Rejects.from_records(batch.rejects)])
    write_shard(Rejects, rejects.unique(subset="reject_id", maintain_order=True), folder)
    read = [EXTRACTOR_VERSION if status in _READ_AGAIN else None for status in outcomes]
    marked = articles.with_columns(
        extraction_status=pl.Series(outcomes, dtype=pl.String),
        extractor_version=pl.Series(read, dtype=pl.String),
    )
    write_shard(Articles, marked, folder)


class _Batch:
    """The rows of a batch as they come; speakers and targets once each."""

    def __init__(self) -> None:
        self.rejects: list[Reject] = []
        self._rows: dict[type[Table], list[Row]] = {table: [] for table in _TABLES}
        self._speakers = _Entities("speaker_id", "speaker_type")
        self._targets = _Entities("target_id", "target_type")

    def add(self, article: Row) -> str:
        """Extract one article; its extraction status."""
        if article["extraction_status"] not in _READ_AGAIN:
            return str(article["extraction_status"])
        length = len(article["text"])
        if length > LONGEST_TEXT:
            reason = f"text of {length} characters is too long to be one article; split it"
            self.rejects.append(_reject(article, reason))
            return "too_long"
        try:
            statements = find_statements(article["text"], article["title"])
        except StancebankError:
            raise
        except Exception as error:
            reason = f"extraction failed ({type(error).__name__}: {error}); please report the text"
            self.rejects.append(_reject(article, reason))
            return "failed"
        self._add_statements(article, statements)
        return "extracted"

    def frame(self, table: type[Table]) -> pl.DataFrame:
        """The rows of a table, in its columns and types."""
        rows = self._rows[table]
        if table is Speakers:
            rows = list(self._speakers.rows())
        if table is Targets:
            rows = list(self._targets.rows())
        return table.frame(rows)

    def _add_statements(self, article: Row, statements: list[Statement]) -> None:
        seen: Counter[str] = Counter()
        types = {s.speaker.name: s.speaker.speaker_type for s in statements if s.speaker}
        for position, statement in enumerate(statements):
            part = statement.attribution.part
            text = article["title" if part == "title" else "text"]
            words = words_at(text, statement.attribution.content) or ""
            first_name = statement_id(article["article_id"], part, words, 0)
            name = statement_id(article["article_id"], part, words, seen[first_name])
            seen[first_name] += 1
            row = {"statement_id": name, "article_id": article["article_id"], "position": position}
            self._rows[Statements].append(row | _statement_columns(statement, text))
            if statement.speaker:
                self._add_speakers(row, statement.speaker, types, row_source(statement, text))
            self._add_stances(row, statement, text)

    def _add_speakers(
        self, statement: Row, speaker: Speaker, types: dict[str, str], source: str | None
    ) -> None:
        known: set[str] = set()
        for position, member in enumerate(speaker.members):
            kind = types.get(member, speaker.speaker_type)
            name = speaker_id(member, kind, statement["article_id"])
            alias = source if len(speaker.members) == 1 else None
            self._speakers.add(name, member, kind, alias)
            if name in known:
                continue
            known.add(name)
            self._rows[StatementSpeakers].append(
                {
                    "statement_id": statement["statement_id"],
                    "speaker_id": name,
                    "position": position,
                }
            )

    def _add_stances(self, row: Row, statement: Statement, text: str) -> None:
        for position, stance in enumerate(statement.stances):
            name = target_id(stance.target_name)
            words = words_at(text, stance.target)
            self._targets.add(name, stance.target_name, stance.target_type, None)
            self._rows[Stances].append(
                {
                    "statement_id": row["statement_id"],
                    "position": position,
                    "target_id": name,
                    "target_text": words,
                    **_stance_columns(stance, statement, text),
                }
            )


class _Entities:
    """Speakers or targets of a batch: first name met, commonest type, other spellings."""

    def __init__(self, id_column: str, type_column: str) -> None:
        self._id_column, self._type_column = id_column, type_column
        self._names: dict[str, str] = {}
        self._types: dict[str, Counter[str]] = {}
        self._aliases: dict[str, set[str]] = {}

    def add(self, name_id: str, name: str, kind: str, alias: str | None) -> None:
        """Count one mention under a name, with another spelling of it or none."""
        first = self._names.setdefault(name_id, name)
        self._types.setdefault(name_id, Counter())[kind] += 1
        others = {other for other in (name, alias) if other and other != first}
        self._aliases.setdefault(name_id, set()).update(others)

    def rows(self) -> Iterator[Row]:
        """A row per entity, in the order first met."""
        for name_id, name in self._names.items():
            yield {
                self._id_column: name_id,
                "name": name,
                self._type_column: self._types[name_id].most_common(1)[0][0],
                "aliases": sorted(self._aliases[name_id]),
            }


def row_source(statement: Statement, text: str) -> str | None:
    """The source as another spelling of the speaker: a short name such as `Mr. Trump`."""
    speaker, source = statement.speaker, words_at(text, statement.attribution.source)
    return source if speaker and speaker.resolution == "short_name" else None


def _statement_columns(statement: Statement, text: str) -> Row:
    attribution, speaker = statement.attribution, statement.speaker
    return {
        "part": attribution.part,
        "kind": statement.kind,
        "text": words_at(text, attribution.content),
        "content_spans": _structs(attribution.content),
        "cue": words_at(text, attribution.cue),
        "cue_spans": _structs(attribution.cue),
        "source": words_at(text, attribution.source),
        "source_spans": _structs(attribution.source),
        "resolution": speaker and speaker.resolution,
        "statement_confidence": attribution.confidence,
        "speaker_confidence": speaker and speaker.confidence,
        "extractor_version": EXTRACTOR_VERSION,
    }


def _stance_columns(stance: Stance, statement: Statement, text: str) -> Row:
    return {
        "target_spans": _structs(stance.target),
        "target_name": stance.target_name,
        "target_type": stance.target_type,
        "stance": stance.stance,
        "intensity": stance.intensity,
        "basis": words_at(text, stance.basis),
        "basis_spans": _structs(stance.basis),
        "method": stance.method,
        "stance_confidence": stance.confidence,
        "confidence": row_confidence(statement, stance),
    }


def _structs(spans: Spans) -> list[dict[str, int]]:
    return [{"start": start, "end": end} for start, end in spans]


def _reject(article: Row, reason: str) -> Reject:
    return Reject("extract", article["raw_file"], article["raw_member"], reason, article["text"])
