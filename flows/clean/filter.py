"""The filter without a warehouse: pages as JSON Lines in, clean texts as JSON Lines out."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from flows.clean.page import clean_html
from flows.clean.plain import clean_text
from flows.clean.records import CLEANER_VERSION, CleanArticle, PublicationDate

_DATE_LENGTHS = {"year": 4, "month": 7, "day": 10}


def clean_lines(lines: Iterable[str], *, fast: bool = False) -> Iterator[str]:
    """Clean pages `{"id", "html" or "text", "url"?}`, one JSON object a line, in order.

    A line that cannot be used gives `{"id", "error"}` with its number; empty lines give nothing.
    `fast` is `clean_html`'s; texts that were made less exactly say so in `cleaner_version`.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield json.dumps(_cleaned(number, line, fast=fast), ensure_ascii=False)


def _cleaned(number: int, line: str, *, fast: bool) -> dict[str, Any]:
    page: dict[str, Any] = {}
    try:
        page = _object(line)
        return _as_json(page["id"], _clean(page, fast=fast))
    except Exception as error:
        return {"id": page.get("id"), "error": f"line {number}: {_reason(error)}"}


def _object(line: str) -> dict[str, Any]:
    page = json.loads(line)
    if not isinstance(page, dict):
        raise TypeError("not a JSON object")
    return page


def _clean(page: dict[str, Any], *, fast: bool) -> CleanArticle:
    url, kinds = page.get("url"), [kind for kind in ("html", "text") if page.get(kind) is not None]
    if not kinds:
        raise ValueError("give the page as `html` or `text`")
    content = page[kinds[0]]
    if not isinstance(content, str) or not isinstance(url, str | None):
        raise TypeError("`html`, `text` and `url` must be strings")
    return clean_html(content, url, fast=fast) if kinds[0] == "html" else clean_text(content, url)


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"not JSON ({error.msg} at column {error.colno})"
        case KeyError():
            return "no `id`"
        case ValueError() | TypeError() if error.args:
            return str(error)
    return f"{type(error).__name__}: {error}"


def _as_json(name: Any, article: CleanArticle) -> dict[str, Any]:
    is_exact = article.cleaner_version == CLEANER_VERSION
    return {
        "id": name,
        "text": article.text,
        "title": article.title,
        "authors": list(article.authors),
        "published_at": _printed(article.published) if article.published else None,
        "outlet": article.outlet,
        "language": article.language,
        "removed": [{"line": gone.line, "reason": gone.reason} for gone in article.removed],
    } | ({} if is_exact else {"cleaner_version": article.cleaner_version})


def _printed(published: PublicationDate) -> str:
    """ISO 8601 to the unit that the date can be trusted to; with a time, in UTC (`Z`)."""
    length = _DATE_LENGTHS.get(published.precision)
    return published.at.isoformat()[:length] if length else f"{published.at.isoformat()}Z"
