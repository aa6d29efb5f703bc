"""One load: staged rows become current in a single transaction, what they replace becomes history.

Rows come from the `valid` folders of batches. Within a load and against the warehouse, an article
is settled first, and its children follow it: unchanged (nothing happens), newer (it replaces the
current one), or older (it goes straight to the history).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from flows.load.codeframe import claim_targets
from flows.load.forget import refuse_forgotten
from flows.load.history import retire
from flows.load.identities import identify_speakers
from flows.load.repetitions import update_clusters
from flows.load.runs import end_run
from flows.load.validate import BATCH_TABLES
from schemas.articles import Articles, ArticleSignatures, RemovedLines
from schemas.ddl import HISTORY_SUFFIX, duckdb_type, quote
from schemas.entities import Speakers, Targets
from schemas.errors import StancebankError
from schemas.operations import Rejects, Sources
from schemas.registry import TABLES
from schemas.shards import shard_dtypes, shard_path
from schemas.statements import Stances, Statements, StatementSpeakers
from schemas.table import Table

ARTICLES: type[Table] = Articles
ARTICLE_CHILDREN: tuple[type[Table], ...] = (RemovedLines, ArticleSignatures, Statements)
STATEMENT_CHILDREN: tuple[type[Table], ...] = (StatementSpeakers, Stances)
ENTITIES: dict[type[Table], type[Table]] = {Speakers: StatementSpeakers, Targets: Stances}


class IntegrityError(StancebankError):
    """A load would leave rows that refer to nothing; it was rolled back."""


@dataclass(frozen=True)
class Load:
    """What one run brings: batch folders, files read, rejects of the ingest, duplicate clusters.

    `clusters` has `article_id` and `duplicate_cluster_id`.
    """

    run_id: str
    batches: Sequence[Path]
    sources: pl.DataFrame
    rejects: pl.DataFrame
    clusters: pl.DataFrame


def load_batches(connection: duckdb.DuckDBPyConnection, load: Load) -> dict[str, int]:
    """Load all that the run brings and mark it complete, in one transaction; counts by outcome.

    Raises:
        IntegrityError: if a reference would point nowhere; the warehouse is then as before.
    """
    connection.begin()
    try:
        _stage(connection, load)
        refuse_forgotten(connection)
        counts = _settle_articles(connection)
        _supersede(connection, load)
        _insert(connection, load)
        _merge_entities(connection)
        claim_targets(connection)
        identify_speakers(connection)
        _mark_duplicates(connection, load)
        update_clusters(connection, load.run_id)
        _record_sources(connection, load)
        check_references(connection)
        counts |= _count(connection, load.run_id)
        end_run(connection, load.run_id, "complete", counts=counts)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return counts


def check_references(connection: duckdb.DuckDBPyConnection) -> None:
    """Check every foreign key of the registry by query.

    Raises:
        IntegrityError: naming table, column and an example.
    """
    for table in TABLES:
        for column, parent in table.references().items():
            orphan = connection.execute(
                f"SELECT {column} FROM {table.table_name()} AS child "
                f"ANTI JOIN {parent} USING ({column}) LIMIT 1"
            ).fetchone()
            if orphan:
                raise IntegrityError(
                    f"{table.table_name()}.{column} {orphan[0]} is not in {parent}; "
                    "nothing was loaded."
                )


def _stage(connection: duckdb.DuckDBPyConnection, load: Load) -> None:
    staged: tuple[type[Table], ...] = (*BATCH_TABLES, Rejects)
    for table in staged:
        name = table.table_name()
        files = [str(p) for b in load.batches if (p := shard_path(table, b)).exists()]
        rows = (
            f"SELECT *, parse_dirpath(filename) AS _batch FROM read_parquet("
            f"[{', '.join(map(quote, files))}], filename = true)"
            if files
            else _empty(table)
        )
        connection.execute(f"CREATE OR REPLACE TEMP TABLE staged_{name} AS {rows}")
    connection.register("_ingest_rejects", load.rejects)
    connection.execute(
        "INSERT INTO staged_rejects BY NAME SELECT *, '' AS _batch FROM _ingest_rejects"
    )
    connection.register("_sources", load.sources)
    connection.register("_clusters", load.clusters)


def _empty(table: type[Table]) -> str:
    columns = [f'NULL::{duckdb_type(d)} AS "{n}"' for n, d in shard_dtypes(table).items()]
    return f"SELECT {', '.join(columns)}, '' AS filename, '' AS _batch WHERE false"


def _settle_articles(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Decide each staged article's fate: `current`, `older` or `unchanged`."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE settled AS
        WITH ranked AS (
            SELECT *, coalesce(modified_at, published_at) AS _dated, row_number() OVER (
                PARTITION BY article_id
                ORDER BY coalesce(modified_at, published_at) DESC NULLS LAST,
                    raw_file DESC, raw_member DESC
            ) AS _rank
            FROM staged_articles
        )
        SELECT r.article_id, r._batch, r.raw_file, r.raw_member, CASE
            WHEN r._rank > 1 THEN 'older'
            WHEN a.raw_sha256 = r.raw_sha256
                AND a.cleaner_version = r.cleaner_version
                AND a.extractor_version IS NOT DISTINCT FROM r.extractor_version
                AND a.extraction_status = r.extraction_status THEN 'unchanged'
            WHEN coalesce(a.modified_at, a.published_at) > r._dated
                AND a.raw_file <> r.raw_file THEN 'older'
            ELSE 'current'
        END AS fate
        FROM ranked AS r LEFT JOIN articles AS a USING (article_id)
    """)
    fates = connection.execute("""
        SELECT coalesce(fate, 'none'), count(*) FROM settled GROUP BY ALL
    """).fetchall()
    found = dict(fates)
    return {
        "articles_unchanged": found.get("unchanged", 0),
        "articles_older_versions": found.get("older", 0),
    }


