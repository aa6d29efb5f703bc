"""The pages of a release for people: datasheet, dataset card and citation."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib import resources
from string import Template

from flows.export.facts import Facts
from flows.export.selection import Selection
from flows.export.tables import WrittenTable
from schemas.ddl import SCHEMA_VERSION
from schemas.records import ReleaseFormat

NO_TEXTS = (
    "Article texts, removed lines and the words of refused inputs are left out, since they belong "
    "to their publishers; of each statement a short context stands on either side."
)
WITH_TEXTS = "Article texts, removed lines and the words of refused inputs are included."
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def datasheet(
    tables: Sequence[WrittenTable], facts: Facts, selection: Selection, *, with_text: bool
) -> str:
    """The datasheet, with figures from the data and marks where a person has to fill in."""
    return _filled(
        "datasheet.md",
        version=facts.version,
        schema=SCHEMA_VERSION,
        tables=_rows((f"`{table.name}`", table.rows) for table in tables),
        first=_day(facts.first_date),
        last=_day(facts.last_date),
        undated=f"{facts.undated:,}",
        languages=_list(facts.languages),
        outlets=_list(facts.outlets),
        kinds=_list(facts.kinds),
        stances=_list(facts.stances),
        statuses=_list(facts.statuses),
        selection=_selection(selection),
        texts=WITH_TEXTS if with_text else NO_TEXTS,
        confidence=_rows(facts.confidence),
        programs=", ".join(f"{name} {version}" for name, version in facts.versions.items()),
        removed=_rows((f"{rows:,}", reason) for reason, rows in facts.removed),
        rejects=_rows((f"{rows:,}", reason) for reason, rows in facts.rejects),
        left_out=_left_out(facts, selection),
    )


def card(tables: Sequence[WrittenTable], facts: Facts, release_format: ReleaseFormat) -> str:
    """The dataset card, whose head tells the Hugging Face Hub how to load each table."""
    rows = {table.name: table.rows for table in tables}
    return _filled(
        "card.md",
        size=next((name for size, name in _SIZES if rows["statements"] < size), "1M<n<10M"),
        configs="\n".join(_configs(tables, release_format)),
        version=facts.version,
        schema=SCHEMA_VERSION,
        statements=f"{rows['statements']:,}",
        articles=f"{rows['articles']:,}",
        first=_day(facts.first_date),
        last=_day(facts.last_date),
        tables=_rows((f"`{t.name}`", t.rows, t.table.table_description()) for t in tables),
    )


def citation(facts: Facts) -> str:
    """`CITATION.cff`, version 1.2.0; the authors are for a person to fill in."""
    return f"""cff-version: 1.2.0
type: dataset
message: "If you use this dataset, please cite it as below."
title: "Statements and stances in news articles"
version: "{facts.version}"
date-released: "{facts.changed_at:%Y-%m-%d}"
authors:
  - name: "FILL IN: who publishes this release"
"""


def _configs(tables: Sequence[WrittenTable], release_format: ReleaseFormat) -> Iterable[str]:
    """A configuration for each table that has rows; the loader has no use for empty ones."""
    for table in tables:
        if not table.rows:
            continue
        yield f"- config_name: {table.name}"
        if table.name == "speaker_statement_stance":
            yield "  default: true"
        yield "  data_files:"
        yield "  - split: train"
        yield f'    path: "{table.name}/**/*.{release_format}"'


def _filled(template: str, **words: str) -> str:
    text = resources.files("flows.export.resources").joinpath(template).read_text(encoding="utf-8")
    return Template(text).substitute(words)


def _rows(rows: Iterable[tuple[object, ...]]) -> str:
    return "\n".join("| " + " | ".join(map(_cell, row)) + " |" for row in rows)


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def _list(counts: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts) or "none"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "(none)"


def _selection(selection: Selection) -> str:
    parts = []
    if selection.since:
        parts.append(f"published on or after {selection.since}")
    if selection.outlets:
        parts.append("outlets " + ", ".join(selection.outlets))
    if selection.where:
        parts.append(f"statements with a row for which `{selection.where}`")
    return ("only articles " + "; ".join(parts) if parts else "everything in the warehouse") + "."


def _left_out(facts: Facts, selection: Selection) -> str:
    takedown = selection.takedown
    asked = len(takedown.urls) + len(takedown.outlets) + len(takedown.speakers)
    if not asked:
        return "nothing."
    return (
        f"{_list(facts.left_out)}, by a list of {len(takedown.outlets)} outlets, "
        f"{len(takedown.speakers)} speakers and {len(takedown.urls)} forms of addresses. It is not "
        "printed here, since it names what is to be left out. Texts and contexts of articles that "
        "hold statements of such a speaker are left out too."
    )
