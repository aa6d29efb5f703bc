"""The registry, and what is generated from it."""

from pathlib import Path

import duckdb
import polars as pl
import pytest

from schemas.arrow import arrow_schema
from schemas.ddl import create_statements
from schemas.dictionary import describe, dictionary_markdown
from schemas.operations import Rejects
from schemas.records import Reject
from schemas.registry import TABLES
from schemas.validation import split_valid

PROJECT = Path(__file__).parent.parent


@pytest.fixture
def empty_warehouse() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for statement in create_statements():
        connection.execute(statement)
    return connection


def test_every_table_and_column_is_made_and_commented(
    empty_warehouse: duckdb.DuckDBPyConnection,
) -> None:
    columns = empty_warehouse.execute(
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
    ).fetchall()
    found = {(table, column): comment for table, column, comment in columns}
    for table in TABLES:
        for name, column in table.columns().items():
            assert found[table.table_name(), name] == column.description


def test_references_name_a_table_whose_key_bears_the_same_name() -> None:
    keys = {table.table_name(): table.key_columns() for table in TABLES}
    order = list(keys)
    for table in TABLES:
        for column, parent in table.references().items():
            assert keys[parent] == [column]
            assert order.index(parent) < order.index(table.table_name())


def test_duckdb_refuses_what_the_model_refuses(
    empty_warehouse: duckdb.DuckDBPyConnection,
) -> None:
    row = "('a', 'nowhere', NULL, NULL, 'why', NULL, 'r')"
    with pytest.raises(duckdb.ConstraintException):
        empty_warehouse.execute(f"INSERT INTO rejects VALUES {row}")


def test_the_dictionary_page_is_current() -> None:
    page = (PROJECT / "docs" / "dictionary.md").read_text(encoding="utf-8")
    assert page.strip() == dictionary_markdown().strip(), "run `make docs`"


def test_the_dictionary_tells_allowed_values_and_references() -> None:
    stances = next(entry for entry in describe() if entry["table"] == "stances")
    by_name = {column["column"]: column for column in stances["columns"]}
    assert by_name["stance"]["allowed"] == ["favor", "against", "neutral"]
    assert by_name["target_id"]["references"] == "targets"


def test_arrow_fields_carry_their_descriptions() -> None:
    for table in TABLES:
        for field in arrow_schema(table):
            assert (
                field.metadata[b"description"].decode() == table.columns()[field.name].description
            )


def test_of_a_payload_the_start_is_kept_as_text_that_any_database_holds() -> None:
    (payload,) = Rejects.from_records([Reject("clean", "a", None, "why", "\0b" * 600)])["payload"]
    assert payload == "\ufffdb" * 250


def test_bad_rows_come_back_with_reasons_and_good_ones_pass() -> None:
    rows = Rejects.from_records([Reject("ingest", "a.txt", None, "is empty")] * 2)
    frame = pl.concat(
        [
            rows.with_columns(run_id=pl.lit("r")),
            rows.with_columns(run_id=pl.lit("r"), reason=pl.lit("again")),
            rows.with_columns(run_id=pl.lit("r"), reject_id=pl.lit("x"), stage=pl.lit("nowhere")),
        ]
    )
    good, bad = split_valid(Rejects, frame)
    assert good["reason"].to_list() == ["is empty"]
    assert "same reject_id" in bad["_reason"][0]
    assert "stage is 'nowhere'" in bad["_reason"][1]
