"""What a release holds: the tables of the registry as they are published."""

from collections.abc import Iterable

from schemas.articles import Articles
from schemas.fields import field, same_as
from schemas.operations import Runs, Tombstones
from schemas.registry import TABLES
from schemas.statements import Statements
from schemas.table import Table
from schemas.views import VIEWS

CONTEXT_CHARACTERS = 100
"""Characters of the article that a release gives on each side of a statement."""
PUBLISHERS_TEXT = {"articles": ("text",), "removed_lines": ("line",), "rejects": ("payload",)}
"""Columns that belong to the publishers and are left out by default."""
RUN_COLUMN = "run_id"
"""Left out: it bears the time of a run, and equal data must give equal files."""


class ReleasedArticles(Articles):
    """One row per article: where it came from and what was done with it."""

    text: str = same_as(Articles, "text", nullable=True)

    @classmethod
    def table_name(cls) -> str:
        """The name of the table that is published."""
        return Articles.table_name()


class ReleasedStatements(Statements):
    """One row per statement that an article attributes to a speaker, with what stands around it."""

    context_before: str = field(
        f"At most {CONTEXT_CHARACTERS} characters of the article before the statement; null where "
        "a takedown asks for it.",
        nullable=True,
    )
    context_after: str = field(
        f"At most {CONTEXT_CHARACTERS} characters of the article after it; null likewise.",
        nullable=True,
    )

    @classmethod
    def table_name(cls) -> str:
        """The name of the table that is published."""
        return Statements.table_name()


_PUBLISHED: dict[type[Table], type[Table]] = {
    Articles: ReleasedArticles,
    Statements: ReleasedStatements,
}


def released_tables() -> Iterable[type[Table]]:
    """Tables and views of a release in the order of its dictionary.

    Runs are metadata, and what was forgotten is nobody's business.
    """
    yield from VIEWS
    for table in TABLES:
        if table not in (Runs, Tombstones):
            yield _PUBLISHED.get(table, table)


def left_out(table: type[Table], *, with_text: bool) -> tuple[str, ...]:
    """Columns of `table` that a release leaves out."""
    texts = () if with_text else PUBLISHERS_TEXT.get(table.table_name(), ())
    return (*texts, RUN_COLUMN)
