"""Fixtures that several test files share."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the training and development corpora; tests skip where it is missing."""
    folder = Path(os.environ.get("STANCEBANK_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the corpora: set STANCEBANK_DATA (looked in {folder})")
    return folder


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables for the programs under test: a Prefect home of their own, no API of the user's."""
    inherited = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
    return inherited | {"PREFECT_HOME": str(tmp_path_factory.mktemp("prefect"))}


@pytest.fixture(scope="session")
def stancebank(environment: dict[str, str]) -> Iterator[Command]:
    """Run the command line in a folder: `stancebank(folder, "run", …)`; its output as text."""
    program = Path(sys.executable).with_name("stancebank")

    def call(
        folder: Path, *arguments: str, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            cwd=folder,
            env=environment | {"COLUMNS": "200"},
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    yield call
    call(PROJECT, "server", "stop")


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory, stancebank: Command) -> Path:
    """A folder where `stancebank run` has built a warehouse from the project's samples."""
    folder = tmp_path_factory.mktemp("samples")
    shutil.copytree(PROJECT / "raw", folder / "raw")
    done = stancebank(folder, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "summary.txt").write_text(done.stdout)
    return folder
