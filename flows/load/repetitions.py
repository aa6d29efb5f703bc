"""The same statement in several articles: found after each load, among what the load touched.

Two statements are one if they share nearly all four-word sequences of the shorter one, and either
the same speakers made them within two weeks, or they stand in copies of one article. This is
containment of w-shingles (Broder, 1997), so that a quotation cut short still meets its full form.
"""

from collections.abc import Sequence

import duckdb
import polars as pl

from flows.load.history import retire
from schemas.statements import StatementClusters

DAYS_APART = 14
SHINGLE_WORDS = 4
FEWEST_SHINGLES = 2
SHARED = 0.8
"""Share of the shorter statement's four-word sequences that the other must have."""
PART_STATEMENTS = 400_000
"""Statements compared at a time, which bounds memory."""


def update_clusters(connection: duckdb.DuckDBPyConnection, run_id: str) -> None:
    """Replace the rows of `statement_clusters` that a load has changed, as part of its transaction.

    Looked at are statements that `run_id` wrote, those whose cluster lost a member, those in
    articles that the temporary view `_clusters` names, and whatever may be the same as one of them.
    """
    rows = _clusters_of_affected(connection, run_id)
    connection.register("_clustered", rows)
    same = ", ".join(name for name in StatementClusters.dtypes() if name != "run_id")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE unclustered AS
        SELECT statement_id FROM statement_clusters
        WHERE (statement_id IN (SELECT statement_id FROM affected_statements)
            AND ({same}) NOT IN (SELECT ({same}) FROM _clustered))
            OR statement_id NOT IN (SELECT statement_id FROM statements)
    """)
    retire(connection, StatementClusters, "statement_id IN (FROM unclustered)", run_id)
    connection.execute(
        "INSERT INTO statement_clusters BY NAME "
        "SELECT * FROM _clustered ANTI JOIN statement_clusters USING (statement_id)"
    )
    connection.unregister("_clustered")


def _clusters_of_affected(connection: duckdb.DuckDBPyConnection, run_id: str) -> pl.DataFrame:
    connection.execute("CREATE OR REPLACE TEMP TABLE touched AS " + _TOUCHED, [run_id])
    connection.execute(f"CREATE OR REPLACE TEMP TABLE near AS {_NEAR}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE affected_statements AS {_AFFECTED}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE shingled AS {_SHINGLED}")
    row = connection.execute("SELECT count(DISTINCT statement_id) FROM shingled").fetchone()
    parts = (row[0] if row else 0) // PART_STATEMENTS + 1
    pairs = [
        pair
        for part in range(parts)
        for pair in connection.execute(_PAIRS, [parts, part]).fetchall()
    ]
    return _numbered(connection, components(pairs), run_id)


def components(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Connected components of an undirected graph: one of its members for each member."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while (parent := parents.setdefault(name, name)) != name:
            parents[name] = name = parents[parent]
        return name

    for one, other in pairs:
        parents[root(one)] = root(other)
    return {name: root(name) for name in list(parents)}


def _numbered(
    connection: duckdb.DuckDBPyConnection, groups: dict[str, str], run_id: str
) -> pl.DataFrame:
    """Rows of `statement_clusters`: earliest first, the longest form marked."""
    members = pl.DataFrame(
        list(groups.items()), schema={"statement_id": pl.String, "_group": pl.String}, orient="row"
    )
    connection.register("_members", members)
    rows = connection.execute(_NUMBERED, [run_id]).pl()
    connection.unregister("_members")
    return rows.cast(pl.Schema(StatementClusters.dtypes()))


_TOUCHED = """
SELECT statement_id FROM statements WHERE run_id = ?
UNION
SELECT statement_id FROM statements SEMI JOIN _clusters USING (article_id)
UNION
SELECT statement_id FROM statement_clusters WHERE statement_cluster_id IN (
    SELECT statement_cluster_id FROM statement_clusters ANTI JOIN statements USING (statement_id)
)
"""

_SPAN = f"(epoch(a.published_at) // {DAYS_APART * 86_400})::INTEGER"
"""Number of the fortnight: what is within two weeks is in the same one or in a neighbour."""

_NEAR = f"""
WITH spans AS MATERIALIZED (
    SELECT DISTINCT ss.speaker_id, unnest([-1, 0, 1]) + {_SPAN} AS span
    FROM statement_speakers AS ss SEMI JOIN touched USING (statement_id)
    JOIN statements USING (statement_id) JOIN articles AS a USING (article_id)
    WHERE a.published_at IS NOT NULL
),
placed AS MATERIALIZED (
    SELECT ss.statement_id, ss.speaker_id, {_SPAN} AS span
    FROM statement_speakers AS ss
    JOIN statements USING (statement_id) JOIN articles AS a USING (article_id)
    WHERE ss.speaker_id IN (SELECT speaker_id FROM spans)
),
copied AS (
    SELECT DISTINCT a.duplicate_cluster_id
    FROM statements SEMI JOIN touched USING (statement_id) JOIN articles AS a USING (article_id)
    WHERE a.duplicate_cluster_id IS NOT NULL
)
SELECT statement_id FROM touched SEMI JOIN statements USING (statement_id)
UNION
SELECT statement_id FROM placed SEMI JOIN spans USING (speaker_id, span)
UNION
SELECT statement_id
FROM articles AS a SEMI JOIN copied USING (duplicate_cluster_id) JOIN statements USING (article_id)
"""

_AFFECTED = """
SELECT statement_id FROM near
UNION
SELECT c.statement_id FROM statement_clusters AS c
WHERE c.statement_cluster_id IN (
    SELECT statement_cluster_id FROM statement_clusters SEMI JOIN near USING (statement_id)
)
"""

_SHINGLED = rf"""
WITH speakers_of AS (
    SELECT statement_id, hash(list_sort(list(speaker_id))) AS speakers
    FROM statement_speakers SEMI JOIN affected_statements USING (statement_id)
    GROUP BY statement_id
),
worded AS (
    SELECT st.statement_id, a.published_at, a.duplicate_cluster_id, sp.speakers,
        string_split(trim(regexp_replace(
            lower(nfc_normalize(st.text)), '[^\p{{L}}\p{{N}}]+', ' ', 'g')), ' ') AS words
    FROM statements AS st SEMI JOIN affected_statements USING (statement_id)
    JOIN articles AS a USING (article_id) LEFT JOIN speakers_of AS sp USING (statement_id)
),
sequenced AS (
    SELECT *, list_distinct(list_transform(
        range(1, len(words) - {SHINGLE_WORDS - 2}),
        lambda i: hash(words[i:i + {SHINGLE_WORDS - 1}]))) AS shingles
    FROM worded
),
scoped AS (
    SELECT statement_id, published_at, speakers AS scope, shingles FROM sequenced
    WHERE speakers IS NOT NULL AND published_at IS NOT NULL
    UNION ALL
    SELECT statement_id, NULL, hash(duplicate_cluster_id), shingles FROM sequenced
    WHERE duplicate_cluster_id IS NOT NULL
)
SELECT statement_id, published_at, scope, len(shingles) AS size, unnest(shingles) AS shingle
FROM scoped WHERE len(shingles) >= {FEWEST_SHINGLES}
"""

_PAIRS = f"""
WITH part AS (FROM shingled WHERE scope % ? = ?)
SELECT a.statement_id, b.statement_id
FROM part AS a JOIN part AS b ON a.scope = b.scope AND a.shingle = b.shingle
    AND a.statement_id < b.statement_id
WHERE a.published_at IS NULL
    OR abs(date_diff('day', a.published_at, b.published_at)) <= {DAYS_APART}
GROUP BY a.scope, a.statement_id, b.statement_id
HAVING count(*) >= {SHARED} * least(any_value(a.size), any_value(b.size))
"""

_NUMBERED = """
SELECT m.statement_id,
    first(m.statement_id) OVER earliest AS statement_cluster_id,
    row_number() OVER earliest - 1 AS position,
    row_number() OVER (
        PARTITION BY m._group
        ORDER BY length(st.text) DESC, a.published_at, a.article_id, st.position
    ) = 1 AS is_representative,
    ? AS run_id
FROM _members AS m
JOIN statements AS st USING (statement_id) JOIN articles AS a USING (article_id)
WINDOW earliest AS (
    PARTITION BY m._group ORDER BY a.published_at, a.article_id, st.position
)
"""
