"""The user's codeframe: which targets belong to which issue, and with which sign.

Names of targets hardly ever repeat, so names alone do not answer who stands where on an issue.
A codeframe is a CSV file with the columns `issue`, `pattern` and `polarity`.
"""

from pathlib import Path

import duckdb
import polars as pl

from schemas.entities import Issues
from schemas.errors import StancebankError
from schemas.validation import split_valid

POLARITIES = {"1": 1, "+1": 1, "-1": -1}


class CodeframeError(StancebankError):
    """A codeframe cannot be used; the message names file and line."""


def read_codeframe(path: Path) -> pl.DataFrame:
    """Rows for `issues` from a CSV file.

    Raises:
        CodeframeError: if the file, a column, a polarity or a pattern is wrong.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise CodeframeError(f"{path} cannot be read as CSV: {error}") from None
    missing = {"issue", "pattern", "polarity"} - set(frame.columns)
    if missing:
        columns = ", ".join(sorted(missing))
        raise CodeframeError(f"{path} lacks the columns {columns}; it has {frame.columns}.")
    polarity = pl.col("polarity").str.strip_chars().replace_strict(POLARITIES, default=None)
    rows = frame.select("issue", "pattern", polarity=polarity.cast(pl.Int8))
    good, bad = split_valid(Issues, rows)
    if not bad.is_empty():
        number = rows.with_row_index("line", offset=2).join(bad, on=["issue", "pattern"])["line"][0]
        raise CodeframeError(f"{path} line {number}: {bad['_reason'][0]}. polarity is 1 or -1.")
    _check_patterns(path, good)
    return good


def replace_codeframe(connection: duckdb.DuckDBPyConnection, issues: pl.DataFrame) -> None:
    """Put `issues` in the place of the former codeframe and claim all targets anew."""
    connection.begin()
    connection.register("_codeframe", issues)
    connection.execute("DELETE FROM issues")
    connection.execute("INSERT INTO issues BY NAME SELECT * FROM _codeframe")
    connection.unregister("_codeframe")
    connection.execute("DELETE FROM target_issues")
    claim_targets(connection)
    connection.commit()


def claim_targets(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the codeframe's issues claim targets that none has claimed, and let go of vanished ones.

    A pattern claims a target if it matches whole words of its name or of one of its aliases.
    """
    connection.execute("""
        DELETE FROM target_issues WHERE target_id NOT IN (SELECT target_id FROM targets)
    """)
    connection.execute(r"""
        INSERT INTO target_issues BY NAME
        SELECT t.target_id, i.issue, arg_max(i.polarity, length(i.pattern)) AS polarity
        FROM (
            SELECT target_id, unnest(list_prepend(name, aliases)) AS name FROM targets
            ANTI JOIN target_issues USING (target_id)
        ) AS t
        JOIN issues AS i ON regexp_matches(t.name, '\b(?:' || i.pattern || ')\b', 'i')
        GROUP BY t.target_id, i.issue
    """)


def _check_patterns(path: Path, issues: pl.DataFrame) -> None:
    for pattern in issues["pattern"]:
        try:
            duckdb.execute("SELECT regexp_matches('', ?)", [pattern])
        except duckdb.Error as error:
            raise CodeframeError(f"{path}: the pattern {pattern!r} is wrong: {error}") from None
