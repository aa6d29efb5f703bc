"""What `stancebank evaluate` does: extract from the annotated texts alone, and compare."""

import json
from pathlib import Path

from flows.evaluation import Evaluation, evaluate, read_corpus
from flows.evaluation.corpus import Article, Attribution
from flows.extract.filter import extract_lines
from flows.progress import progress


def evaluate_file(gold: Path, predictions: Path | None = None) -> Evaluation:
    """Figures on the articles of `gold`, for `predictions` or for what extraction finds in them.

    Raises:
        CorpusError: if a file cannot be read or a line is no article.
    """
    articles = read_corpus(gold)
    if predictions:
        lines = predictions.read_text(encoding="utf-8").splitlines()
    else:
        lines = _extract(articles)
    found = [json.loads(line) for line in lines]
    return evaluate(articles, {row["id"]: _attributions(row) for row in found})


def _extract(articles: list[Article]) -> list[str]:
    texts = (json.dumps({"id": a["id"], "text": a["text"]}) for a in articles)
    lines = []
    with progress() as steps:
        steps.begin("Extracting", len(articles))
        for line in extract_lines(texts):
            lines.append(line)
            steps.advance(1)
    return lines


def _attributions(row: dict[str, list[Attribution]]) -> list[Attribution]:
    return row.get("attributions", [])
