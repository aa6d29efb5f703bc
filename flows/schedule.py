"""Serves the nightly flow on a schedule, for as long as the process runs."""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import filelock
import tzlocal

from flows.fetch import read_feeds
from flows.load.runs import last_completion
from flows.load.warehouse import open_readonly
from flows.prefect_api import ServerMode, prefect_api
from flows.progress import note
from flows.server import ServerError, ensure_server, running_server
from schemas.errors import StancebankError

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

SERVER_CHECK_SECONDS = 10.0
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
SHORTEST = timedelta(seconds=10)


class ScheduleError(StancebankError):
    """The schedule cannot be served; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ScheduleOrder:
    """What the user wants done, and when: by `cron` in local time, or each time `every` passes."""

    paths: list[str]
    warehouse: Path
    feeds: Path | None = None
    releases: Path | None = None
    workers: int | None = None
    cron: str | None = None
    every: str | None = None


def serve_schedule(order: ScheduleOrder, *, log_level: str = "WARNING") -> None:
    """Run the nightly flow when it is due, until interrupted.

    Runs never overlap, and none that was missed is made up for, but one is begun at once if the
    last complete one is older than an interval.

    Raises:
        StancebankError: if the schedule, the feeds file, another process or the server stand in
            the way.
    """
    _check(order)
    with _held(order.warehouse), prefect_api(ServerMode.auto, log_level=log_level):
        last = _last_completion(order.warehouse) or datetime.min.replace(tzinfo=UTC)
        schedule, interval = _schedule(order, last)
        due = datetime.now(UTC) - last > interval
        try:
            asyncio.run(_serve(order, schedule, run_now=due))
        except RuntimeError as error:
            raise ScheduleError(f"Prefect's API stopped answering ({error}).") from None


def parse_interval(text: str) -> timedelta:
    """Read an interval such as `30m`, `6h` or `1d`.

    Raises:
        ScheduleError: if it is none, or shorter than ten seconds.
    """
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if not found:
        raise ScheduleError(f"--every takes a number with s, m, h or d, such as 6h, not {text!r}.")
    interval = timedelta(**{UNITS[found[2]]: int(found[1])})
    if interval < SHORTEST:
        raise ScheduleError(f"--every {text} is too short: ten seconds is the least.")
    return interval


def _check(order: ScheduleOrder) -> None:
    if bool(order.every) == bool(order.cron):
        raise ScheduleError("Say when: give --cron or --every, and not both.")
    if order.every:
        parse_interval(order.every)
    if order.feeds:
        read_feeds(order.feeds)


def _schedule(order: ScheduleOrder, last: datetime) -> tuple[Any, timedelta]:
    """The schedule as Prefect has it, and the time between two runs."""
    if order.every:
        interval = parse_interval(order.every)
        return _interval_schedule(interval, last), interval
    return _cron_schedule(order.cron or "")


def _interval_schedule(interval: timedelta, last: datetime) -> Any:
    """Every `interval` after the last run, or after now where one is due at once."""
    from prefect.client.schemas.schedules import IntervalSchedule  # noqa: PLC0415

    now = datetime.now(UTC)
    return IntervalSchedule(interval=interval, anchor_date=now if now - last > interval else last)


def _cron_schedule(cron: str) -> tuple[Any, timedelta]:
    from prefect.client.schemas.schedules import CronSchedule  # noqa: PLC0415
    from prefect.server.schemas.schedules import CronSchedule as Dates  # noqa: PLC0415

    zone = tzlocal.get_localzone_name()
    try:
        schedule = CronSchedule(cron=cron, timezone=zone)
    except ValueError:
        raise ScheduleError(
            f"--cron {cron!r} is no schedule: it takes five fields, such as '0 5 * * *'."
        ) from None
    dates = Dates(cron=cron, timezone=zone)
    first, second = asyncio.run(dates.get_dates(2, start=datetime.now(ZoneInfo(zone))))
    return schedule, second - first


async def _serve(order: ScheduleOrder, schedule: Any, *, run_now: bool) -> None:
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.runner import Runner  # noqa: PLC0415

    name = deployment_name(order.warehouse)
    runner = Runner(name="stancebank", pause_on_shutdown=True)
    async with get_client() as client, _server_kept_alive(client):
        await _forget_former_runs(client, name)
        deployment_id = await runner.aadd_flow(**_deployment(order, name, schedule))
        if run_now:
            await client.create_flow_run_from_deployment(deployment_id)
        note(_greeting(order, client, run_now=run_now))
        await runner.start()


def deployment_name(warehouse: Path) -> str:
    """Name of the deployment that keeps `warehouse` up to date."""
    place = warehouse.resolve()
    mark = hashlib.sha256(str(place).encode()).hexdigest()[:8]
    return f"{place.stem}-{mark}"


def _deployment(order: ScheduleOrder, name: str, schedule: Any) -> dict[str, Any]:
    """What the runner is to serve."""
    from prefect.client.schemas.objects import (  # noqa: PLC0415
        ConcurrencyLimitConfig,
        ConcurrencyLimitStrategy,
    )
    from prefect.types.entrypoint import EntrypointType  # noqa: PLC0415

    from flows.nightly import nightly  # noqa: PLC0415

    parameters = {
        "paths": order.paths,
        "warehouse": str(order.warehouse),
        "feeds": order.feeds and str(order.feeds),
        "releases": order.releases and str(order.releases),
        "workers": order.workers,
    }
    one_at_once = ConcurrencyLimitConfig(
        limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
    )
    return {
        "flow": nightly,
        "name": name,
        "schedule": schedule,
        "paused": False,
        "concurrency_limit": one_at_once,
        "parameters": parameters,
        "entrypoint_type": EntrypointType.MODULE_PATH,
    }


async def _forget_former_runs(client: "PrefectClient", name: str) -> None:
    """Remove runs that a former process left waiting, and mark as crashed those it left running."""
    from prefect.client.schemas.objects import State  # noqa: PLC0415
    from prefect.exceptions import ObjectNotFound  # noqa: PLC0415
    from prefect.states import Crashed  # noqa: PLC0415

    try:
        deployment = await client.read_deployment_by_name(f"nightly/{name}")
    except ObjectNotFound:
        return
    await client.pause_deployment(deployment.id)
    for run in await _unfinished(client, deployment.id):
        if run.state.is_scheduled():
            await client.delete_flow_run(run.id)
        else:
            ended: State[Any] = Crashed(message="The process that served the schedule ended.")
            await client.set_flow_run_state(run.id, ended, force=True)


async def _unfinished(client: "PrefectClient", deployment_id: UUID) -> list[Any]:
    from prefect.client.schemas import filters  # noqa: PLC0415
    from prefect.client.schemas.objects import StateType  # noqa: PLC0415

    types = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
    return await client.read_flow_runs(
        flow_run_filter=filters.FlowRunFilter(
            deployment_id=filters.FlowRunFilterDeploymentId(any_=[deployment_id]),
            state=filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=types)),
        )
    )


@contextlib.asynccontextmanager
async def _server_kept_alive(client: "PrefectClient") -> AsyncIterator[None]:
    """Inside, the shared server is started again should it end; a server of the user's is not."""
    server = running_server()
    ours = server and str(client.api_url).rstrip("/") == server.api_url
    watch = asyncio.create_task(_watch_server()) if ours else None
    try:
        yield
    finally:
        if watch:
            watch.cancel()


async def _watch_server() -> None:
    while True:
        await asyncio.sleep(SERVER_CHECK_SECONDS)
        with contextlib.suppress(ServerError):
            await asyncio.to_thread(ensure_server)


def _greeting(order: ScheduleOrder, client: "PrefectClient", *, run_now: bool) -> str:
    when = f"every {order.every}" if order.every else f"by cron {order.cron!r}"
    first = "A first run begins at once." if run_now else "The last run is recent; none is due."
    ui = str(client.api_url).removesuffix("/").removesuffix("/api")
    return f"Updating {order.warehouse} {when}. {first} Runs are shown at {ui}. Ctrl-C ends this."


def _last_completion(warehouse: Path) -> datetime | None:
    if not warehouse.exists():
        return None
    with open_readonly(warehouse) as connection:
        return last_completion(connection)


@contextlib.contextmanager
def _held(warehouse: Path) -> Iterator[None]:
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(warehouse.with_name(f"{warehouse.name}.schedule"), timeout=0):
            yield
    except filelock.Timeout:
        raise ScheduleError(
            f"Another process serves a schedule for {warehouse}. End it first."
        ) from None
