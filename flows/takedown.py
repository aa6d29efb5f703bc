"""The file in which a user names what must go: urls, outlets and speakers."""

from pathlib import Path

from flows.clean.urls import canonical_url
from schemas.errors import StancebankError
from schemas.records import Takedown

KINDS = ("url", "outlet", "speaker")


class TakedownError(StancebankError):
    """The file cannot be used; the message names the line."""


def read_takedown(path: Path) -> Takedown:
    """Read lines such as `outlet: Marovia Today`; empty lines and those with `#` first are skipped.

    Addresses count with and without tracking parameters.

    Raises:
        TakedownError: if the file cannot be read, or a line names none of url, outlet, speaker.
    """
    entries: dict[str, list[str]] = {kind: [] for kind in KINDS}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TakedownError(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        kind, _, value = (part.strip() for part in line.partition(":"))
        if not line.strip() or line.startswith("#"):
            continue
        if kind not in entries or not value:
            raise TakedownError(
                f"{path} line {number}: {line!r} is not understood; "
                "write `url: …`, `outlet: …` or `speaker: …`."
            )
        entries[kind].append(value)
    urls = {form for url in entries["url"] for form in (url, canonical_url(url)) if form}
    return Takedown(tuple(sorted(urls)), tuple(entries["outlet"]), tuple(entries["speaker"]))
