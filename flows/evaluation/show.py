"""An evaluation for a terminal, or as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from rich.console import Console
from rich.table import Table as Grid

from flows.evaluation.attribution import CLASSES
from flows.evaluation.report import Evaluation, Figure

STATEMENT_FIGURES = (
    "speaker",
    "speaker exact",
    "target F1",
    "stance F1",
    "triple P",
    "triple R",
    "triple F1",
    "sign",
    "intensity",
)


def show_evaluation(found: Evaluation, console: Console) -> None:
    """Print attribution by class, speakers and stances, errors and calibration."""
    console.print(f"{found.articles} articles; in percent, with 95 % intervals over articles")
    console.print(_attribution_grid(found.figures))
    console.print(_figure_grid(found.figures))
    console.print(_error_grid(found))


def to_json(found: Evaluation) -> str:
    """The whole evaluation as one JSON object."""
    return json.dumps(asdict(found), indent=1)


def _attribution_grid(figures: dict[str, Figure]) -> Grid:
    grid = Grid(title="Attribution", title_justify="left", title_style="bold", box=None)
    for heading in ("", "strict F1", "overlap F1", "source right", "end to end F1"):
        grid.add_column(heading, justify="right" if heading else "left")
    for kind in CLASSES:
        names = (
            f"{kind} strict F1",
            f"{kind} overlap F1",
            f"{kind} source right",
            f"{kind} end to end F1",
        )
        grid.add_row(kind, *(_with_interval(figures[name]) for name in names))
    grid.add_row("content tokens F1", _with_interval(figures["content tokens F1"]))
    return grid


def _figure_grid(figures: dict[str, Figure]) -> Grid:
    grid = Grid(title="Speakers and stances", title_justify="left", title_style="bold", box=None)
    grid.add_column("")
    grid.add_column("", justify="right")
    for name in STATEMENT_FIGURES:
        grid.add_row(name, _with_interval(figures[name]))
    return grid


def _error_grid(found: Evaluation) -> Grid:
    grid = Grid(title="Where rows go wrong", title_justify="left", title_style="bold", box=None)
    grid.add_column("")
    grid.add_column("rows", justify="right")
    for label, value in _errors(found):
        grid.add_row(label, value)
    return grid


def _errors(found: Evaluation) -> Iterator[tuple[str, str]]:
    for label, number in found.errors.items():
        yield label, f"{number:,}"
    for label, share in found.calibration.items():
        yield label, f"{share:,.3f}".removesuffix(".000")


def _with_interval(figure: Figure) -> str:
    return f"{figure.value:.1f} ({figure.low:.1f}–{figure.high:.1f})"
