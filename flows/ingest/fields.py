"""Named fields of a record (JSON, CSV, Parquet) to a page."""

from collections.abc import Iterable, Mapping
from datetime import date

from flows.ingest.decode import decode
from flows.ingest.limits import MAX_RECORD_BYTES, in_megabytes
from flows.ingest.origins import Page
from flows.ingest.refusals import RefusedError
from schemas.errors import StancebankError

FIELDS = ("id", "url", "title", "text", "html", "outlet", "author", "published_at")


class MappingError(StancebankError):
    """A mapping names a field that does not exist; the message lists those that do."""


def checked_mapping(mapping: Mapping[str, str] | None) -> dict[str, str]:
    """Return our field name to the input's, case folded.

    Raises:
        MappingError: `mapping` has a key that is none of `FIELDS`.

    """
    for name in mapping or {}:
        if name not in FIELDS:
            raise MappingError(
                f"There is no field {name!r} to map: use one of {', '.join(FIELDS)}, such as "
                "--map text=body."
            )
    return {ours: theirs.strip().casefold() for ours, theirs in (mapping or {}).items()}


def check_columns(columns: Iterable[str], mapping: Mapping[str, str]) -> None:
    """Make sure that a table has a column with the articles' text.

    Raises:
        RefusedError: neither `text` nor `html` is among `columns`.

    """
    names = list(columns)
    folded = {name.strip().casefold() for name in names}
    if not folded & {mapping.get("text", "text"), mapping.get("html", "html")}:
        raise RefusedError(_no_text("column", names))


def page_from(fields: Mapping[str, object], mapping: Mapping[str, str]) -> Page:
    """Make a page of a record's fields; `html` is preferred where both it and `text` are given.

    Raises:
        RefusedError: a field is of a wrong type, or there is no text.

    """
    folded = {name.strip().casefold(): value for name, value in fields.items()}
    record = {name: folded.get(mapping.get(name, name)) for name in FIELDS}
    html, text = _text(record, "html"), _text(record, "text")
    content = html or text
    if content is None:
        raise RefusedError(_no_text("field", list(fields)), str(dict(fields)))
    if len(content) > MAX_RECORD_BYTES:
        raise RefusedError(too_long(), content)
    return Page(
        kind="html" if html else "text",
        content=content,
        url=_text(record, "url"),
        title=_text(record, "title"),
        outlet=_text(record, "outlet"),
        authors=_authors(record["author"]),
        published_at=_date(record),
    )


def too_long() -> str:
    """Word the reason for refusing an over-long record."""
    return f"is longer than {in_megabytes(MAX_RECORD_BYTES)}: no article is; split or leave it out"


def _text(record: Mapping[str, object], name: str) -> str | None:
    value = record[name]
    if isinstance(value, bytes):
        value = decode(value)
    if value is not None and not isinstance(value, str):
        raise _wrong_type(name, "text", value)
    return value if value and value.strip() else None


def _date(record: Mapping[str, object]) -> str | None:
    value = record["published_at"]
    return value.isoformat() if isinstance(value, date) else _text(record, "published_at")


def _authors(value: object) -> tuple[str, ...]:
    names = value.split(";") if isinstance(value, str) else value
    if names is None:
        return ()
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise _wrong_type("author", "a name or a list of names", value)
    return tuple(name.strip() for name in names if name.strip())


def _wrong_type(name: str, wanted: str, value: object) -> RefusedError:
    return RefusedError(
        f"field {name!r} must be {wanted}, but is {type(value).__name__}: correct the input",
        repr(value),
    )


def _no_text(what: str, names: list[str]) -> str:
    there = ", ".join(map(repr, names[:20])) or "none"
    return (
        f"has no {what} 'text' or 'html' with content ({what}s there: {there}): name the {what} "
        "that holds the articles, such as --map text=body"
    )
