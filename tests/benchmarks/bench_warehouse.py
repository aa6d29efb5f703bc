"""Speed and size of the warehouse, with made-up statements: `bench_warehouse.py [STATEMENTS]`.

Loads half of the statements, then the other half into what is there, then 1,000 new articles, and
asks. Every line has wall-clock and processor seconds, and the process's highest memory so far.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl
from synthetic import STATEMENTS_AN_ARTICLE, write_batches

from flows.load.merge import Load, load_batches
from flows.load.runs import begin_run
from flows.load.search import attach_search, search_folder, update_search
from flows.load.snapshot import publish
from flows.load.warehouse import open_readonly, open_writable, snapshot_path
from schemas.operations import Rejects, Sources

DEFAULT = 1_000_000
QUESTIONS = {
    "positions of one speaker": "FROM positions WHERE speaker = 'speaker 7'",
    "positions on one target": "FROM positions WHERE target_name = 'target 7'",
    "timeline of a speaker": "FROM speaker_timeline('speaker 7')",
    "all positions": "SELECT count(*), sum(favor) FROM positions",
    "flat view": "SELECT stance, count(*) FROM speaker_statement_stance GROUP BY stance",
    "coverage": "SELECT sum(articles) FROM coverage",
}
SEARCH = "FROM who_said('w120 w3500') LIMIT 10"


@contextmanager
def told(what: str, rows: int | None = None) -> Iterator[None]:
    """Print how long the block took and, with `rows`, how many of them a second."""
    begun, used = time.perf_counter(), time.process_time()
    yield
    seconds, busy = time.perf_counter() - begun, time.process_time() - used
    rate = f"{rows / seconds:,.0f} rows/s" if rows else ""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{what:<40}{seconds:>9.3f} s{busy:>9.3f} s{memory:>7.2f} GB  {rate}", flush=True)


def load(warehouse: Path, batches: list[Path], what: str) -> None:
    rows = sum(
        pl.scan_parquet(path).select(pl.len()).collect().item()
        for batch in batches
        for path in batch.glob("*.parquet")
    )
    dtypes = {name: dtype for name, dtype in Sources.dtypes().items() if name != "run_id"}
    with open_writable(warehouse) as connection:
        order = Load(
            begin_run(connection, {}, {}),
            batches,
            pl.DataFrame(schema=dtypes | {"replaces": pl.Boolean()}),
            Rejects.from_records([]),
            pl.DataFrame(schema={"article_id": pl.String, "duplicate_cluster_id": pl.String}),
        )
        with told(f"load {what}", rows):
            load_batches(connection, order)
        with told(f"show readers {what}"):
            publish(connection, warehouse, order.run_id)


def ask(connection: duckdb.DuckDBPyConnection, where: str, questions: dict[str, str]) -> None:
    for what, query in questions.items():
        connection.execute(query).fetchall()
        with told(f"{what} ({where})"):
            connection.execute(query).fetchall()


def size(*paths: Path) -> int:
    files = (file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]))
    return sum(file.stat().st_size for file in files if file.is_file())


def main(statements: int, folder: Path) -> None:
    warehouse, articles = folder / "w.duckdb", statements // STATEMENTS_AN_ARTICLE
    half = articles // 2
    with told("make up batches", statements):
        first = list(write_batches(folder / "a", half))
        second = list(write_batches(folder / "b", articles - half, first=half))
        few = list(write_batches(folder / "c", 1_000, first=articles))
    load(warehouse, first, "the first half")
    load(warehouse, second, "the second half")
    load(warehouse, few, "1,000 articles more")
    with open_readonly(warehouse) as connection:
        with told("index all years", statements):
            update_search(connection, warehouse)
        attach_search(connection, warehouse)
        ask(connection, "warehouse", QUESTIONS | {"search": SEARCH})
    with duckdb.connect(str(snapshot_path(warehouse)), read_only=True) as reader:
        ask(reader, "snapshot", QUESTIONS)
    for what, paths in {
        "warehouse": [warehouse],
        "snapshot": [snapshot_path(warehouse), folder / "w.parts"],
        "index": [search_folder(warehouse)],
    }.items():
        print(f"{what:<40}{size(*paths) / statements:>10.0f} bytes a statement")


if __name__ == "__main__":
    print(f"duckdb {duckdb.__version__}; columns: wall clock, processor, highest memory, rate")
    with tempfile.TemporaryDirectory() as made:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT, Path(made))