def _supersede(connection: duckdb.DuckDBPyConnection, load: Load) -> None:
    """Move to the history what this load replaces, and what changed files no longer hold."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE superseded AS
        SELECT a.article_id FROM articles AS a
        JOIN settled AS s ON s.article_id = a.article_id AND s.fate = 'current'
        UNION
        SELECT a.article_id FROM articles AS a
        JOIN _sources AS f ON a.raw_file = f.raw_file AND f.replaces AND (
            f.raw_member = '' OR a.raw_member = f.raw_member
            OR starts_with(a.raw_member, f.raw_member || ':'))
        ANTI JOIN settled AS s ON s.article_id = a.article_id
    """)
    superseded_statements = (
        "statement_id IN (SELECT statement_id FROM statements "
        "WHERE article_id IN (FROM superseded))"
    )
    for table in STATEMENT_CHILDREN:
        retire(connection, table, superseded_statements, load.run_id)
    for table in (*ARTICLE_CHILDREN, ARTICLES):
        retire(connection, table, "article_id IN (FROM superseded)", load.run_id)
    retire(
        connection,
        Rejects,
        "EXISTS (FROM _sources AS f WHERE f.replaces AND f.raw_file = rejects.raw_file AND ("
        "f.raw_member = '' OR rejects.raw_member = f.raw_member "
        "OR starts_with(rejects.raw_member, f.raw_member || ':')))",
        load.run_id,
    )


def _insert(connection: duckdb.DuckDBPyConnection, load: Load) -> None:
    for table in (ARTICLES, *ARTICLE_CHILDREN):
        _insert_where(connection, table, load.run_id, "fate = 'current'")
    for table in STATEMENT_CHILDREN:
        name = table.table_name()
        connection.execute(
            f"INSERT INTO {name} BY NAME SELECT t.* EXCLUDE (filename, _batch), "
            f"{quote(load.run_id)} AS run_id "
            f"FROM staged_{name} AS t JOIN staged_statements AS p USING (statement_id, _batch) "
            f"JOIN settled AS s ON s.article_id = p.article_id AND s._batch = p._batch "
            "WHERE s.fate = 'current'"
        )
    older = f"SELECT {quote(load.run_id)} AS superseded_by_run_id"
    connection.execute(
        f"INSERT INTO articles{HISTORY_SUFFIX} BY NAME "
        f"SELECT t.* EXCLUDE (filename, _batch), {quote(load.run_id)} AS run_id, "
        "older.superseded_by_run_id, now()::TIMESTAMP AS superseded_at "
        f"FROM staged_articles AS t JOIN settled AS s USING (article_id, _batch), "
        f"({older}) AS older WHERE s.fate = 'older'"
    )
    connection.execute(
        "INSERT OR IGNORE INTO rejects BY NAME SELECT DISTINCT ON (reject_id) "
        f"* EXCLUDE (filename, _batch), {quote(load.run_id)} AS run_id FROM staged_rejects"
    )


