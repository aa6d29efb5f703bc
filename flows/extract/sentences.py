"""Where sentences begin and end."""

import re

from flows.extract.records import Span

_END = re.compile(r"[.!?…]+[\"”»'’)\]]*(?=\s+[\"“„«‘'(\[]*[^\Wa-z_])|[\n\r]+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Sen|Sens|Rep|Reps|Gov|Govs|Gen|Col|Lt|Maj|Adm|Capt|Cmdr|Sgt|Hon|Rev|Prof|"
    r"St|Jr|Sr|Mt|Pres|Atty|Supt|vs|v|No|Nos|Jan|Feb|Mar|Apr|Aug|Sept|Oct|Nov|Dec|Inc|Ltd|"
    r"Md|Smt|Shri|Ald|Pvt|Ft)|\b[A-Z](?:\.[A-Z])*)$"
)


def sentences(text: str) -> list[Span]:
    """Return the sentences of a text in order; a line break always ends one.

    A full stop after a title, a month or an initial does not.
    """
    found: list[Span] = []
    start = 0
    for match in _END.finditer(text):
        end = match.end() if text[match.start()] not in "\n\r" else match.start()
        if match.group() == "." and _ABBREVIATION.search(text, max(start, end - 12), end - 1):
            continue
        _append(found, text, start, end)
        start = match.end()
    _append(found, text, start, len(text))
    return found


def _append(found: list[Span], text: str, start: int, end: int) -> None:
    stretch = text[start:end]
    if stretch.strip():
        lead = len(stretch) - len(stretch.lstrip())
        found.append((start + lead, start + len(stretch.rstrip())))
