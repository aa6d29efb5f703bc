"""The stand-off labels, joined to the articles that they are of."""

import gzip
import json
from pathlib import Path

import pytest

from flows.training.join import join_labels, read_labels, read_lines
from schemas.statements import SPEAKER_TYPES, STANCES, TARGET_TYPES


def test_labels_hold_no_text_and_only_known_words() -> None:
    labels = read_labels()
    assert len(labels) == 752
    for article in labels.values():
        assert "text" not in article
        for row in article["attributions"]:
            assert row["speaker"] is None or row["speaker_type"] in SPEAKER_TYPES
            for stance in row["stances"]:
                assert stance["stance"] in STANCES
                assert stance["target_type"] in TARGET_TYPES


def test_joined_labels_are_the_labelled_articles(shared_data: Path) -> None:
    for part in ("train", "dev"):
        articles = read_lines(shared_data / "polnear" / f"{part}.jsonl.gz")
        joined = list(join_labels(articles, read_labels()))
        labelled = list(read_lines(shared_data / "labels" / f"{part}.jsonl"))
        assert sorted(joined, key=lambda a: a["id"]) == sorted(labelled, key=lambda a: a["id"])


def test_another_text_is_refused_by_name(tmp_path: Path) -> None:
    name, label = next(iter(read_labels().items()))
    path = tmp_path / "articles.jsonl.gz"
    article = {"article_id": name, "text": "Another text.", "attributions": label["attributions"]}
    path.write_bytes(gzip.compress(json.dumps(article).encode()))
    with pytest.raises(ValueError, match=name):
        list(join_labels(read_lines(path), read_labels()))
    stranger = article | {"article_id": "nobody labelled this"}
    assert list(join_labels([stranger], read_labels())) == []
