"""The DuckDB file: opened, made or refused, and held by one writer at a time."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import filelock

from flows.load.migrate import bring_forward, check_version, schema_version
from schemas.ddl import quote
from schemas.errors import StancebankError

BUSY_SECONDS = 10.0
CATALOG = "stancebank"
"""What the warehouse is called where it is attached to read."""


class WarehouseError(StancebankError):
    """The warehouse cannot be used; the message says why and what to do."""


@contextlib.contextmanager
def writer_lock(warehouse: Path) -> Iterator[None]:
    """Hold the right to write to `warehouse`; freed by the system if the process dies.

    Raises:
        WarehouseError: naming the process that holds it.
    """
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(warehouse.with_name(warehouse.name + ".lock"))
    holder = warehouse.with_name(warehouse.name + ".writer")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise WarehouseError(
            f"{warehouse} is being written by {_holder(holder)}. Wait for it, or end it."
        ) from None
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "command": " ".join(sys.argv)}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


@contextlib.contextmanager
def open_writable(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that may write; the schema is made where the file is new, else brought forward.

    Raises:
        SchemaError: if the schema is of a version that this program cannot bring forward.
        WarehouseError: if a reader keeps the file open.
    """
    with _connect(warehouse, read_only=False) as connection:
        bring_forward(connection)
        yield connection


@contextlib.contextmanager
def open_readonly(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that cannot write to the warehouse, but may make temporary things of its own.

    While another process writes to the file, it shows the snapshot made after the last load.

    Raises:
        SchemaError: if the schema is of a version that this program does not know.
        WarehouseError: if there is no such file, or its first load keeps it busy for ten seconds.
    """
    if not warehouse.exists():
        raise WarehouseError(f"There is no warehouse at {warehouse}. `stancebank run` makes one.")
    with _connect(warehouse, read_only=True) as connection:
        check_version(schema_version(connection))
        yield connection


@contextlib.contextmanager
def _connect(warehouse: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = _patiently(warehouse, read_only=read_only)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def _patiently(warehouse: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + BUSY_SECONDS
    connect = _attach if read_only else duckdb.connect
    while True:
        try:
            return connect(str(warehouse))
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise WarehouseError(f"{warehouse} is not a DuckDB file: {error}") from None
            if read_only and snapshot_path(warehouse).exists():
                return _attach(str(snapshot_path(warehouse)))
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"Another program has {warehouse} open: {error}. Close it and try again."
                ) from None
            time.sleep(0.2)


def _attach(warehouse: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    try:
        connection.execute(f"ATTACH {quote(warehouse)} AS {CATALOG} (READ_ONLY)")
        connection.execute(f"USE {CATALOG}")
    except BaseException:
        connection.close()
        raise
    return connection


def snapshot_path(warehouse: Path) -> Path:
    """The file for readers: `latest.duckdb`, beside the default warehouse; else with its name."""
    name = "latest" if warehouse.stem == "stancebank" else f"{warehouse.stem}.latest"
    return warehouse.with_name(f"{name}.duckdb")


def _holder(holder: Path) -> str:
    try:
        facts = json.loads(holder.read_text())
    except (OSError, ValueError):
        return "another process"
    return f"process {facts['pid']} ({facts['command']})"
