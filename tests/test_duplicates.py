"""Near-duplicate clusters on reprints generated from texts made of drawn words."""

import random
from datetime import datetime, timedelta

import polars as pl
import pytest

from flows.clean.duplicates import cluster_duplicates
from flows.clean.signatures import sign

START = datetime(2020, 1, 1)
VOCABULARY = [f"word{number}" for number in range(3000)]
KNOWN = {
    "article_id": pl.String,
    "published_at": pl.Datetime("us"),
    "minhash": pl.List(pl.UInt32),
    "band_keys": pl.List(pl.UInt64),
    "duplicate_cluster_id": pl.String,
}


def paragraph(drawn: random.Random) -> str:
    return " ".join(drawn.choices(VOCABULARY, k=drawn.randint(25, 70)))


def reprint(paragraphs: list[str], drawn: random.Random) -> str:
    """A cut at the end, an added paragraph, another byline and a few changed words."""
    kept = paragraphs[: max(3, len(paragraphs) - drawn.randint(0, 3))]
    if drawn.random() < 0.5:
        kept.insert(drawn.randint(1, len(kept)), paragraph(drawn))
    words = " ".join(kept).split()
    for _ in range(len(words) // 100):
        words[drawn.randrange(len(words))] = "changed"
    return f"By reporter {drawn.randint(1, 999)} " + " ".join(words)


def frame(texts: dict[str, str], start: datetime = START) -> pl.DataFrame:
    signatures = {name: sign(text) for name, text in texts.items()}
    rows = [
        (name, start + timedelta(hours=hour), signature.minhash, signature.band_keys)
        for hour, (name, signature) in enumerate(signatures.items())
    ]
    schema = {name: KNOWN[name] for name in list(KNOWN)[:4]}
    return pl.DataFrame(rows, schema=schema, orient="row")


NOTHING = pl.DataFrame(schema=KNOWN)


@pytest.fixture(scope="module")
def stories() -> dict[str, str]:
    drawn = random.Random(7)
    texts = {}
    for story in range(150):
        paragraphs = [paragraph(drawn) for _ in range(drawn.randint(6, 14))]
        texts[f"{story}-0"] = " ".join(paragraphs)
        for copy in range(1, drawn.randint(1, 4)):
            texts[f"{story}-{copy}"] = reprint(paragraphs, drawn)
    return texts


def test_reprints_are_found_and_nothing_else(stories: dict[str, str]) -> None:
    clusters = dict(cluster_duplicates(frame(stories), NOTHING).rows())
    of_story: dict[str, list[str]] = {}
    for name in stories:
        of_story.setdefault(name.split("-")[0], []).append(name)
    pairs = [(a, b) for names in of_story.values() for a in names for b in names if a < b]
    found = [(a, b) for a in clusters for b in clusters if a < b and clusters[a] == clusters[b]]
    right = set(pairs) & set(found)
    assert len(right) >= 0.95 * len(pairs)
    assert len(right) >= 0.99 * len(found)


def test_cluster_is_named_after_its_earliest_article(stories: dict[str, str]) -> None:
    clusters = dict(cluster_duplicates(frame(stories), NOTHING).rows())
    order = list(stories)
    for cluster in set(clusters.values()):
        members = [name for name, its_cluster in clusters.items() if its_cluster == cluster]
        assert cluster == min(members, key=order.index)


def test_exact_copies_share_a_cluster_even_when_short() -> None:
    texts = {"b": "No comment.", "a": "No comment.", "c": "Another line."}
    assert dict(cluster_duplicates(frame(texts), NOTHING).rows()) == {"a": "b", "b": "b"}


def settled(known: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    return known.drop("duplicate_cluster_id", strict=False).join(
        changes, on="article_id", how="left"
    )


def test_a_copy_wakes_a_single_known_article_and_later_ones_join() -> None:
    drawn = random.Random(3)
    story, other = paragraph(drawn), paragraph(drawn)
    nothing = pl.DataFrame(
        schema={name: KNOWN[name] for name in ("article_id", "duplicate_cluster_id")}
    )
    first = frame({"old": story, "alone": other})
    known = settled(first, nothing)

    earlier = frame({"copy": story}, datetime(2019, 1, 1))
    changes = cluster_duplicates(earlier, known)
    assert dict(changes.rows()) == {"copy": "copy", "old": "copy"}

    known = settled(pl.concat([first, earlier]), changes)
    oldest = frame({"third": story}, datetime(2018, 1, 1))
    assert dict(cluster_duplicates(oldest, known).rows()) == {"third": "copy"}


def test_nothing_new_changes_nothing(stories: dict[str, str]) -> None:
    known = frame(stories).with_columns(duplicate_cluster_id=pl.lit(None, pl.String))
    none = known.head(0).drop("duplicate_cluster_id")
    assert cluster_duplicates(none, known).is_empty()
    assert cluster_duplicates(none, NOTHING).is_empty()
