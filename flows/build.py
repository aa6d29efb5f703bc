"""The build flow: raw articles in, a current warehouse out."""

import importlib.metadata
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import polars as pl
from prefect import Task, flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from flows.clean import CLEANER_VERSION, FAST_CLEANER_VERSION
from flows.clean.duplicates import cluster_duplicates
from flows.clean.shard import clean_shard
from flows.extract import EXTRACTOR_VERSION
from flows.extract.shard import extract_shard
from flows.ingest import Intake, Shard, find_files, ingest
from flows.load.batches import known_signatures, new_signatures, outdated_batches
from flows.load.codeframe import read_codeframe, replace_codeframe
from flows.load.identities import read_speaker_file, replace_speaker_file
from flows.load.merge import Load, load_batches
from flows.load.runs import begin_run, end_run, known_hashes
from flows.load.search import update_search
from flows.load.snapshot import publish
from flows.load.validate import validate_shard
from flows.load.warehouse import open_readonly, open_writable, writer_lock
from flows.progress import Steps, progress
from flows.report import Report, make_report, markdown
from flows.workers import in_worker
from schemas.ids import hashed_id
from schemas.operations import Rejects, Sources
from schemas.records import Reject

STAGES_OF_A_BATCH = ("clean", "extract", "validate")
LIBRARIES = ("stancebank", "prefect", "polars", "pandera", "duckdb")


@dataclass(frozen=True, slots=True)
class Run:
    """A run under way: its name, its warehouse, the folder of its batches and its progress bar."""

    run_id: str
    warehouse: Path
    staging: Path
    steps: Steps


