"""Starting the collect flow, and what it did last."""

from contextlib import closing
from pathlib import Path

from flows.fetch import FOLDER, MEMORY_FILE, Collected, Memory, read_feeds
from flows.launch import interrupted_once
from flows.prefect_api import ServerMode, prefect_api
from schemas.errors import StancebankError


class NothingCollectedError(StancebankError):
    """Nothing has been collected into the folder yet."""


def launch_collect(
    feeds: Path, raw: Path, mode: ServerMode, *, log_level: str = "ERROR"
) -> Collected:
    """Run the collect flow.

    Raises:
        StancebankError: if the feeds file, another process or the server stand in the way.
    """
    read_feeds(feeds)
    with interrupted_once(), prefect_api(mode, log_level=log_level):
        from flows.collect import collect  # noqa: PLC0415

        return collect(feeds, raw)


def last_collected(raw: Path) -> Collected:
    """What the last run of the collect flow into `raw` did.

    Raises:
        NothingCollectedError: if there was none.
    """
    path = raw / MEMORY_FILE
    if path.exists():
        with closing(Memory(path)) as memory:
            last = memory.last_run()
        if last:
            return Collected(*last, raw / FOLDER)
    raise NothingCollectedError(f"Nothing was collected into {raw} yet: give a feeds file.")
