"""The Prefect server that runs on this machine share: found, started, reused and stopped.

Starting a server takes longer than many a run, so the first run leaves one behind on loopback and
the next ones use it. Its address stands in a file in Prefect's home, since a server and its
database belong together. It proves by a token that it is the one named there: a stale file or a
foreign program on the same port is never mistaken for it.
"""

import contextlib
import importlib.metadata
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock

from schemas.errors import StancebankError

IDENTITY_PATH = "/stancebank-server"
PREFERRED_PORT = 4242
IDLE_SECONDS = 3600.0
PRIVATE_IDLE_SECONDS = 120.0
START_SECONDS = 180.0
STOP_SECONDS = 15.0


class ServerError(StancebankError):
    """The Prefect server could not be started; the message says where its log lies."""


@dataclass(frozen=True, slots=True)
class Server:
    """A Prefect server of this project: process id, port, proof of identity, version, start."""

    pid: int
    port: int
    token: str
    prefect_version: str
    started_at: float

    @property
    def url(self) -> str:
        """Address of the UI."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """Address for Prefect's clients."""
        return f"{self.url}/api"

    def answers(self) -> bool:
        """Whether this very server listens on its port."""
        try:
            with urllib.request.urlopen(self.url + IDENTITY_PATH, timeout=5) as response:
                return bool(response.read().decode(errors="replace") == self.token)
        except (OSError, ValueError):
            return False


def running_server() -> Server | None:
    """The shared server, if it is alive and really ours."""
    return _read(_shared_state())


def ensure_server(idle_seconds: float = IDLE_SECONDS) -> Server:
    """The running server, else a new one that ends after `idle_seconds` without work.

    A server of another Prefect version is replaced.

    Raises:
        ServerError: if none answers within three minutes.
    """
    with _start_lock():
        server = running_server()
        if server and server.prefect_version == importlib.metadata.version("prefect"):
            return server
        if server:
            _end(server)
        return _start(_shared_state(), idle_seconds)


def stop_server() -> Server | None:
    """End the shared server and return what it was; None if there was none."""
    server = running_server()
    if server:
        _end(server)
    return server


@contextlib.contextmanager
def private_server() -> Iterator[Server]:
    """A server for one run alone, ended with it; the shared one where that is up already.

    Raises:
        ServerError: if it does not answer within three minutes.
    """
    shared = running_server()
    if shared:
        yield shared
        return
    with tempfile.TemporaryDirectory() as folder:
        with _start_lock():
            server = _start(Path(folder) / "server.json", PRIVATE_IDLE_SECONDS)
        try:
            yield server
        finally:
            _end(server)


def remember(server: Server, state: Path) -> None:
    """Write the state file, all at once, readable by its owner alone."""
    draft = state.with_suffix(f".{server.pid}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(server)))
    draft.replace(state)


def forget(token: str, state: Path) -> None:
    """Remove the state file if it names the server with this token."""
    with contextlib.suppress(OSError, ValueError):
        if json.loads(state.read_text()).get("token") == token:
            state.unlink()


def _read(state: Path) -> Server | None:
    try:
        server = Server(**json.loads(state.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return server if server.answers() else None


def _start(state: Path, idle_seconds: float) -> Server:
    token = secrets.token_hex(16)
    log_file = _home() / "stancebank-server.log"
    command = [sys.executable, "-m", "flows.server_process"]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*command, str(state), token, str(idle_seconds)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        server = _read(state)
        if server and server.token == token:
            return server
        time.sleep(0.1)
    process.kill()
    raise ServerError(
        f"Prefect's server did not start; its log is {log_file}. "
        "Set PREFECT_API_URL to use a server of your own."
    )


def _end(server: Server) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while server.answers() and time.monotonic() < deadline:
        time.sleep(0.1)
    if server.answers():
        os.kill(server.pid, signal.SIGKILL)
    forget(server.token, _shared_state())


def _start_lock() -> filelock.BaseFileLock:
    _home().mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(_home() / "stancebank-server.lock")


def _home() -> Path:
    return Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()


def _shared_state() -> Path:
    return _home() / "stancebank-server.json"