@dataclass(frozen=True, slots=True)
class Batch:
    """Articles that go through the stages together, and the task runs that take them there."""

    articles: int
    shard: Path
    steps: tuple[PrefectFuture[Path], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Folders of validated rows, and what became of batches that were lost on the way."""

    validated: list[Path]
    rejects: list[Reject]
    lost_files: set[str]


@flow(name="build", validate_parameters=False)
def build(  # noqa: PLR0913
    paths: Sequence[str],
    warehouse: Path,
    *,
    limit: int | None = None,
    mapping: Mapping[str, str] | None = None,
    reextract: bool = False,
    fast: bool = False,
    issues: Path | None = None,
    speakers: Path | None = None,
) -> Report:
    """Collect what is new, clean it, extract its statements, validate and load them, and report.

    `paths` are files, folders and globs. At most `limit` new articles are taken. `mapping` renames
    input fields. With `reextract`, loaded articles that another extractor version read are read
    again. With `fast`, pages are cleaned more quickly and less exactly. `issues` and `speakers`
    are files that take the place of the warehouse's codeframe and speaker file.

    Raises:
        CodeframeError: if the codeframe cannot be used.
        SpeakerFileError: if the speaker file cannot be used.
        NothingFoundError: if a path matches nothing.
        WarehouseError: if another process writes to the warehouse.
    """
    parameters = {
        "paths": list(paths),
        "limit": limit,
        "mapping": mapping,
        "reextract": reextract,
        "fast": fast,
        "issues": issues and str(issues),
        "speakers": speakers and str(speakers),
    }
    with running(warehouse, parameters) as run:
        know(run, issues, speakers)
        intake = collect(run, paths, limit, mapping)
        batches = [process(run, shard, fast=fast) for shard in intake.shards]
        if reextract:
            batches += [process_again(batch) for batch in outdated(run)]
        outcome = wait_for(run, batches)
        clusters = find_duplicates(run, outcome.validated)
        counts = load(run, intake, outcome, clusters)
        index(run)
        return report(run, counts)


@contextmanager
def running(warehouse: Path, parameters: dict[str, Any]) -> Iterator[Run]:
    """Hold the warehouse for one run, and write down how it ended, whatever ends it."""
    with writer_lock(warehouse), progress() as steps:
        with open_writable(warehouse) as connection:
            run_id = begin_run(connection, parameters, _versions())
        staging = warehouse.with_name(f".{warehouse.stem}.staging")
        try:
            yield Run(run_id, warehouse, staging, steps)
        except BaseException as error:
            status = "failed" if isinstance(error, Exception) else "interrupted"
            with open_writable(warehouse) as connection:
                end_run(connection, run_id, status, error=f"{type(error).__name__}: {error}")
            raise
        shutil.rmtree(staging, ignore_errors=True)


@task(cache_policy=NO_CACHE)
def know(run: Run, issues: Path | None, speakers: Path | None) -> None:
    """Take over what the user knows: which targets belong to an issue, and who is who."""
    with open_writable(run.warehouse) as connection:
        if issues:
            replace_codeframe(connection, read_codeframe(issues))
        if speakers:
            replace_speaker_file(connection, read_speaker_file(speakers))


@task(cache_policy=NO_CACHE)
def collect(
    run: Run, paths: Sequence[str], limit: int | None, mapping: Mapping[str, str] | None
) -> Intake:
    """Read what is new under `paths` into shards of raw articles."""
    run.steps.begin("Reading files")
    with open_readonly(run.warehouse) as connection:
        known = known_hashes(connection, refused=not mapping)
    return ingest(find_files(paths), known, run.staging, limit=limit, mapping=mapping)


def process(run: Run, shard: Shard, *, fast: bool) -> Batch:
    """Send one shard of raw articles through clean, extract and validate."""
    cleaner = FAST_CLEANER_VERSION if fast else CLEANER_VERSION
    folder = run.staging / hashed_id(shard.path.stem, cleaner, EXTRACTOR_VERSION)
    cleaned = clean.submit(shard.path, folder, fast=fast)
    extracted = then(extract, cleaned)
    return Batch(shard.rows, shard.path, (cleaned, extracted, then(validate, extracted)))


def process_again(folder: Path) -> Batch:
    """Send loaded articles through extract and validate once more."""
    extracted = extract.submit(folder)
    return Batch(0, folder / "articles.parquet", (extracted, then(validate, extracted)))


def then(step: Task[[Path], Path], before: PrefectFuture[Path]) -> PrefectFuture[Path]:
    """Submit a step for the batch that the step before it will hand over."""
    return step.submit(cast(Path, before))


@task(cache_policy=NO_CACHE, retries=1)
def clean(shard: Path, folder: Path, *, fast: bool) -> Path:
    """Clean the raw articles of one shard into a batch folder."""
    return _once("cleaned", folder, partial(clean_shard, fast=fast), shard, folder)


@task(cache_policy=NO_CACHE, retries=1)
def extract(folder: Path) -> Path:
    """Extract the statements of one batch."""
    return _once("extracted", folder, extract_shard, folder)


@task(cache_policy=NO_CACHE, retries=1)
def validate(folder: Path) -> Path:
    """Check one batch; its good rows are in the folder returned."""
    return _once("validated", folder, validate_shard, folder) / "valid"


@task(cache_policy=NO_CACHE)
def outdated(run: Run) -> list[Path]:
    """Batches of loaded articles that another extractor version read."""
    with open_readonly(run.warehouse) as connection:
        return outdated_batches(connection, EXTRACTOR_VERSION, run.staging)


def wait_for(run: Run, batches: Sequence[Batch]) -> Outcome:
    """Wait until every batch has gone through its steps or was lost on the way."""
    run.steps.begin("Cleaning and extracting", sum(batch.articles for batch in batches))
    for batch in batches:
        batch.steps[-1].wait()
        run.steps.advance(batch.articles)
    done = [batch for batch in batches if batch.steps[-1].state.is_completed()]
    lost = [batch for batch in batches if not batch.steps[-1].state.is_completed()]
    return Outcome(
        validated=[batch.steps[-1].result() for batch in done],
        rejects=[_as_reject(batch) for batch in lost],
        lost_files={file for batch in lost for file in _files_of(batch)},
    )


@task(cache_policy=NO_CACHE)
def find_duplicates(run: Run, batches: Sequence[Path]) -> pl.DataFrame:
    """Clusters of articles that are copies, among the new ones and against the loaded ones."""
    run.steps.begin("Finding duplicates")
    new = new_signatures(batches)
    with open_readonly(run.warehouse) as connection:
        known = known_signatures(connection, new)
    return cluster_duplicates(new, known)


@task(cache_policy=NO_CACHE)
def load(run: Run, intake: Intake, outcome: Outcome, clusters: pl.DataFrame) -> dict[str, int]:
    """Load the batches in one transaction that also marks the run complete; rows by outcome."""
    run.steps.begin("Loading")
    rejects = Rejects.from_records([*intake.rejects, *outcome.rejects])
    sources = _sources(intake, outcome.lost_files)
    order = Load(run.run_id, outcome.validated, sources, rejects, clusters)
    with open_writable(run.warehouse) as connection:
        counts = load_batches(connection, order)
        publish(connection, run.warehouse, run.run_id)
    return counts | {"files_unchanged": intake.skipped}


@task(cache_policy=NO_CACHE)
def index(run: Run) -> None:
    """Index the statements of the years that the load has touched, for full-text search."""
    run.steps.begin("Indexing")
    with open_readonly(run.warehouse) as connection:
        update_search(connection, run.warehouse)


@task(cache_policy=NO_CACHE)
def report(run: Run, counts: dict[str, int]) -> Report:
    """What the run did, also as an artifact in Prefect's UI."""
    with open_readonly(run.warehouse) as connection:
        made = make_report(connection, run.run_id, run.warehouse.as_posix(), counts)
    create_markdown_artifact(markdown(made), key="build-report", description="Build report")
    return made


def _once(step: str, folder: Path, function: Callable[..., None], *arguments: Path) -> Path:
    """Do a step of a batch in a worker, unless an interrupted run has done it already."""
    mark = folder / f".{step}"
    if not mark.exists():
        in_worker(function, *arguments)
        mark.touch()
    return folder


def _as_reject(batch: Batch) -> Reject:
    stages = STAGES_OF_A_BATCH[-len(batch.steps) :]
    stage, failed = next(
        (stage, step)
        for stage, step in zip(stages, batch.steps, strict=True)
        if not step.state.is_completed()
    )
    why = " ".join((failed.state.message or "no reason given").split())
    reason = (
        f"{batch.articles} articles were lost ({why}). "
        "Their files are not marked as seen; run again to try them once more."
    )
    return Reject(stage, ", ".join(_files_of(batch)), None, reason)


def _files_of(batch: Batch) -> list[str]:
    files = pl.read_parquet(batch.shard, columns=["raw_file"])["raw_file"]
    return files.unique().sort().to_list()


def _sources(intake: Intake, lost_files: set[str]) -> pl.DataFrame:
    """Rows for `sources`; `replaces` tells files whose earlier articles this run replaces.

    Files with articles in a lost batch are left out, so that the next run reads them again.
    """
    archives = {source.raw_file for source in intake.sources if source.raw_member}
    archives |= {source.raw_file for source in intake.unchanged if source.raw_member}
    rows = [
        asdict(source) | {"replaces": bool(source.raw_member) or source.raw_file not in archives}
        for source in intake.sources
        if source.raw_file not in lost_files
    ]
    dtypes = {name: t for name, t in Sources.dtypes().items() if name != "run_id"}
    return pl.DataFrame(rows, schema=dtypes | {"replaces": pl.Boolean()})


def _versions() -> dict[str, str]:
    libraries = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return libraries | {"cleaner": CLEANER_VERSION, "extractor": EXTRACTOR_VERSION}
