"""Joins the project's stand-off labels to PolNeAR's articles.

Run as `python -m flows.training.join ARTICLES.jsonl[.gz] > LABELLED.jsonl`.
"""

import gzip
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

LABELS = ("polnear_train.jsonl.gz", "polnear_dev.jsonl.gz")


def read_labels() -> dict[str, dict[str, Any]]:
    """The labels that ship with the project, by article id."""
    folder = files("flows.training").joinpath("labels")
    lines = [
        line
        for name in LABELS
        for line in gzip.decompress(folder.joinpath(name).read_bytes()).decode().splitlines()
    ]
    return {row["article_id"]: row for row in map(json.loads, lines)}


def join_labels(
    articles: Iterable[dict[str, Any]], labels: dict[str, dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Labelled articles, with every attribution's speaker, type and stances.

    Articles without labels are passed over.

    Raises:
        ValueError: naming an article whose text is not the one that was labelled.
    """
    for article in articles:
        name = article["article_id"]
        if name not in labels:
            continue
        found = hashlib.sha256(article["text"].encode()).hexdigest()
        if found != labels[name]["text_sha256"]:
            raise ValueError(f"{name}: its text is not the one that was labelled")
        by_id = {row["id"]: row for row in labels[name]["attributions"]}
        yield {
            "id": name,
            "text": article["text"],
            "attributions": [a | by_id[a["id"]] for a in article["attributions"]],
        }


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSON Lines file, also gzipped."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    return map(json.loads, text.splitlines())


def main() -> None:
    """Write the labelled articles among those of a file to standard output."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for article in join_labels(read_lines(Path(sys.argv[1])), read_labels()):
        sys.stdout.write(json.dumps(article, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
