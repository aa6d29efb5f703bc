"""What a takedown asks for is removed for good, and does not come back.

What went is remembered in `tombstones` by digests alone: of addresses, outlets and speakers' names
as the takedown gives them, and of the raw records and texts that were removed.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from flows.load.repetitions import update_clusters
from schemas.ddl import HISTORY_SUFFIX, has_history, quote
from schemas.records import Takedown
from schemas.registry import TABLES
from schemas.statements import StatementClusters

REFUSED_ARTICLE = "a takedown asks that this article be forgotten; it is not loaded again"
REFUSED_STATEMENTS = "a takedown asks that statements of a speaker be forgotten; they were left out"
_AMONG_STATEMENTS = "statement_id IN (SELECT statement_id FROM gone_statements)"
_ARTICLE_KEYS = {
    "url": ("url", "canonical_url"),
    "outlet": ("lower(outlet)",),
    "record": ("raw_sha256",),
    "text": ("text_sha256",),
}


def forget(
    connection: duckdb.DuckDBPyConnection, takedown: Takedown, run_id: str
) -> dict[str, int]:
    """Remove what `takedown` names from all tables and histories; rows by table.

    Called inside a transaction. Articles go with all that belongs to them; statements of a speaker
    go, while the texts of the articles that they stand in stay.
    """
    _choose(connection, takedown)
    _bury(connection, takedown)
    counts = {}
    for table in TABLES:
        for name in _with_history(table.table_name(), history=has_history(table)):
            condition = _condition(table.table_name(), set(table.dtypes()))
            if condition and name != StatementClusters.table_name():
                counts[name] = _delete(connection, name, condition)
    _let_go(connection)
    update_clusters(connection, run_id)
    clusters = StatementClusters.table_name() + HISTORY_SUFFIX
    _delete(connection, clusters, f"doomed.{_AMONG_STATEMENTS}")
    return {name: rows for name, rows in counts.items() if rows}


def refuse_forgotten(connection: duckdb.DuckDBPyConnection) -> None:
    """Take out of the staged tables what a takedown has removed before; rejects say so."""
    hit = " OR ".join(
        f"sha256({column}) IN (SELECT sha256 FROM tombstones WHERE kind = '{kind}')"
        if kind in ("url", "outlet")
        else f"{column} IN (SELECT sha256 FROM tombstones WHERE kind = '{kind}')"
        for kind, columns in _ARTICLE_KEYS.items()
        for column in columns
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE refused AS
        SELECT raw_file, raw_member, {quote(REFUSED_ARTICLE)} AS reason
        FROM staged_articles WHERE {hit}
    """)
    connection.execute(f"DELETE FROM staged_articles WHERE {hit}")
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE refused_statements AS
        SELECT ss.statement_id FROM staged_statement_speakers AS ss
        JOIN staged_speakers AS s USING (speaker_id)
        WHERE list_has_any(
            list_transform(list_prepend(s.name, s.aliases), lambda one: sha256(lower(one))),
            (SELECT coalesce(list(sha256), []) FROM tombstones WHERE kind = 'speaker'))
    """)
    connection.execute(f"""
        INSERT INTO refused
        SELECT DISTINCT a.raw_file, a.raw_member, {quote(REFUSED_STATEMENTS)}
        FROM staged_articles AS a JOIN staged_statements AS s USING (article_id)
        SEMI JOIN refused_statements USING (statement_id)
    """)
    connection.execute(
        "DELETE FROM staged_statements WHERE statement_id IN (FROM refused_statements)"
    )
    connection.execute("""
        INSERT INTO staged_rejects BY NAME
        SELECT sha256(concat_ws(chr(10), 'forgotten', raw_file, raw_member, reason))[:20]
            AS reject_id, 'load' AS stage, raw_file, raw_member, reason FROM refused
    """)


def rewrite(warehouse: Path) -> None:
    """Write the warehouse anew, so that nothing that was removed is left in unused blocks."""
    draft = warehouse.with_name(f".{warehouse.name}.part")
    draft.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {quote(str(warehouse))} AS former (READ_ONLY)")
        connection.execute(f"ATTACH {quote(str(draft))} AS present")
        connection.execute("COPY FROM DATABASE former TO present")
    draft.replace(warehouse)


def _choose(connection: duckdb.DuckDBPyConnection, takedown: Takedown) -> None:
    urls, outlets = list(takedown.urls), [name.lower() for name in takedown.outlets]
    names = [name.lower() for name in takedown.speakers]
    makers = {
        "": "CREATE OR REPLACE TEMP TABLE gone_articles AS",
        HISTORY_SUFFIX: "INSERT INTO gone_articles",
    }
    for suffix, maker in makers.items():
        connection.execute(
            f"{maker} SELECT article_id, canonical_url, url, raw_file, "
            f"raw_member, raw_sha256, text_sha256 FROM articles{suffix} "
            "WHERE url IN (SELECT unnest(?)) OR canonical_url IN (SELECT unnest(?)) "
            "OR lower(outlet) IN (SELECT unnest(?))",
            [urls, urls, outlets],
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE gone_copies AS SELECT DISTINCT duplicate_cluster_id "
        "FROM articles SEMI JOIN gone_articles USING (article_id) "
        "WHERE duplicate_cluster_id IS NOT NULL"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE gone_speakers AS SELECT s.speaker_id FROM speakers AS s "
        "LEFT JOIN speaker_identities AS i USING (speaker_id) WHERE list_has_any(list_transform("
        "[s.name, i.name] || s.aliases, lambda one: lower(one)), ?::VARCHAR[])",
        [names],
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE gone_statements AS
        SELECT statement_id FROM statements SEMI JOIN gone_articles USING (article_id)
        UNION SELECT statement_id FROM statements{HISTORY_SUFFIX}
            SEMI JOIN gone_articles USING (article_id)
        UNION SELECT statement_id FROM statement_speakers SEMI JOIN gone_speakers USING (speaker_id)
        UNION SELECT statement_id FROM statement_speakers{HISTORY_SUFFIX}
            SEMI JOIN gone_speakers USING (speaker_id)
    """)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE gone_names AS SELECT unnest(?::VARCHAR[]) AS name",
        [names],
    )


