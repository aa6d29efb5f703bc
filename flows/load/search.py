"""Full-text search of statements: an index for each year, in files beside the warehouse.

The files are `STEM.search/YEAR.duckdb` (0: undated). They are replaced, never changed, so that
readers need not wait, and only those of years that a load touched are made anew. Index and ranking
(Okapi BM25) are those of DuckDB's extension `fts`, which a package brings along.
"""

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import duckdb

from flows.load.warehouse import WarehouseError
from schemas.ddl import quote

NO_LETTERS = r"[^\p{L}\p{N}]+"
"""What stands between words: the extension's own list knows no typographic quotation marks."""

_PARTS = """
    SELECT coalesce(year(a.published_at), 0), count(*),
        bit_xor(hash(st.statement_id, st.run_id))::VARCHAR
    FROM statements AS st JOIN articles AS a USING (article_id) GROUP BY 1 ORDER BY 1
"""


def update_search(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> list[int]:
    """Index the years whose statements have changed since they were indexed; these years.

    `connection` is one that reads `warehouse`.
    """
    folder = search_folder(warehouse)
    folder.mkdir(exist_ok=True)
    rows = connection.execute(_PARTS).fetchall()
    current = {year: f"{number} {fingerprint}" for year, number, fingerprint in rows}
    for path in _parts(folder):
        if int(path.stem) not in current:
            path.unlink()
    stale = [year for year, state in current.items() if _state(folder, year) != state]
    for year in stale:
        _index(connection, folder, year, current[year])
    return stale


def attach_search(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Give a connection the table macro `who_said(words)`.

    Its rows are `score`, `published_at`, `speaker`, `statement`, `outlet`, `url`, `statement_id`
    and `indexed_until`, the time of the last load that the index knows; the best come first.

    Raises:
        WarehouseError: if nothing has been indexed.
    """
    parts = _parts(search_folder(warehouse))
    if not parts:
        raise WarehouseError(f"{warehouse} has no search index yet; `stancebank run` makes it.")
    _load_extension(connection)
    found = []
    for path in parts:
        name = f"search_{path.stem}"
        connection.execute(f"ATTACH {quote(str(path))} AS {name} (READ_ONLY)")
        found.append(_matches(connection, name))
    connection.execute(
        "CREATE TEMP MACRO who_said(words) AS TABLE " + _ANSWER.format(" UNION ALL ".join(found))
    )


def search_folder(warehouse: Path) -> Path:
    """Where the index of a warehouse lies."""
    return warehouse.with_name(f"{warehouse.stem}.search")


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.duckdb"))


def _state(folder: Path, year: int) -> str | None:
    """What a part says of the statements that it was made of."""
    path = folder / f"{year}.duckdb"
    if not path.exists():
        return None
    with duckdb.connect(str(path), read_only=True) as part:
        row = part.execute("SELECT state FROM indexed").fetchone()
    return row[0] if row else None


def _index(connection: duckdb.DuckDBPyConnection, folder: Path, year: int, state: str) -> None:
    path, draft = folder / f"{year}.duckdb", folder / f".{year}.part"
    draft.unlink(missing_ok=True)
    until = connection.execute(
        "SELECT max(finished_at) FROM runs WHERE status = 'complete'"
    ).fetchone()
    statements = connection.execute(
        "SELECT st.statement_id, st.text "
        "FROM statements AS st JOIN articles AS a USING (article_id) "
        "WHERE coalesce(year(a.published_at), 0) = ? ORDER BY st.statement_id",
        [year],
    ).to_arrow_reader(100_000)
    with duckdb.connect(str(draft)) as part:
        _load_extension(part)
        part.register("_statements", statements)
        part.execute("CREATE TABLE statements AS FROM _statements")
        part.execute(
            "CREATE TABLE indexed AS SELECT ?::VARCHAR AS state, ?::TIMESTAMP AS until",
            [state, until and until[0]],
        )
        part.execute(
            "PRAGMA create_fts_index('statements', 'statement_id', 'text', "
            f"ignore = {quote(NO_LETTERS)})"
        )
    draft.replace(path)


def _matches(connection: duckdb.DuckDBPyConnection, part: str) -> str:
    """SQL for the statements of an attached part that match `words`.

    The extension's own ranking macro finds its tables only in the database in use, so that a copy
    of it is made in which they are named in full.
    """
    row = connection.execute(
        "SELECT parameters, macro_definition FROM duckdb_functions() "
        "WHERE database_name = ? AND function_name = 'match_bm25' ORDER BY len(parameters) DESC",
        [part],
    ).fetchone()
    parameters, definition = row if row else ([], "NULL")
    qualified = re.sub(r"\bfts_main_statements\.", f"{part}.fts_main_statements.", definition)
    connection.execute(f"CREATE TEMP MACRO rank_{part}({', '.join(parameters)}) AS ({qualified})")
    defaults = {"docname": "statement_id", "query_string": "words", "fields": "NULL"}
    defaults |= {"k": "1.2", "b": "0.75", "conjunctive": "0"}
    arguments = ", ".join(defaults[parameter] for parameter in parameters)
    return (
        f"SELECT statement_id, rank_{part}({arguments}) AS score, "
        f"(SELECT until FROM {part}.indexed) AS indexed_until FROM {part}.statements"
    )


def _load_extension(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"LOAD {quote(str(next(_extension_files())))}")


def _extension_files() -> Iterator[Path]:
    folder = resources.files("duckdb_extension_fts") / "extensions" / f"v{duckdb.__version__}"
    with resources.as_file(folder) as path:
        yield from path.glob("fts.duckdb_extension")


_ANSWER = """
WITH found AS MATERIALIZED (SELECT * FROM ({}) WHERE score IS NOT NULL),
speakers_of AS (
    SELECT ss.statement_id, string_agg(n.speaker, ' and ' ORDER BY ss.position) AS speaker
    FROM statement_speakers AS ss SEMI JOIN found USING (statement_id)
    JOIN named_speakers AS n USING (speaker_id)
    GROUP BY ss.statement_id
)
SELECT f.score, a.published_at, sp.speaker, st.text AS statement, a.outlet, a.url,
    f.statement_id, f.indexed_until
FROM found AS f
JOIN statements AS st USING (statement_id)
JOIN articles AS a USING (article_id)
LEFT JOIN speakers_of AS sp USING (statement_id)
ORDER BY f.score DESC, a.published_at, f.statement_id
"""
