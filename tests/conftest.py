"""Fixtures that several test files share."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the training and development corpora; tests skip where it is missing."""
    folder = Path(os.environ.get("STANCEBANK_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the corpora: set STANCEBANK_DATA (looked in {folder})")
    return folder
