"""A run of collecting in words, for a terminal and for Prefect's UI."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from flows.fetch.records import Collected, OutletResult

HEADINGS = (
    "new links",
    "pages stored",
    "TDM reserved",
    "disallowed",
    "left for next run",
    "failures",
)
FAILURES_SHOWN = 20


def show_collected(collected: Collected, console: Console) -> None:
    """Print what became of each outlet, and its failures with what, where and why."""
    grid = Grid(title=f"Collected {collected.run_id}", title_justify="left", box=None)
    grid.add_column("outlet")
    for heading in HEADINGS:
        grid.add_column(heading, justify="right")
    for outlet in collected.outlets:
        grid.add_row(Text(outlet.outlet), *(f"{number:,}" for number in _counts(outlet)))
    console.print(grid)
    for line in _failures(collected):
        console.print(Text(line, style="yellow"), soft_wrap=True)


def markdown(collected: Collected) -> str:
    """The same as Markdown."""
    rows = [
        f"| {_cell(outlet.outlet)} | {' | '.join(f'{n:,}' for n in _counts(outlet))} |"
        for outlet in collected.outlets
    ]
    head = [f"| outlet | {' | '.join(HEADINGS)} |", "|---" * (len(HEADINGS) + 1) + "|"]
    return "\n".join([*head, *rows, "", *(f"- {_cell(line)}" for line in _failures(collected))])


def _counts(outlet: OutletResult) -> tuple[int, ...]:
    return (
        outlet.found,
        outlet.stored,
        outlet.reserved,
        outlet.disallowed,
        outlet.left_over,
        len(outlet.failures),
    )


def _failures(collected: Collected) -> Iterator[str]:
    for outlet in collected.outlets:
        for failure in outlet.failures[:FAILURES_SHOWN]:
            yield f"{outlet.outlet}, {failure.what} {failure.url}: {failure.reason}"
        more = len(outlet.failures) - FAILURES_SHOWN
        if more > 0:
            yield f"{outlet.outlet}: {more:,} more failures"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
