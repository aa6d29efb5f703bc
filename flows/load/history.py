"""What a run replaces: moved to the history in the transaction that replaces it."""

import duckdb

from schemas.ddl import HISTORY_SUFFIX, quote
from schemas.table import Table


def retire(
    connection: duckdb.DuckDBPyConnection, table: type[Table], condition: str, run_id: str
) -> None:
    """Move the rows of `table` for which `condition` holds to its history."""
    name = table.table_name()
    connection.execute(
        f"INSERT INTO {name}{HISTORY_SUFFIX} "
        f"BY NAME SELECT *, {quote(run_id)} AS superseded_by_run_id, "
        f"now()::TIMESTAMP AS superseded_at FROM {name} WHERE {condition}"
    )
    connection.execute(f"DELETE FROM {name} WHERE {condition}")
