"""What was run, on which inputs, and what did not pass."""

from collections.abc import Iterable
from dataclasses import asdict, replace

import polars as pl

from schemas.fields import Timestamp, choice, digest, field, key, reference
from schemas.ids import reject_id
from schemas.records import Reject
from schemas.table import Table

RUN_STATUSES = ("running", "complete", "interrupted", "failed")
SOURCE_STATUSES = ("loaded", "rejected")
BURIED = ("url", "outlet", "speaker", "record", "text")
PAYLOAD_CHARACTERS = 500
STAGES = ("ingest", "clean", "extract", "validate", "load")


class Runs(Table):
    """One row per run of the build flow. Rows of a run count once its status is `complete`."""

    run_id: str = key("Name of the run, sortable by start time.")
    status: str = choice(RUN_STATUSES, "How the run stands or ended.")
    started_at: Timestamp = field("When the run began (UTC).")
    finished_at: Timestamp = field("When it ended (UTC).", nullable=True)
    parameters: str = field("Paths and options as JSON.")
    versions: str = field("Versions of the project, its stages and its libraries as JSON.")
    counts: str = field("Rows by table and outcome as JSON; null until the end.", nullable=True)
    error: str = field("What stopped the run, and what to do.", nullable=True)


class Sources(Table):
    """One row per file or archive member that a run has read; unchanged ones are not read again."""

    raw_file: str = key("Path of the file, relative to the working directory where it lies below.")
    raw_member: str = key("Path inside the archive; empty for the file itself.")
    raw_sha256: str = digest("SHA-256 of its bytes.")
    raw_bytes: pl.Int64 = field("Size in bytes.", ge=0)
    status: str = choice(SOURCE_STATUSES, "`rejected` where nothing in it could be read.")
    records: pl.Int32 = field("Articles found in it, good or bad.", ge=0)
    run_id: str = reference("runs", "Run that read it.")


class Tombstones(Table):
    """One row per thing that a takedown removed for good and that must not come back."""

    kind: str = key("What it was.", isin=list(BURIED))
    sha256: str = key(
        "SHA-256 of the address, of the outlet's or speaker's name in lower case, of the raw "
        "record or of the text.",
        str_matches=r"^[0-9a-f]{64}$",
    )
    forgotten_at: Timestamp = field("When it was removed (UTC).")


class Rejects(Table):
    """One row per input or row that did not pass: nothing vanishes without a reason."""

    reject_id: str = key("Hash of stage, place, reason and payload.")
    stage: str = choice(STAGES, "Stage that refused it.")
    raw_file: str = field("File that it came from.", nullable=True)
    raw_member: str = field("Archive member, line or record inside the file.", nullable=True)
    reason: str = field("Why, and what to do about it.", str_length={"min_value": 1})
    payload: str = field("The start of what was refused, as text.", nullable=True)
    run_id: str = reference("runs", "Run that met it.")

    @classmethod
    def from_records(cls, rejects: Iterable[Reject]) -> pl.DataFrame:
        """A frame of `rejects` without copies; `run_id` is left for the loader.

        Of each payload the first 500 characters are kept, as text that any database can hold.
        """
        cut = [replace(reject, payload=_start(reject.payload)) for reject in rejects]
        rows = [{"reject_id": reject_id(reject), **asdict(reject)} for reject in cut]
        return cls.frame(rows).drop("run_id").unique(subset="reject_id", maintain_order=True)


def _start(payload: str | None) -> str | None:
    return payload and payload[:PAYLOAD_CHARACTERS].replace("\0", "\ufffd")
