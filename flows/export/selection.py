"""Which rows a release holds: the warehouse seen through views that leave the others out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import duckdb

from schemas.articles import Articles
from schemas.ddl import quote
from schemas.errors import StancebankError
from schemas.operations import Rejects
from schemas.records import Takedown
from schemas.registry import TABLES
from schemas.releases import CONTEXT_CHARACTERS
from schemas.statements import Stances, Statements, StatementSpeakers
from schemas.table import Table
from warehouse import views_sql

FLAT_VIEW = "speaker_statement_stance"
SCHEMA = "memory.release"
SCOPES = ("statement_id", "article_id", "speaker_id", "target_id")


class SelectionError(StancebankError):
    """The rows asked for cannot be selected; the message says why."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a release holds; by default everything.

    `since` and `outlets` choose articles, `where` is an SQL condition on the columns of
    `speaker_statement_stance` that chooses statements and with them their articles. What `takedown`
    names is left out.
    """

    since: date | None = None
    outlets: tuple[str, ...] = ()
    where: str | None = None
    takedown: Takedown = field(default_factory=Takedown)


@contextmanager
def selected(connection: duckdb.DuckDBPyConnection, selection: Selection) -> Iterator[None]:
    """Inside, the connection sees every table and view with the selected rows only.

    Beside them it sees `released_articles` (article_id, year, published_at, outlet),
    `released_statements` (the same with statement_id) and `left_out` (what, rows).

    Raises:
        SelectionError: if DuckDB refuses the condition.
    """
    row = connection.execute("SELECT current_database(), current_schema()").fetchone()
    warehouse = ".".join(f'"{name}"' for name in row or ())
    connection.execute(f"CREATE SCHEMA {SCHEMA}")
    connection.execute(f"USE {SCHEMA}")
    try:
        _choose(connection, warehouse, selection)
        for table in TABLES:
            connection.execute(_view(table, warehouse))
        connection.execute(views_sql())
        yield
    finally:
        connection.execute(f"USE {warehouse}")
        connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def _choose(connection: duckdb.DuckDBPyConnection, warehouse: str, selection: Selection) -> None:
    takedown = selection.takedown
    connection.execute(f"""
        CREATE TABLE taken_articles AS SELECT article_id, raw_file, raw_member
        FROM {warehouse}.articles
        WHERE url IN {_list(takedown.urls)} OR canonical_url IN {_list(takedown.urls)}
            OR lower(outlet) IN {_list(takedown.outlets, lower=True)}
    """)
    connection.execute(f"""
        CREATE TABLE taken_speakers AS SELECT speaker_id FROM {warehouse}.speakers
        WHERE list_has_any(
            list_transform(list_prepend(name, aliases), lambda one: lower(one)),
            {_list(takedown.speakers, lower=True, brackets="[]")})
    """)
    connection.execute(f"""
        CREATE TABLE taken_statements AS SELECT statement_id, article_id
        FROM {warehouse}.statements WHERE statement_id IN (
            SELECT statement_id FROM {warehouse}.statement_speakers
            SEMI JOIN taken_speakers USING (speaker_id))
    """)
    connection.execute(f"""
        CREATE TABLE released_articles AS
        SELECT article_id, coalesce(year(published_at), 0)::INTEGER AS year, published_at, outlet
        FROM {warehouse}.articles ANTI JOIN taken_articles USING (article_id)
        WHERE {_on_articles(selection)}
    """)
    connection.execute(f"""
        CREATE TABLE released_statements AS SELECT s.statement_id, a.*
        FROM {warehouse}.statements AS s JOIN released_articles AS a USING (article_id)
        ANTI JOIN taken_statements USING (statement_id)
    """)
    connection.execute(f"""
        CREATE TABLE left_out AS
        SELECT 'articles' AS what, count(*) AS rows FROM taken_articles
        UNION ALL SELECT 'statements', count(*) FROM {warehouse}.statements AS s
            WHERE s.article_id IN (SELECT article_id FROM taken_articles)
            OR s.statement_id IN (SELECT statement_id FROM taken_statements)
        UNION ALL SELECT 'speakers', count(*) FROM taken_speakers
    """)
    if selection.where:
        _narrow(connection, warehouse, selection.where)


def _on_articles(selection: Selection) -> str:
    conditions = ["true"]
    if selection.since:
        conditions.append(f"published_at >= DATE '{selection.since.isoformat()}'")
    if selection.outlets:
        conditions.append(f"lower(outlet) IN {_list(selection.outlets, lower=True)}")
    return " AND ".join(conditions)


def _narrow(connection: duckdb.DuckDBPyConnection, warehouse: str, condition: str) -> None:
    """Keep the statements that have a row in the flat view for which `condition` is true."""
    try:
        connection.execute(
            "DELETE FROM released_statements WHERE statement_id NOT IN "
            f"(SELECT statement_id FROM {warehouse}.{FLAT_VIEW} WHERE ({condition}))"
        )
    except duckdb.Error as error:
        raise SelectionError(
            f"--where takes a condition on the columns of {FLAT_VIEW}: {error}"
        ) from None
    connection.execute(
        "DELETE FROM released_articles "
        "WHERE article_id NOT IN (SELECT article_id FROM released_statements)"
    )


def _view(table: type[Table], warehouse: str) -> str:
    name = table.table_name()
    return f"CREATE VIEW {name} AS {_rows(table, f'{warehouse}.{name}', warehouse)}"


def _rows(table: type[Table], stored: str, warehouse: str) -> str:
    if table is Articles:
        return _articles(stored)
    if table is Statements:
        return _statements(stored, warehouse)
    if table is Rejects:
        return (
            f"SELECT r.* FROM {stored} AS r WHERE NOT EXISTS (FROM taken_articles AS t WHERE "
            "t.raw_file = r.raw_file AND t.raw_member IS NOT DISTINCT FROM r.raw_member)"
        )
    scope = next((column for column in SCOPES if column in table.dtypes()), None)
    chosen = {
        None: "true",
        "statement_id": "statement_id IN (SELECT statement_id FROM released_statements)",
        "article_id": "article_id IN (SELECT article_id FROM released_articles)",
        "speaker_id": _met(StatementSpeakers, "speaker_id", warehouse),
        "target_id": _met(Stances, "target_id", warehouse),
    }[scope]
    return f"SELECT * FROM {stored} WHERE {chosen}"


def _met(table: type[Table], column: str, warehouse: str) -> str:
    return (
        f"{column} IN (SELECT {column} FROM {warehouse}.{table.table_name()} "
        "WHERE statement_id IN (SELECT statement_id FROM released_statements))"
    )


def _articles(stored: str) -> str:
    """Texts that hold the words of a speaker to be left out are null."""
    return f"""
        SELECT a.* REPLACE (
            CASE WHEN t.article_id IS NULL THEN a.text END AS text
        ) FROM {stored} AS a SEMI JOIN released_articles USING (article_id)
        LEFT JOIN (SELECT DISTINCT article_id FROM taken_statements) AS t USING (article_id)
    """


def _statements(stored: str, warehouse: str) -> str:
    """Statements with the characters around them, where the article's text may be shown."""
    return f"""
        SELECT * EXCLUDE (_field, _start, _end),
            substring(_field, greatest(_start - {CONTEXT_CHARACTERS}, 0) + 1,
                least(_start, {CONTEXT_CHARACTERS})) AS context_before,
            substring(_field, _end + 1, {CONTEXT_CHARACTERS}) AS context_after
        FROM (
            SELECT s.*,
                CASE WHEN t.article_id IS NOT NULL THEN NULL
                    WHEN s.part = 'title' THEN a.title ELSE a.text END AS _field,
                list_min(list_transform(content_spans, lambda span: span.start)) AS _start,
                list_max(list_transform(content_spans, lambda span: span."end")) AS _end
            FROM {stored} AS s SEMI JOIN released_statements USING (statement_id)
            JOIN {warehouse}.articles AS a USING (article_id)
            LEFT JOIN (SELECT DISTINCT article_id FROM taken_statements) AS t USING (article_id)
        )
    """


def _list(values: tuple[str, ...], *, lower: bool = False, brackets: str = "()") -> str:
    """`values` as an SQL list; never empty, since DuckDB refuses `()`."""
    words = [value.lower() if lower else value for value in values]
    inner = ", ".join(map(quote, words)) or ("NULL" if brackets == "()" else "")
    typed = "::VARCHAR[]" if brackets == "[]" else ""
    return f"{brackets[0]}{inner}{brackets[1]}{typed}"
