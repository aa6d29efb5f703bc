"""What a run did and what the warehouse now holds, for people to read."""

from dataclasses import dataclass, field
from typing import Any

import duckdb
from rich.console import Console, Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

TOP_SPEAKERS = 8
TARGETS_SHOWN = 3
REJECTS_SHOWN = 20
WRITTEN = ("articles", "rejects", "sources")
EXAMPLE_SQL = (
    "SELECT speaker, stance, target_name, outlet FROM speaker_statement_stance "
    "WHERE target_name IS NOT NULL ORDER BY confidence DESC LIMIT 10"
)


@dataclass(frozen=True, slots=True)
class SpeakerLine:
    """A speaker, the number of their statements, and what they are for and against."""

    name: str
    statements: int
    favors: list[str]
    opposes: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """One run: its counts, its first rejects, and totals of the warehouse after it."""

    run_id: str
    warehouse: str
    seconds: float
    counts: dict[str, int]
    totals: dict[str, int]
    kinds: dict[str, int]
    speakers: list[SpeakerLine]
    rejects: list[tuple[str, str]]
    unread_languages: dict[str, int] = field(default_factory=dict)

    @property
    def nothing_done(self) -> bool:
        """Whether there were inputs and every one of them was refused."""
        used = ("articles", "articles_unchanged", "articles_older_versions", "files_unchanged")
        return self.counts["rejects"] > 0 and not any(self.counts.get(name, 0) for name in used)


def make_report(
    connection: duckdb.DuckDBPyConnection, run_id: str, warehouse: str, counts: dict[str, int]
) -> Report:
    """Read the report of a completed run from the warehouse."""
    seconds = _rows(
        connection,
        "SELECT epoch(finished_at) - epoch(started_at) FROM runs WHERE run_id = ?",
        run_id,
    )[0][0]
    return Report(
        run_id=run_id,
        warehouse=warehouse,
        seconds=seconds,
        counts=counts,
        totals=_totals(connection),
        kinds=dict(
            _rows(connection, "SELECT kind, count(*) FROM statements GROUP BY 1 ORDER BY 1")
        ),
        speakers=_speakers(connection),
        rejects=_rejects(connection, run_id),
        unread_languages=dict(
            _rows(
                connection,
                "SELECT language, count(*) FROM articles "
                "WHERE extraction_status = 'unsupported_language' GROUP BY 1 ORDER BY 2 DESC",
            )
        ),
    )


