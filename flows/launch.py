"""Starting the build flow: an API to report to, worker processes, a thread for every task."""

import os
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from flows.ingest import Intake, find_files, ingest
from flows.load.codeframe import read_codeframe
from flows.load.identities import read_speaker_file
from flows.load.runs import known_hashes
from flows.load.warehouse import open_readonly
from flows.prefect_api import ServerMode, prefect_api
from flows.workers import worker_processes

if TYPE_CHECKING:
    from flows.report import Report

TASKS_PER_BATCH = 3


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """What the user asks the build flow to do."""

    paths: Sequence[str]
    warehouse: Path
    workers: int | None = None
    limit: int | None = None
    mapping: Mapping[str, str] | None = None
    reextract: bool = False
    fast: bool = False
    issues: Path | None = None
    speakers: Path | None = None


def launch_build(order: BuildOrder, mode: ServerMode, *, log_level: str = "ERROR") -> "Report":
    """Run the build flow on `order.workers` processes, by default one a core.

    Raises:
        StancebankError: if a path, the warehouse or the server stand in the way.
    """
    _check(order)
    workers = order.workers or os.cpu_count() or 1
    with (
        interrupted_once(),
        prefect_api(mode, log_level=log_level),
        worker_processes(workers),
    ):
        from prefect.task_runners import ThreadPoolTaskRunner  # noqa: PLC0415

        from flows.build import build  # noqa: PLC0415

        threads: Any = ThreadPoolTaskRunner(max_workers=TASKS_PER_BATCH * workers)
        return build.with_options(task_runner=threads)(
            order.paths,
            order.warehouse,
            limit=order.limit,
            mapping=order.mapping,
            reextract=order.reextract,
            fast=order.fast,
            issues=order.issues,
            speakers=order.speakers,
        )


def _check(order: BuildOrder) -> None:
    """Refuse what cannot work before anything is started."""
    find_files(order.paths)
    if order.issues:
        read_codeframe(order.issues)
    if order.speakers:
        read_speaker_file(order.speakers)


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Inside, the first Ctrl-C interrupts; later ones do not disturb the tidying up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def rehearse(order: BuildOrder) -> Intake:
    """Read the inputs as a build would, and throw away what was read.

    Raises:
        StancebankError: if a path matches nothing.
    """
    known: set[str] = set()
    if order.warehouse.exists():
        with open_readonly(order.warehouse) as connection:
            known = known_hashes(connection, refused=not order.mapping)
    with tempfile.TemporaryDirectory() as folder:
        files = find_files(order.paths)
        return ingest(files, known, Path(folder), limit=order.limit, mapping=order.mapping)


def rehearsal_lines(intake: Intake) -> list[str]:
    """What a rehearsal found, in sentences."""
    statuses = Counter(source.status for source in intake.sources)
    return [
        f"Would read {intake.articles:,} articles from {statuses['loaded']:,} files and members.",
        f"Would skip {intake.skipped:,} unchanged ones.",
        f"Would refuse {len(intake.rejects):,} inputs" + (":" if intake.rejects else "."),
        *(
            f"  {' › '.join(filter(None, (r.raw_file, r.raw_member)))}: {r.reason}"
            for r in intake.rejects
        ),
        "Nothing was written.",
    ]
