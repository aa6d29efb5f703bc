"""The filter without a warehouse: clean texts as JSON Lines in, attributions as JSON Lines out."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from flows.extract.records import Stance, Statement
from flows.extract.statements import find_statements, row_confidence
from schemas.errors import StancebankError


def extract_lines(lines: Iterable[str]) -> Iterator[str]:
    """Extract from texts `{"id", "text", "title"?}`, one JSON object a line, in order.

    `article_id` will do for `id`. A line that cannot be used gives `{"id", "error"}` with its
    number; empty lines give nothing.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield json.dumps(_extracted(number, line), ensure_ascii=False)


def _extracted(number: int, line: str) -> dict[str, Any]:
    article: Any = None
    try:
        article = json.loads(line)
        text, title = _fields(article)
        found = [_as_json(statement) for statement in find_statements(text, title)]
    except StancebankError:
        raise
    except Exception as error:
        name = _name(article) if isinstance(article, dict) else None
        return {"id": name, "error": f"line {number}: {_reason(error)}"}
    return {"id": _name(article), "attributions": found}


def _fields(article: Any) -> tuple[str, str | None]:
    if not isinstance(article, dict):
        raise TypeError("not a JSON object")
    text, title = article.get("text"), article.get("title")
    if _name(article) is None:
        raise ValueError("no `id`")
    if not isinstance(text, str):
        raise TypeError("give the article as a string in `text`")
    if not isinstance(title, str | None):
        raise TypeError("`title` must be a string")
    return text, title


def _name(article: dict[str, Any]) -> Any:
    return article.get("id", article.get("article_id"))


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"not JSON ({error.msg} at column {error.colno})"
        case ValueError() | TypeError() if error.args:
            return str(error)
    return f"{type(error).__name__}: {error}"


def _as_json(statement: Statement) -> dict[str, Any]:
    attribution, speaker = statement.attribution, statement.speaker
    return {
        "part": attribution.part,
        "source": attribution.source,
        "cue": attribution.cue,
        "content": attribution.content,
        "speaker": speaker and speaker.name,
        "speaker_type": speaker and speaker.speaker_type,
        "kind": statement.kind,
        "confidence": round(attribution.confidence, 4),
        "stances": [_stance_as_json(stance, statement) for stance in statement.stances],
    }


def _stance_as_json(stance: Stance, statement: Statement) -> dict[str, Any]:
    return {
        "target": stance.target,
        "target_name": stance.target_name,
        "target_type": stance.target_type,
        "stance": stance.stance,
        "intensity": stance.intensity,
        "confidence": round(row_confidence(statement, stance), 4),
        "basis": stance.basis,
        "method": stance.method,
    }
