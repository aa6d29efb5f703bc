"""The collect flow: outlets' lists in, new pages in raw/."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import filelock
from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, wait
from prefect.task_runners import ThreadPoolTaskRunner

from flows.fetch import (
    FOLDER,
    MEMORY_FILE,
    Collected,
    Failure,
    Feeds,
    Memory,
    Outlet,
    OutletResult,
    OutletVisit,
    Visitor,
    read_feeds,
    remove_drafts,
)
from flows.fetch.show import markdown
from flows.progress import Steps, progress
from schemas.errors import StancebankError

LOCK = ".collect.lock"
OUTLETS_AT_ONCE = 16


class AlreadyCollectingError(StancebankError):
    """Another process collects into the same folder."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A run under way: its name, its outlets and manners, where it writes, and its progress bar."""

    run_id: str
    feeds: Feeds
    folder: Path
    memory: Memory
    visitor: Visitor
    steps: Steps


@flow(
    name="collect",
    validate_parameters=False,
    task_runner=cast(Any, ThreadPoolTaskRunner(max_workers=OUTLETS_AT_ONCE)),
)
def collect(feeds: Path, raw: Path) -> Collected:
    """Read every outlet's lists, fetch the pages that are new, keep them below `raw`, and report.

    Raises:
        AlreadyCollectingError: if another process collects into `raw`.
        FeedsFileError: if the feeds file cannot be used.
    """
    with collecting(read_feeds(feeds), raw) as run:
        visits = [visit.submit(run, outlet) for outlet in run.feeds.outlets]
        results = wait_for(run, visits)
        return report(run, results)


@contextmanager
def collecting(feeds: Feeds, raw: Path) -> Iterator[Collection]:
    """Hold `raw` for one run, with what earlier runs remember of it."""
    folder = raw / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_held(raw))
        remove_drafts(folder)
        memory = stack.enter_context(closing(Memory(raw / MEMORY_FILE)))
        steps = stack.enter_context(progress())
        steps.begin("Collecting")
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        yield Collection(run_id, feeds, folder, memory, Visitor(feeds.collect), steps)


@task(cache_policy=NO_CACHE, task_run_name="visit {outlet.name}")
def visit(run: Collection, outlet: Outlet) -> OutletResult:
    """Read the lists of one outlet and fetch what is new in them."""
    progressed = partial(run.steps.advance, 1)
    visited = OutletVisit(outlet, run.feeds.collect, run.visitor, run.memory, progressed)
    visited.discover()
    return visited.fetch(run.folder, run.run_id)


def wait_for(run: Collection, visits: Sequence[PrefectFuture[OutletResult]]) -> list[OutletResult]:
    """Wait until every outlet was visited; an interruption ends the visits and keeps pages."""
    try:
        wait(list(visits))
    except BaseException:
        run.visitor.stop()
        wait(list(visits))
        raise
    return [
        _result(outlet, visited) for outlet, visited in zip(run.feeds.outlets, visits, strict=True)
    ]


@task(cache_policy=NO_CACHE)
def report(run: Collection, results: Sequence[OutletResult]) -> Collected:
    """Remember what the run did, and leave it as an artifact in Prefect's UI."""
    for result in results:
        run.memory.add_result(run.run_id, result)
    collected = Collected(run.run_id, list(results), run.folder)
    create_markdown_artifact(markdown(collected), key="collect-report", description="Collected")
    return collected


def _result(outlet: Outlet, visited: PrefectFuture[OutletResult]) -> OutletResult:
    if visited.state.is_completed():
        return visited.result()
    why = " ".join((visited.state.message or "no reason given").split())
    reason = f"the visit broke off ({why}); pages fetched before are kept, the next run goes on"
    return OutletResult(outlet.name, failures=[Failure("outlet", outlet.name, reason)])


@contextmanager
def _held(raw: Path) -> Iterator[None]:
    try:
        with filelock.FileLock(raw / LOCK, timeout=0):
            yield
    except filelock.Timeout:
        raise AlreadyCollectingError(
            f"Another process collects into {raw}. Wait for it, or end it."
        ) from None