def _bury(connection: duckdb.DuckDBPyConnection, takedown: Takedown) -> None:
    buried = [("url", url) for url in takedown.urls]
    buried += [("outlet", name.lower()) for name in takedown.outlets]
    buried += [("speaker", name.lower()) for name in takedown.speakers]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE buried AS SELECT kind, sha256(word) AS sha256 FROM ("
        "SELECT unnest(?::VARCHAR[]) AS kind, unnest(?::VARCHAR[]) AS word)",
        [[kind for kind, _ in buried], [word for _, word in buried]],
    )
    connection.execute("""
        INSERT INTO buried
        SELECT 'url', sha256(url) FROM gone_articles WHERE url IS NOT NULL
        UNION SELECT 'url', sha256(canonical_url) FROM gone_articles
            WHERE canonical_url IS NOT NULL
        UNION SELECT 'record', raw_sha256 FROM gone_articles
        UNION SELECT 'text', text_sha256 FROM gone_articles
    """)
    connection.execute("""
        INSERT OR IGNORE INTO tombstones BY NAME
        SELECT DISTINCT kind, sha256, now()::TIMESTAMP AS forgotten_at FROM buried
    """)


def _condition(table: str, columns: set[str]) -> str | None:
    """What of a table goes; None where nothing can."""
    if table == "rejects":
        return """EXISTS (FROM gone_articles AS g WHERE g.raw_file = doomed.raw_file
                AND g.raw_member IS NOT DISTINCT FROM doomed.raw_member)
            OR EXISTS (FROM gone_articles AS g WHERE contains(doomed.payload, g.article_id)
                OR contains(doomed.payload, g.url))
            OR EXISTS (FROM gone_names AS n WHERE contains(lower(doomed.payload), n.name))"""
    if table in ("speaker_aliases", "speaker_attributes"):
        return "lower(doomed.name) IN (SELECT name FROM gone_names)"
    for column, gone in (
        ("statement_id", "gone_statements"),
        ("article_id", "gone_articles"),
        ("speaker_id", "gone_speakers"),
    ):
        if column in columns:
            return f"doomed.{column} IN (SELECT {column} FROM {gone})"
    return None


def _delete(connection: duckdb.DuckDBPyConnection, name: str, condition: str) -> int:
    done = connection.execute(f"DELETE FROM {name} AS doomed WHERE {condition}").fetchone()
    return int(done[0]) if done else 0


def _with_history(name: str, *, history: bool) -> Iterable[str]:
    yield name
    if history:
        yield name + HISTORY_SUFFIX


def _let_go(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove entities that nothing refers to any more, and mend clusters of copies."""
    for entity, key, referrer in (
        ("speakers", "speaker_id", "statement_speakers"),
        ("speaker_identities", "speaker_id", "statement_speakers"),
        ("targets", "target_id", "stances"),
        ("target_issues", "target_id", "stances"),
    ):
        connection.execute(
            f"DELETE FROM {entity} WHERE {key} NOT IN (SELECT {key} FROM {referrer})"
        )
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE _clusters AS
        SELECT article_id, CASE WHEN count(*) OVER copies > 1
            THEN first(article_id) OVER (copies ORDER BY published_at, article_id)
        END AS duplicate_cluster_id
        FROM articles
        WHERE duplicate_cluster_id IN (FROM gone_copies)
        WINDOW copies AS (PARTITION BY duplicate_cluster_id)
    """)
    connection.execute("""
        UPDATE articles SET duplicate_cluster_id = c.duplicate_cluster_id
        FROM _clusters AS c WHERE c.article_id = articles.article_id
    """)
