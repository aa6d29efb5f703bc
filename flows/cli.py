"""The command line. Heavy modules are imported by the commands that need them."""

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.prefect_api import ServerMode
from schemas.errors import StancebankError
from schemas.records import ReleaseFormat

WAREHOUSE = Path("warehouse/stancebank.duckdb")
RAW = "raw"
INTERRUPTED = 130

app = typer.Typer(
    help="Turn raw news articles into a dataset of political statements: "
    "who said what, about what, and whether for or against it.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
server_app = typer.Typer(help="The Prefect server that runs share.", no_args_is_help=True)
app.add_typer(server_app, name="server")

WarehouseOption = Annotated[
    Path, typer.Option("--warehouse", help="The DuckDB file.", metavar="FILE")
]
FastOption = Annotated[
    bool, typer.Option("--fast", help="Clean pages more quickly and less exactly.")
]
InputOption = Annotated[
    typer.FileText, typer.Option("--input", "-i", help="JSON Lines; `-` is standard input.")
]
OutputOption = Annotated[
    typer.FileTextWrite, typer.Option("--output", "-o", help="JSON Lines; `-` is standard output.")
]


class TableFormat(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def main() -> None:
    """Run the command line; expected problems end it with one line and exit status 1."""
    try:
        app()
    except StancebankError as error:
        Console(stderr=True).print(f"stancebank: {error}", style="red", soft_wrap=True)
        sys.exit(1)


@app.command()
def run(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]…", help="Files, folders or globs; without any: raw/."),
    ] = None,
    warehouse: WarehouseOption = WAREHOUSE,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default one a core.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take at most N new articles.")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=NAME", help="What the input calls a field."),
    ] = None,
    reextract: Annotated[
        bool, typer.Option("--reextract", help="Also read again what an older extractor read.")
    ] = False,
    fast: FastOption = False,
    issues: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Codeframe: CSV with issue, pattern, polarity."),
    ] = None,
    speakers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Speaker file: CSV with name, alias, wikidata_id, attribute, value, valid_from, "
            "valid_to, source.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be read; write nothing.")
    ] = False,
    server: Annotated[
        ServerMode,
        typer.Option(help="`none` leaves no Prefect server behind, for cron and CI."),
    ] = ServerMode.auto,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show Prefect's log.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no summary.")] = False,
) -> None:
    """Build or update the warehouse from raw articles.

    Reads text, HTML, JSON Lines, CSV, Parquet, WARC and WET files, also .gz, zip and tar archives
    of them. What was read before and has not changed is skipped.

    Examples:

    * `stancebank run`
    * `stancebank run archive/2018 'more/*.jsonl.gz' --map text=body`
    * `stancebank run news.warc.gz --limit 100 --warehouse try.duckdb`
    """
    from flows.launch import BuildOrder, launch_build, rehearsal_lines, rehearse  # noqa: PLC0415
    from flows.report import show  # noqa: PLC0415

    order = BuildOrder(
        paths=paths or [RAW],
        warehouse=warehouse,
        workers=workers,
        limit=limit,
        mapping=_pairs(mapping or []),
        reextract=reextract,
        fast=fast,
        issues=issues,
        speakers=speakers,
    )
    if dry_run:
        typer.echo("\n".join(rehearsal_lines(rehearse(order))))
        return
    try:
        report = launch_build(order, server, log_level="INFO" if verbose else "CRITICAL")
    except KeyboardInterrupt:
        typer.echo("Interrupted. Finished batches are kept; run again to go on.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if not quiet:
        show(report, Console())
    raise typer.Exit(int(report.nothing_done))


@app.command()
def collect(
    feeds: Annotated[
        Path | None,
        typer.Argument(metavar="FEEDS.toml", help="The outlets and where they list articles."),
    ] = None,
    warehouse: WarehouseOption = WAREHOUSE,
    no_build: Annotated[
        bool, typer.Option("--no-build", help="Only fetch; `stancebank run` reads it later.")
    ] = False,
    last: Annotated[
        bool, typer.Option("--last", help="Show what the last collection did and what failed.")
    ] = False,
    server: Annotated[
        ServerMode,
        typer.Option(help="`none` leaves no Prefect server behind, for cron and CI."),
    ] = ServerMode.auto,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show Prefect's log.")] = False,
) -> None:
    """Fetch new articles of outlets into raw/collected, then build.

    Reads feeds, sitemaps and lists of URLs, obeys robots.txt, and never fetches a page twice.

    Examples:

    * `stancebank collect feeds.toml`
    * `stancebank collect --last`
    """
    from flows.fetch.show import show_collected  # noqa: PLC0415
    from flows.launch import BuildOrder, launch_build  # noqa: PLC0415
    from flows.launch_collect import last_collected, launch_collect  # noqa: PLC0415
    from flows.report import show  # noqa: PLC0415

    console = Console()
    if last or not feeds:
        show_collected(last_collected(Path(RAW)), console)
        return
    log_level = "INFO" if verbose else "CRITICAL"
    try:
        collected = launch_collect(feeds, Path(RAW), server, log_level=log_level)
        show_collected(collected, console)
        if not no_build and collected.has_pages:
            order = BuildOrder([str(collected.folder)], warehouse)
            show(launch_build(order, server, log_level=log_level), console)
    except KeyboardInterrupt:
        typer.echo("Interrupted. Pages fetched are kept; run again to go on.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(int(collected.failed_wholly))


@app.command()
def schedule(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]…", help="Files, folders or globs; without any: raw/."),
    ] = None,
    cron: Annotated[
        str | None, typer.Option(help="When, in five fields and local time.", metavar="'0 5 * * *'")
    ] = None,
    every: Annotated[
        str | None, typer.Option(help="How often: 30m, 6h, 1d.", metavar="INTERVAL")
    ] = None,
    feeds: Annotated[
        Path | None, typer.Option(metavar="FEEDS.toml", help="Collect from these outlets first.")
    ] = None,
    releases: Annotated[
        Path | None,
        typer.Option("--export", metavar="DIR", help="Folder for a release after each run."),
    ] = None,
    warehouse: WarehouseOption = WAREHOUSE,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default one a core.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show Prefect's log.")] = False,
) -> None:
    """Collect, build and export on a schedule, until Ctrl-C.

    Runs never overlap. One is begun at once if the last complete one is older than an interval.

    Examples:

    * `stancebank schedule --cron "0 5 * * *" --feeds feeds.toml`
    * `stancebank schedule --every 6h --export releases`
    """
    from flows.schedule import ScheduleOrder, serve_schedule  # noqa: PLC0415

    order = ScheduleOrder(paths or [RAW], warehouse, feeds, releases, workers, cron, every)
    try:
        serve_schedule(order, log_level="INFO" if verbose else "ERROR")
    except KeyboardInterrupt:
        typer.echo("The schedule has ended; nothing runs until it is started again.", err=True)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One DuckDB query, or `-` to read it from input.")],
    warehouse: WarehouseOption = WAREHOUSE,
    output_format: Annotated[
        TableFormat, typer.Option("--format", "-f", help="How to print the rows.")
    ] = TableFormat.table,
) -> None:
    """Ask the warehouse. It is opened read-only.

    Examples:

    * `stancebank sql "FROM speaker_statement_stance LIMIT 5"`
    * `stancebank sql "FROM statements" --format parquet > statements.parquet`
    """
    from flows.query import print_rows  # noqa: PLC0415

    print_rows(warehouse, sys.stdin.read() if query == "-" else query, output_format)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; must not exist.")],
    warehouse: WarehouseOption = WAREHOUSE,
    output_format: Annotated[
        ReleaseFormat, typer.Option("--format", "-f", help="What tables are written as.")
    ] = ReleaseFormat.parquet,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only articles published then or later."),
    ] = None,
    outlet: Annotated[
        list[str] | None, typer.Option(help="Only articles of this outlet; may be repeated.")
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="SQL",
            help="Only statements for which this holds, on columns of speaker_statement_stance.",
        ),
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Leave out what its lines `url: …`, `outlet: …`, `speaker: …` name.",
        ),
    ] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Include full article texts, if you may.")
    ] = False,
) -> None:
    """Write the warehouse, or a part of it, as a release: tables, descriptions, checksums.

    Examples:

    * `stancebank export releases/2026-11`
    * `stancebank export treaty --where "target_name ILIKE '%treaty%'" --since 2026-01-01 -f csv`
    """
    from flows.export import ReleaseOrder, Selection, write_release  # noqa: PLC0415
    from flows.load.warehouse import open_readonly  # noqa: PLC0415
    from flows.takedown import read_takedown  # noqa: PLC0415
    from schemas.records import Takedown  # noqa: PLC0415

    selection = Selection(
        since=since.date() if since else None,
        outlets=tuple(outlet or ()),
        where=where,
        takedown=read_takedown(exclude) if exclude else Takedown(),
    )
    order = ReleaseOrder(selection, output_format, with_text)
    with open_readonly(warehouse) as connection:
        rows = write_release(connection, folder, order)
    for table, number in rows.items():
        typer.echo(f"{number:>10,}  {table}")
    typer.echo(f"Release written to {folder}, and read back.")


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Folder of a release.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Folder of a later one.")],
) -> None:
    """Tell what changed between two releases: rows added, removed and changed, by reason.

    Example: `stancebank diff releases/2026-10 releases/2026-11`
    """
    from flows.export import compare_releases  # noqa: PLC0415

    found = compare_releases(old, new)
    typer.echo(f"Data {found.old[0]} to {found.new[0]}, schema {found.old[1]} to {found.new[1]}.")
    for change in found.changes:
        what = f"{change.table} {change.outcome}"
        typer.echo(f"{change.rows:>10,}  {what}{change.reason and ': ' + change.reason}")
    if not found.changes:
        typer.echo("No row differs.")


