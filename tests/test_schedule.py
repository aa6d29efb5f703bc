"""The schedule as users run it: a real Prefect server, short intervals, runs seen in DuckDB."""

import contextlib
import itertools
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from flows.schedule import ScheduleError, parse_interval
from tests.conftest import Command
from tests.site import Site, story

FAST = {"PREFECT_RUNNER_POLL_FREQUENCY": "1", "PREFECT_RUNNER_PROCESS_LIMIT": "5"}
PATIENCE_SECONDS = 500.0


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.stop()


@contextlib.contextmanager
def serving(
    folder: Path, environment: dict[str, str], *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    """The schedule as a process of its own; whatever is left of it at the end is killed."""
    program = Path(sys.executable).with_name("stancebank")
    with (folder / "schedule.log").open("a") as log:
        process = subprocess.Popen(
            [program, "schedule", *arguments],
            cwd=folder,
            env=environment | FAST,
            stdout=log,
            stderr=log,
            text=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def end(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGINT)
    return process.wait(timeout=PATIENCE_SECONDS)


FLOWS = ("nightly", "collect")


def log(folder: Path) -> str:
    return (folder / "schedule.log").read_text()


def complete_runs(folder: Path) -> list[tuple[float, float]]:
    """When each complete run began and ended, in seconds."""
    warehouse = folder / "warehouse" / "stancebank.duckdb"
    query = (
        "SELECT epoch(started_at), epoch(finished_at) FROM runs "
        "WHERE status = 'complete' ORDER BY started_at"
    )
    with contextlib.suppress(duckdb.Error), duckdb.connect(str(warehouse), read_only=True) as found:
        return found.execute(query).fetchall()
    return []


def flow_runs(environment: dict[str, str], flow: str) -> list[dict[str, str]]:
    """Runs of a flow that Prefect knows, of whatever schedule."""
    state = json.loads((Path(environment["PREFECT_HOME"]) / "stancebank-server.json").read_text())
    request = urllib.request.Request(
        f"http://127.0.0.1:{state['port']}/api/flow_runs/filter",
        data=json.dumps({"flows": {"name": {"any_": [flow]}}}).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        found: list[dict[str, str]] = json.load(response)
    return found


def wait_until(happened: Callable[[], object], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if happened():
            return
        time.sleep(0.5)
    pytest.fail(f"did not happen in time; the log:\n{log(folder)}")


def write_article(folder: Path) -> None:
    (folder / "raw").mkdir()
    text = 'Finance Minister Ada Moreau said on Monday that "the harbour levy will stay".'
    line = json.dumps({"url": "https://herald.example/1", "title": "Levy", "text": text})
    (folder / "raw" / "a.jsonl").write_text(line + "\n")


def test_runs_complete_one_after_the_other_and_none_is_due_after_a_restart(
    tmp_path: Path, environment: dict[str, str], stancebank: Command
) -> None:
    stancebank(tmp_path, "server", "start")
    write_article(tmp_path)
    with serving(tmp_path, environment, "--every", "15s", "--export", "releases") as process:
        wait_until(lambda: len(complete_runs(tmp_path)) >= 3, tmp_path)
        assert end(process) == 0, log(tmp_path)
    runs = complete_runs(tmp_path)
    assert all(ended <= begun for (_, ended), (begun, _) in itertools.pairwise(runs))
    assert "A first run begins at once" in log(tmp_path)
    assert "1 articles loaded" in log(tmp_path)
    assert "The schedule has ended" in log(tmp_path)
    assert len(list((tmp_path / "releases").iterdir())) == 1
    number = len(runs)
    with serving(tmp_path, environment, "--cron", "0 5 * * *") as process:
        wait_until(lambda: "none is due" in log(tmp_path), tmp_path)
        time.sleep(10)
        assert end(process) == 0, log(tmp_path)
    assert len(complete_runs(tmp_path)) == number


def test_runs_longer_than_the_interval_never_overlap(
    tmp_path: Path, environment: dict[str, str], stancebank: Command, site: Site
) -> None:
    stancebank(tmp_path, "server", "start")
    paths = [f"/{n}" for n in range(25)]
    site.pages |= dict.fromkeys(paths, story())
    site.add_feed(*paths)
    outlets = "".join(
        f'[[outlets]]\nname = "{name}"\nfeeds = ["{url}/feed.xml"]\n'
        for name, url in {"Herald": site.url, "Gone": f"{site.url}/gone"}.items()
    )
    manners = 'contact = "us@example.org"\ncrawl_delay = 1\nallowed_networks = ["127.0.0.0/8"]'
    (tmp_path / "feeds.toml").write_text(f"[collect]\n{manners}\n{outlets}")
    earlier = {run["id"] for flow in FLOWS for run in flow_runs(environment, flow)}
    with serving(tmp_path, environment, "--every", "10s", "--feeds", "feeds.toml") as process:
        wait_until(lambda: len(complete_runs(tmp_path)) >= 2, tmp_path)
        states, collecting = (
            {run["state_type"] for run in flow_runs(environment, flow) if run["id"] not in earlier}
            for flow in FLOWS
        )
        assert end(process) == 0, log(tmp_path)
    assert "CANCELLED" in states
    assert collecting <= {"COMPLETED", "RUNNING", "PENDING"}
    assert site.most_open == 1
    assert all(site.times(path) == 1 for path in paths)


def test_runs_that_were_missed_are_not_made_up_for(
    tmp_path: Path, environment: dict[str, str], stancebank: Command
) -> None:
    stancebank(tmp_path, "server", "start")
    write_article(tmp_path)
    with serving(tmp_path, environment, "--every", "10s") as process:
        wait_until(lambda: complete_runs(tmp_path), tmp_path)
        process.kill()
        process.wait()
    time.sleep(25)
    restarted_at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
    with serving(tmp_path, environment, "--every", "1d") as process:
        wait_until(lambda: "none is due" in log(tmp_path), tmp_path)
        time.sleep(10)
        assert end(process) == 0, log(tmp_path)
    begun = [run["start_time"] for run in flow_runs(environment, "nightly") if run["start_time"]]
    assert begun
    assert max(begun) < restarted_at


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--every", "soon"], "--every takes a number with s, m, h or d"),
        (["--every", "1s"], "ten seconds is the least"),
        (["--cron", "at five"], "is no schedule"),
        ([], "give --cron or --every"),
        (["--cron", "0 5 * * *", "--every", "6h"], "not both"),
        (["--every", "6h", "--feeds", "missing.toml"], "missing.toml cannot be read"),
    ],
)
def test_what_cannot_be_served_is_told(
    tmp_path: Path, stancebank: Command, arguments: list[str], message: str
) -> None:
    done = stancebank(tmp_path, "schedule", *arguments)
    assert done.returncode == 1
    assert message in done.stderr


def test_intervals_are_read() -> None:
    seconds = [parse_interval(text).total_seconds() for text in ("30s", "5m", "6h", "1d")]
    assert seconds == [30, 300, 21_600, 86_400]
    with pytest.raises(ScheduleError):
        parse_interval("6")