def _totals(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    query = """
        SELECT 'articles', count(*) FROM articles
        UNION ALL SELECT 'in duplicate clusters', count(duplicate_cluster_id) FROM articles
        UNION ALL SELECT 'statements', count(*) FROM statements
        UNION ALL SELECT 'stances', count(*) FROM stances
        UNION ALL SELECT 'speakers', count(*) FROM speakers
        UNION ALL SELECT 'removed lines', count(*) FROM removed_lines
        UNION ALL SELECT 'rejects', count(*) FROM rejects
    """
    return dict(_rows(connection, query))


def _speakers(connection: duckdb.DuckDBPyConnection) -> list[SpeakerLine]:
    query = f"""
        WITH sides AS (
            SELECT speaker_id, stance, target_name, count(*) AS times
            FROM statement_speakers JOIN stances USING (statement_id) GROUP BY ALL
        ),
        listed AS (
            SELECT speaker_id,
                list(target_name ORDER BY times DESC, target_name)
                    FILTER (stance = 'favor')[:{TARGETS_SHOWN}] AS favors,
                list(target_name ORDER BY times DESC, target_name)
                    FILTER (stance = 'against')[:{TARGETS_SHOWN}] AS opposes
            FROM sides GROUP BY 1
        )
        SELECT name, count(*) AS statements, any_value(favors), any_value(opposes)
        FROM speakers JOIN statement_speakers USING (speaker_id) LEFT JOIN listed USING (speaker_id)
        WHERE speaker_type <> 'unnamed'
        GROUP BY speaker_id, name ORDER BY statements DESC, name LIMIT {TOP_SPEAKERS}
    """
    return [
        SpeakerLine(name, number, favors or [], opposes or [])
        for name, number, favors, opposes in _rows(connection, query)
    ]


def _rejects(connection: duckdb.DuckDBPyConnection, run_id: str) -> list[tuple[str, str]]:
    query = f"""
        SELECT concat_ws(' › ', raw_file, raw_member), reason FROM rejects
        WHERE run_id = ? ORDER BY ALL LIMIT {REJECTS_SHOWN}
    """
    return [(place, reason) for place, reason in _rows(connection, query, run_id)]


def _rows(connection: duckdb.DuckDBPyConnection, query: str, *values: Any) -> list[Any]:
    return connection.execute(query, list(values)).fetchall()


def summary_lines(report: Report) -> list[tuple[str, str]]:
    """What the run did, as label and sentence."""
    counts, totals = report.counts, report.totals
    kinds = ", ".join(f"{number} {kind}" for kind, number in report.kinds.items())
    return [
        ("This run", _this_run(counts, report.seconds)),
        ("Articles", f"{totals['articles']:,}{_languages(report)}"),
        ("Duplicates", f"{totals['in duplicate clusters']:,} articles are copies of one another"),
        ("Cleaning", f"{totals['removed lines']:,} lines taken out, each kept with its reason"),
        ("Statements", f"{totals['statements']:,} ({kinds or 'none'})"),
        ("Stances", f"{totals['stances']:,} by {totals['speakers']:,} speakers"),
        ("Rejects", f"{totals['rejects']:,} in all, {counts['rejects']:,} new"),
    ]


def _this_run(counts: dict[str, int], seconds: float) -> str:
    if not any(counts.get(name, 0) for name in WRITTEN):
        skipped = counts.get("files_unchanged", 0)
        return f"nothing new: {skipped:,} unchanged files skipped, no row added"
    parts = [
        f"{counts.get('articles', 0):,} articles",
        f"{counts.get('statements', 0):,} statements",
    ]
    for name, words in (
        ("files_unchanged", "unchanged files skipped"),
        ("articles_unchanged", "articles as before"),
        ("articles_older_versions", "older versions put to the history"),
    ):
        if counts.get(name):
            parts.append(f"{counts[name]:,} {words}")
    return ", ".join(parts) + f" in {seconds:.0f} s"


def _languages(report: Report) -> str:
    if not report.unread_languages:
        return ""
    listed = ", ".join(f"{number} {code}" for code, number in report.unread_languages.items())
    return f" (no statements from {listed}: only English is read)"


def render(report: Report) -> RenderableType:
    """The report for a terminal."""
    parts: list[RenderableType] = [Text("Stancebank", style="bold"), _facts(report)]
    if report.speakers:
        parts += [Text(), _speaker_grid(report)]
    if report.rejects:
        parts += [Text(), _reject_grid(report)]
    return Group(*parts, Text())


def _facts(report: Report) -> Grid:
    grid = Grid(box=None, show_header=False, padding=(0, 2, 0, 0))
    grid.add_column(style="cyan", no_wrap=True)
    for label, sentence in summary_lines(report):
        grid.add_row(label, sentence)
    return grid


def _speaker_grid(report: Report) -> Grid:
    grid = Grid(title="Most quoted", title_justify="left", title_style="bold", box=None)
    for heading in ("Speaker", "Statements", "For", "Against"):
        grid.add_column(heading, justify="right" if heading == "Statements" else "left")
    for line in report.speakers:
        favors, opposes = "; ".join(line.favors), "; ".join(line.opposes)
        grid.add_row(Text(line.name), str(line.statements), Text(favors), Text(opposes))
    return grid


def _reject_grid(report: Report) -> Grid:
    grid = Grid(title="Not loaded", title_justify="left", title_style="bold", box=None)
    grid.add_column("Input", overflow="fold")
    grid.add_column("Why", overflow="fold")
    for place, reason in report.rejects:
        grid.add_row(Text(place), Text(reason))
    more = report.counts["rejects"] - len(report.rejects)
    if more > 0:
        grid.add_row(f"… and {more:,} more", "stancebank sql 'FROM rejects'")
    return grid


def _next_steps(report: Report) -> list[Text]:
    option = (
        ""
        if report.warehouse == "warehouse/stancebank.duckdb"
        else (f" --warehouse {report.warehouse}")
    )
    return [
        Text(f"The warehouse is {report.warehouse}. Next:"),
        Text(f'stancebank sql{option} "{EXAMPLE_SQL}"', style="green"),
        Text(f"stancebank export{option} release", style="green"),
    ]


def markdown(report: Report) -> str:
    """The report as a Prefect artifact."""
    lines = [f"# Run {report.run_id}\n"]
    lines += [f"- **{label}**: {sentence}" for label, sentence in summary_lines(report)]
    if report.speakers:
        lines += ["\n| Speaker | Statements | For | Against |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(line.name)} | {line.statements} "
            f"| {_cell('; '.join(line.favors))} | {_cell('; '.join(line.opposes))} |"
            for line in report.speakers
        ]
    if report.rejects:
        lines += ["\n| Not loaded | Why |", "|---|---|"]
        lines += [f"| {_cell(place)} | {_cell(reason)} |" for place, reason in report.rejects]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def show(report: Report, console: Console) -> None:
    """Print the report, and what to do next in lines that can be copied."""
    console.print(render(report))
    for line in _next_steps(report):
        console.print(line, soft_wrap=True)
