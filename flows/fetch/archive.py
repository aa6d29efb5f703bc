"""Keeps fetched pages as WARC files, which appear all at once when they are whole."""

import hashlib
import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from flows.fetch.exchange import Answer

FOLDER = "collected"
PAGES_PER_FILE = 200
BYTES_PER_FILE = 64 * 1024 * 1024
NOT_KEPT = frozenset(["transfer-encoding", "content-length", "connection", "set-cookie"])

Sealed = Callable[[Sequence[tuple[str, str]], str], None]


@dataclass(frozen=True, slots=True)
class Page:
    """A fetched page: the URL that a list names, the answer, and notes on it for the archive."""

    url: str
    answer: Answer
    notes: Mapping[str, str]


class Archive:
    """WARC files of one outlet and run.

    A file is written under a hidden name and gets its own when it is whole; then `sealed` is told
    the URLs in it, each as it was listed and as it answered. Pages added are kept however the
    `with` block ends.
    """

    def __init__(self, folder: Path, stem: str, software: str, sealed: Sealed) -> None:
        self._folder = folder
        self._stem = stem
        self._software = software
        self._sealed = sealed
        self._number = 0
        self._pages: list[tuple[str, str]] = []
        self._file: BinaryIO | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._seal()

    def add(self, page: Page) -> None:
        """Write one page and its notes.

        Raises:
            OSError: if the disk is full or not writable.
        """
        file = self._file or self._begin()
        response = self._response(page.answer)
        self._writer.write_record(response)
        self._writer.write_record(self._metadata(page, response))
        self._pages.append((page.url, page.answer.url))
        if len(self._pages) >= PAGES_PER_FILE or file.tell() >= BYTES_PER_FILE:
            self._seal()

    def _begin(self) -> BinaryIO:
        self._number += 1
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = self._draft.open("wb")
        self._writer = WARCWriter(self._file, gzip=True)
        info = {"software": self._software, "format": "WARC File Format 1.0"}
        self._writer.write_record(self._writer.create_warcinfo_record(self._path.name, info))
        return self._file

    def _response(self, answer: Answer) -> Any:
        kept = [(k, v) for k, v in answer.headers.multi_items() if k.lower() not in NOT_KEPT]
        kept.append(("Content-Length", str(len(answer.body))))
        line = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        return self._writer.create_warc_record(
            answer.url,
            "response",
            payload=io.BytesIO(answer.body),
            http_headers=StatusAndHeaders(line, kept, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": _warc_date(answer.asked_at)},
        )

    def _metadata(self, page: Page, response: Any) -> Any:
        lines = [f"{name}: {' '.join(value.split())}\r\n" for name, value in page.notes.items()]
        return self._writer.create_warc_record(
            page.answer.url,
            "metadata",
            payload=io.BytesIO("".join(lines).encode()),
            warc_content_type="application/warc-fields",
            warc_headers_dict={
                "WARC-Date": _warc_date(page.answer.asked_at),
                "WARC-Refers-To": response.rec_headers.get_header("WARC-Record-ID"),
            },
        )

    def _seal(self) -> None:
        if not self._file:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._draft.replace(self._path)
        self._sealed(self._pages, self._path.name)
        self._file, self._pages = None, []

    @property
    def _path(self) -> Path:
        return self._folder / f"{self._stem}-{self._number}.warc.gz"

    @property
    def _draft(self) -> Path:
        return self._folder / f".{self._path.name}.part"


def outlet_folder(name: str) -> str:
    """A folder's name for an outlet: its letters and digits, and a mark that keeps it apart."""
    letters = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{letters[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:6]}".lstrip("-")


def remove_drafts(folder: Path) -> None:
    """Remove files that a run which was killed had begun."""
    for draft in folder.rglob(".*.warc.gz.part"):
        draft.unlink()


def _warc_date(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
