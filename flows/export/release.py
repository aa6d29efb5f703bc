"""A release: the warehouse, or a part of it, as a described and checked dataset."""

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from flows.export.checks import ReleaseError, check_release, sha256, write_checksums
from flows.export.croissant import croissant
from flows.export.datapackage import datapackage
from flows.export.documents import card, citation, datasheet
from flows.export.facts import Facts, gather_facts
from flows.export.selection import Selection, selected
from flows.export.tables import WrittenTable, write_table
from schemas.dictionary import dictionary_markdown
from schemas.operations import Runs
from schemas.records import ReleaseFormat
from schemas.releases import left_out, released_tables


@dataclass(frozen=True, slots=True)
class ReleaseOrder:
    """What a release shall hold, and how. Publishers' texts stay out unless `with_text`."""

    selection: Selection = field(default_factory=Selection)
    release_format: ReleaseFormat = ReleaseFormat.parquet
    with_text: bool = False


def write_release(
    connection: duckdb.DuckDBPyConnection, folder: Path, order: ReleaseOrder
) -> dict[str, int]:
    """Write the selected rows of all tables to `folder`, and return the rows of each.

    Beside the tables stand their descriptions for programs and for people, the runs, and
    checksums. The folder appears when it is complete and has been read back. Of the same warehouse
    and order every file is the same, byte for byte.

    Raises:
        ReleaseError: if `folder` exists, or what was written cannot be read back.
        SelectionError: if DuckDB refuses the condition.
    """
    if folder.exists():
        raise ReleaseError(f"{folder} exists already. Give a folder that does not.")
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        with selected(connection, order.selection):
            tables = [
                write_table(
                    connection, table, draft, order.release_format, with_text=order.with_text
                )
                for table in released_tables()
            ]
            facts = gather_facts(connection)
            _write_runs(connection, draft / "runs.csv")
        _describe(draft, tables, facts, order)
        write_checksums(draft)
        check_release(draft)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return {table.name: table.rows for table in tables}


def _describe(
    folder: Path, tables: Sequence[WrittenTable], facts: Facts, order: ReleaseOrder
) -> None:
    release_format, with_text = order.release_format, order.with_text
    sums = {part.path: sha256(folder / part.path) for table in tables for part in table.parts}
    _write_json(folder / "datapackage.json", datapackage(tables, facts, release_format))
    _write_json(folder / "croissant.json", croissant(tables, facts, release_format, sums))
    pages = {
        "README.md": card(tables, facts, release_format),
        "datasheet.md": datasheet(tables, facts, order.selection, with_text=with_text),
        "CITATION.cff": citation(facts),
        "dictionary.md": dictionary_markdown(
            tuple(table.table for table in tables),
            without=lambda table: left_out(table, with_text=with_text),
        ),
    }
    for name, page in pages.items():
        (folder / name).write_text(page, encoding="utf-8")


def _write_runs(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Runs are metadata: they bear times, which the tables do not."""
    rows = connection.execute(f"FROM {Runs.table_name()} ORDER BY run_id").fetchall()
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(Runs.columns()), *rows])


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