@app.command()
def forget(
    listed: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Lines `url: …`, `outlet: …`, `speaker: …` that name what must go."
        ),
    ],
    warehouse: WarehouseOption = WAREHOUSE,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove articles and statements for good, and keep them from coming back.

    They go from every table, history, reject and index; digests without words remain.

    Example: `stancebank forget takedown.txt`
    """
    from flows.forget import forget_file  # noqa: PLC0415

    if not yes:
        typer.confirm(f"Remove what {listed} names from {warehouse} for good?", abort=True)
    counts = forget_file(warehouse, listed)
    for table, number in counts.items():
        typer.echo(f"{number:>10,}  {table}")
    typer.echo("Forgotten. Releases made before and files in raw/ are yours to remove.")


@app.command()
def status(
    warehouse: WarehouseOption = WAREHOUSE,
    runs: Annotated[int, typer.Option(min=1, help="How many runs to show.")] = 10,
) -> None:
    """Show runs, what the warehouse holds, what failed and why, and the Prefect server."""
    from flows.status import show_status  # noqa: PLC0415

    show_status(warehouse, runs, Console())


@app.command()
def clean(
    source: InputOption = "-",  # type: ignore[assignment]
    target: OutputOption = "-",  # type: ignore[assignment]
    fast: FastOption = False,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Show the articles of a file with what was taken out and why."
        ),
    ] = None,
) -> None:
    """Turn pages into clean texts, without a warehouse.

    A line `{"id", "html" or "text", "url"?}` becomes `{"id", "text", "title", "authors",
    "published_at", "outlet", "language", "removed"}`; a bad line becomes `{"id", "error"}`.

    Examples:

    * `stancebank clean --input pages.jsonl --output texts.jsonl`
    * `stancebank clean --explain page.html`
    """
    from flows.clean.filter import clean_lines  # noqa: PLC0415
    from flows.explain import explain_file  # noqa: PLC0415

    if explain:
        for page in explain_file(explain):
            typer.echo(page)
        return
    target.writelines(f"{line}\n" for line in clean_lines(source, fast=fast))


@app.command()
def extract(
    source: InputOption = "-",  # type: ignore[assignment]
    target: OutputOption = "-",  # type: ignore[assignment]
) -> None:
    """Turn clean texts into attributions with speakers and stances, without a warehouse.

    A line `{"id", "text", "title"?}` becomes `{"id", "attributions": […]}`; a bad line becomes
    `{"id", "error"}`. Offsets are characters of `text`, or of `title` where `part` says so.

    Example: `stancebank extract --input texts.jsonl --output statements.jsonl`
    """
    from flows.extract.filter import extract_lines  # noqa: PLC0415

    target.writelines(f"{line}\n" for line in extract_lines(source))


@app.command()
def evaluate(
    gold: Annotated[Path, typer.Argument(metavar="GOLD.jsonl", help="Annotated articles.")],
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What `stancebank extract` found; else it is run."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
) -> None:
    """Compare extraction with annotated articles: attribution, speakers, stances, calibration.

    Example: `stancebank evaluate gold.jsonl`
    """
    from flows.evaluate import evaluate_file  # noqa: PLC0415
    from flows.evaluation.show import show_evaluation, to_json  # noqa: PLC0415

    found = evaluate_file(gold, predictions)
    if as_json:
        typer.echo(to_json(found))
    else:
        show_evaluation(found, Console())


@app.command()
def schema() -> None:
    """Print the data dictionary: every table and column in words, as Markdown."""
    from schemas.dictionary import dictionary_markdown  # noqa: PLC0415

    typer.echo(dictionary_markdown())


@server_app.command("start")
def server_start() -> None:
    """Start the Prefect server, unless it runs already."""
    from flows.server import ensure_server  # noqa: PLC0415

    typer.echo(f"Prefect's server runs at {ensure_server().url}.")


@server_app.command("stop")
def server_stop() -> None:
    """Stop the Prefect server. It also stops by itself after an hour without work."""
    from flows.server import stop_server  # noqa: PLC0415

    stopped = stop_server()
    typer.echo(f"Stopped the server at {stopped.url}." if stopped else "No server was running.")


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for field, equals, name in pairs:
        if not (field and equals and name):
            raise typer.BadParameter(f"--map takes FIELD=NAME, not {field + equals + name!r}")
    return {field: name for field, _, name in pairs}
