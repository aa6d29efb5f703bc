"""What `stancebank clean --explain` shows: the articles of a file, what went, and why."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from flows.clean import clean_html, clean_text
from flows.clean.explain import explain
from flows.ingest import find_files, ingest


def explain_file(path: Path) -> Iterator[str]:
    """Every article in a file of any format that a run reads, as a page to read; then rejects.

    Raises:
        NothingFoundError: if there is no such file.
    """
    with tempfile.TemporaryDirectory() as folder:
        intake = ingest(find_files([str(path)]), set(), Path(folder))
        for shard in intake.shards:
            for raw in pl.read_parquet(shard.path).iter_rows(named=True):
                yield _explain_article(raw)
    for reject in intake.rejects:
        yield f"{reject.raw_file} {reject.raw_member or ''}: {reject.reason}"


def _explain_article(raw: dict[str, str]) -> str:
    if raw["kind"] == "html":
        return explain(clean_html(raw["content"], raw["url"]))
    return explain(clean_text(raw["content"], raw["url"]), raw["content"])
