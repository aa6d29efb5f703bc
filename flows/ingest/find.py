"""Finds the files that a user means by paths, folders and globs."""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from schemas.errors import StancebankError


class NothingFoundError(StancebankError):
    """A given path matches no file; the message says which, and what to do."""


def find_files(paths: Sequence[str]) -> list[Path]:
    """List the files that `paths` name, each once, those of a folder or glob in sorted order.

    Folders are searched to any depth and links to folders followed; hidden files and a folder's
    README are left out there. Dangling links and folders that cannot be opened are listed too, so
    that ingest can reject them with a reason.

    Raises:
        NothingFoundError: a path matches nothing, or a folder holds no file.

    """
    found: dict[Path, None] = {}
    for text in paths:
        matches = dict.fromkeys(_matches(text))
        if not matches:
            raise NothingFoundError(_advice(text))
        found.update(matches)
    return list(found)


def _matches(text: str) -> Iterator[Path]:
    given = os.path.expanduser(text)  # noqa: PTH111 - a glob is no path
    tops = [given] if os.path.lexists(given) else sorted(glob.glob(given, recursive=True))  # noqa: PTH207
    for top in map(Path, tops):
        if top.is_dir():
            yield from _walk(top)
        else:
            yield top


def _walk(folder: Path) -> Iterator[Path]:
    unreadable: list[Path] = []
    visited: set[str] = set()
    found: list[Path] = []
    walk = os.walk(
        folder, onerror=lambda error: unreadable.append(Path(error.filename)), followlinks=True
    )
    for here, folders, names in walk:
        real = os.path.realpath(here)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(here, name) for name in names if _is_data(name)]
    yield from sorted(found + unreadable)


def _is_data(name: str) -> bool:
    return not name.startswith(".") and Path(name).stem.upper() != "README"


def _advice(text: str) -> str:
    if Path(text).expanduser().is_dir():
        return f"The folder {text!r} holds no files: put articles there or give another path."
    return (
        f"Nothing matches {text!r}: check the spelling, and that the path starts from the current "
        f"folder ({Path.cwd()}); put a pattern with * in quotation marks."
    )
