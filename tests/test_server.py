"""The loopback server that runs share: real processes on 127.0.0.1."""

import json
import os
import signal
import socketserver
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from flows.server import (
    Server,
    ensure_server,
    private_server,
    remember,
    running_server,
    stop_server,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Prefect home of this file's own; whatever server it has is stopped at the end."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(folder))
        yield folder
        stop_server()


@pytest.fixture
def foreign_port() -> Iterator[int]:
    """A port on which some other program answers every request."""

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"something else")

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Stay silent."""

    with socketserver.TCPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        yield other.server_address[1]
        other.shutdown()


def has_ended(pid: int) -> bool:
    for _ in range(300):
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return True
        except ChildProcessError:
            return True
        time.sleep(0.1)
    return False


def test_a_second_run_uses_the_server_of_the_first_until_it_is_stopped(home: Path) -> None:
    first = ensure_server()
    assert ensure_server() == first
    assert running_server() == first
    assert (home / "stancebank-server.json").stat().st_mode & 0o077 == 0
    with private_server() as shared:
        assert shared == first
    assert stop_server() == first
    assert has_ended(first.pid)
    assert running_server() is None
    assert stop_server() is None


def test_a_stale_or_foreign_address_is_not_taken_for_the_server(
    home: Path, foreign_port: int
) -> None:
    state = home / "stancebank-server.json"
    remember(Server(os.getpid(), foreign_port, "ours", "3", 0.0), state)
    assert running_server() is None
    state.write_text("{broken")
    assert running_server() is None
    state.write_text(json.dumps({"pid": 1}))
    assert running_server() is None
    assert stop_server() is None
    state.unlink()


def test_a_private_server_leaves_nothing_behind(home: Path) -> None:
    with private_server() as server:
        assert server.answers()
        assert running_server() is None
    assert has_ended(server.pid)
    assert not (home / "stancebank-server.json").exists()


def test_a_server_without_work_ends_by_itself(home: Path) -> None:
    server = ensure_server(idle_seconds=1.0)
    assert has_ended(server.pid)
    assert running_server() is None
    assert not (home / "stancebank-server.json").exists()


def test_a_killed_server_is_replaced(home: Path) -> None:
    killed = ensure_server()
    os.kill(killed.pid, signal.SIGKILL)
    assert has_ended(killed.pid)
    replaced = ensure_server()
    assert replaced.pid != killed.pid
    assert replaced.answers()