def _insert_where(
    connection: duckdb.DuckDBPyConnection, table: type[Table], run_id: str, condition: str
) -> None:
    name = table.table_name()
    connection.execute(
        f"INSERT INTO {name} BY NAME "
        f"SELECT t.* EXCLUDE (filename, _batch), {quote(run_id)} AS run_id "
        f"FROM staged_{name} AS t JOIN settled AS s USING (article_id, _batch) WHERE {condition}"
    )


def _merge_entities(connection: duckdb.DuckDBPyConnection) -> None:
    """Add new speakers and targets, collect aliases, drop those that nothing refers to.

    Their ids are left in the temporary tables `changed_speakers` and `changed_targets`.
    """
    for entity, referrer in ENTITIES.items():
        name, kind = entity.table_name(), _kind(entity)
        key = entity.key_columns()[0]
        connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE merged AS
            WITH met AS (
                SELECT {key}, name, {kind}, aliases, 0 AS _age FROM {name}
                WHERE {key} IN (SELECT {key} FROM staged_{name})
                UNION ALL
                SELECT {key}, name, {kind}, aliases, 1 FROM staged_{name}
            )
            SELECT {key}, arg_min(name, (_age, name)) AS name,
                arg_min({kind}, (_age, name)) AS {kind},
                list_sort(list_distinct(list_concat(flatten(list(aliases)), list(name)))) AS aliases
            FROM met GROUP BY {key}
        """)
        connection.execute(f"DELETE FROM {name} WHERE {key} IN (SELECT {key} FROM merged)")
        connection.execute(
            f"INSERT INTO {name} BY NAME SELECT * REPLACE ("
            "list_filter(aliases, lambda alias: alias <> name) AS aliases) FROM merged"
        )
        idle = f"{key} NOT IN (SELECT {key} FROM {referrer.table_name()})"
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE changed_{name} AS "
            f"SELECT {key} FROM merged UNION SELECT {key} FROM {name} WHERE {idle}"
        )
        connection.execute(f"DELETE FROM {name} WHERE {idle}")


def _kind(entity: type[Table]) -> str:
    return next(column for column in entity.dtypes() if column.endswith("_type"))


def _mark_duplicates(connection: duckdb.DuckDBPyConnection, load: Load) -> None:
    connection.execute("""
        UPDATE articles SET duplicate_cluster_id = c.duplicate_cluster_id
        FROM _clusters AS c WHERE c.article_id = articles.article_id
    """)


def _record_sources(connection: duckdb.DuckDBPyConnection, load: Load) -> None:
    again = "(raw_file, raw_member) IN (SELECT (raw_file, raw_member) FROM _sources)"
    retire(connection, Sources, again, load.run_id)
    connection.execute(
        "INSERT INTO sources BY NAME SELECT * EXCLUDE (replaces), "
        f"{quote(load.run_id)} AS run_id FROM _sources"
    )


def _count(connection: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, int]:
    """Rows that this run wrote, by table."""
    written = (Articles, Statements, Stances, Rejects, RemovedLines, Sources)
    counts = {}
    for table in written:
        query = f"SELECT count(*) FROM {table.table_name()} WHERE run_id = ?"
        row = connection.execute(query, [run_id]).fetchone()
        counts[table.table_name()] = row[0] if row else 0
    return counts
