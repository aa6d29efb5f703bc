"""How far a run is: a bar on a terminal, nothing elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_console = Console(stderr=True)


class Steps:
    """The bar of one run."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("Starting", total=None)

    def begin(self, description: str, total: int | None = None) -> None:
        """Start a step of `total` articles, or of unknown length."""
        self._bar.reset(self._task, description=description, total=total)

    def advance(self, articles: int) -> None:
        """Tell that `articles` more are done."""
        self._bar.advance(self._task, articles)


class _Rate(ProgressColumn):
    """Articles a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f} articles/s" if speed else "", style="progress.data.speed")


@contextmanager
def progress() -> Iterator[Steps]:
    """Show the steps of a run on standard error while it lasts, if that is a terminal."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=_console,
        transient=True,
        disable=not _console.is_terminal,
    )
    with bar:
        yield Steps(bar)


def note(message: str) -> None:
    """Tell the user something beside the bar."""
    _console.print(message, highlight=False, soft_wrap=True)
