"""The nightly flow: collect what is new, build the warehouse, write a release."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import State, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.build import build
from flows.collect import collect
from flows.export import ReleaseOrder, write_release
from flows.ingest import NothingFoundError
from flows.launch import TASKS_PER_BATCH
from flows.load.warehouse import open_readonly
from flows.progress import note
from flows.report import Report
from flows.workers import worker_processes

RAW = Path("raw")


@flow(name="nightly", validate_parameters=False)
def nightly(
    paths: list[str],
    warehouse: str,
    *,
    feeds: str | None = None,
    releases: str | None = None,
    workers: int | None = None,
) -> State[None]:
    """Collect from `feeds` into raw/, build `warehouse` from `paths`, release into `releases`.

    What could not be collected does not keep the rest from being done, but the run ends as failed.
    A release is written if there is anything new.
    """
    missed = collect_all(Path(feeds)) if feeds else ""
    report = build_all(paths, Path(warehouse), workers or os.cpu_count() or 1)
    if report and releases and (report.counts["articles"] or not Path(releases).exists()):
        export(Path(warehouse), Path(releases))
    told = tell(report, missed)
    note(told)
    return Failed(message=told) if missed else Completed(message=told)


def collect_all(feeds: Path) -> str:
    """Run the collect flow; return why nothing could be collected, if so."""
    state: State[Any] = collect(feeds, RAW, return_state=True)
    if not state.is_completed():
        return f"Collecting failed: {state.message}"
    if state.result().failed_wholly:
        return "Collecting failed: no outlet could be read; `stancebank collect --last` tells why."
    return ""


def build_all(paths: list[str], warehouse: Path, workers: int) -> Report | None:
    """Run the build flow; None where there is no input yet."""
    threads: Any = ThreadPoolTaskRunner(max_workers=TASKS_PER_BATCH * workers)
    with worker_processes(workers):
        try:
            return build.with_options(task_runner=threads)(paths, warehouse)
        except NothingFoundError as error:
            note(str(error))
            return None


@task(cache_policy=NO_CACHE)
def export(warehouse: Path, releases: Path) -> Path:
    """Write a release named by the time, and return its folder."""
    folder = releases / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    with open_readonly(warehouse) as connection:
        write_release(connection, folder, ReleaseOrder())
    return folder


def tell(report: Report | None, missed: str) -> str:
    """One line on a run."""
    if not report:
        return f"Nothing to build. {missed}".strip()
    counts = report.counts
    done = f"{report.run_id}: {counts['articles']:,} articles loaded, {counts['rejects']:,} rejects"
    return f"{done}, {report.totals['statements']:,} statements in all. {missed}".strip()
