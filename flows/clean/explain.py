"""What cleaning took out of one article and why, for people to read."""

from collections import Counter

from flows.clean.paragraphs import split_paragraphs
from flows.clean.records import CleanArticle
from flows.clean.unicode import repair


def explain(article: CleanArticle, raw: str | None = None) -> str:
    """The article with every removed line marked `-` and its reason above it.

    With `raw`, the plain-text dump that the article came from, lines stand in its order; without
    (an HTML page) the text comes first, then what was removed.
    """
    metadata = [f"{name}: {value}" for name, value in _metadata(article).items() if value]
    body = _in_order(article, raw) if raw is not None else _text_first(article)
    return "\n".join([*metadata, "", *body])


def _metadata(article: CleanArticle) -> dict[str, str | None]:
    published = article.published
    return {
        "title": article.title,
        "authors": ", ".join(article.authors),
        "published": f"{published.at} ({published.precision}, {published.source})"
        if published
        else None,
        "outlet": article.outlet,
        "url": article.canonical_url,
        "language": article.language,
        "dates refused": ", ".join(article.rejected_dates),
    }


def _text_first(article: CleanArticle) -> list[str]:
    kept = [f"  {paragraph}" for paragraph in article.text.split("\n\n")]
    return kept + [line for gone in article.removed for line in _marked(gone.line, gone.reason)]


def _in_order(article: CleanArticle, raw: str) -> list[str]:
    removed = Counter((gone.line, gone.reason) for gone in article.removed)
    shown: list[str] = []
    for line in split_paragraphs(repair(raw).text):
        reason = next((reason for text, reason in removed if text == line), None)
        if reason and removed[line, reason] > 0:
            removed[line, reason] -= 1
            shown += _marked(line, reason)
        else:
            shown.append(f"  {line}")
    return shown


def _marked(line: str, reason: str) -> list[str]:
    return [f"  [{reason}]", f"- {line}"]
