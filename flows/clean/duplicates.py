"""Clusters of exact and near copies, found on signatures alone."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

SIMILAR = 0.45
"""Jaccard similarity of word shingles from which two texts are near-duplicates."""

_CLUSTERS = {"article_id": pl.String, "duplicate_cluster_id": pl.String}


def cluster_duplicates(new: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Put articles whose texts are exact or near copies into clusters.

    Both frames have `article_id`, `published_at`, `minhash`, `band_keys`; `known`, the articles
    of earlier loads, also `duplicate_cluster_id` (null where it had no copy), and no article of
    `new`. Only pairs with a new article are compared, by their signatures.

    Returns `article_id`, `duplicate_cluster_id` for every article, new or known, that is now in
    a cluster and was not, or whose cluster has another id. A cluster keeps the id that it has;
    a new one is named after its earliest article (then the smaller id).
    """
    articles = _in_order(new, known)
    parents = np.arange(articles.height)
    for left, right in np.concatenate([_known_links(articles), _similar_pairs(articles)]):
        _unite(parents, int(left), int(right))
    roots = np.array([_root(parents, number) for number in range(articles.height)], dtype=np.int64)
    return _changes(articles.with_columns(root=pl.Series(roots)))


def _in_order(new: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """All articles, those with a cluster's name first, then by date: roots are names."""
    columns = ["article_id", "published_at", "minhash", "band_keys"]
    named = known.select(*columns, "duplicate_cluster_id", is_new=pl.lit(False))
    unnamed = new.select(
        *columns, pl.lit(None, pl.String).alias("duplicate_cluster_id"), is_new=pl.lit(True)
    )
    leads = (pl.col("duplicate_cluster_id") == pl.col("article_id")).fill_null(False)
    return (
        pl.concat([named, unnamed])
        .sort(~leads, pl.col("published_at"), "article_id", nulls_last=True)
        .with_row_index("number")
    )


def _known_links(articles: pl.DataFrame) -> NDArray[np.int64]:
    members = articles.filter(pl.col("duplicate_cluster_id").is_not_null())
    first = pl.col("number").first().over("duplicate_cluster_id")
    return _pairs(members.select(left=first, right="number"))


def _similar_pairs(articles: pl.DataFrame) -> NDArray[np.int64]:
    """Pairs that share a band, one of them new, and are similar by their signatures.

    Each article of a bucket is compared with the first and with the one before it, so that the
    work grows with the articles and not with their pairs.
    """
    buckets = articles.select("number", "is_new", "band_keys").explode("band_keys")
    key = "band_keys"
    buckets = buckets.filter(pl.len().over(key) > 1).sort(key, "number")
    others = [pl.col(name).first().over(key) for name in ("number", "is_new")]
    before = [pl.col(name).shift(1).over(key) for name in ("number", "is_new")]
    candidates = pl.concat(
        [
            buckets.select(left=left, right="number", touched=pl.col("is_new") | left_is_new)
            for left, left_is_new in (others, before)
        ]
    )
    usable = pl.col("touched") & (pl.col("left") != pl.col("right"))
    pairs = _pairs(candidates.filter(usable).select("left", "right").unique(maintain_order=True))
    return pairs[_similarity(articles, pairs) >= SIMILAR]


def _similarity(articles: pl.DataFrame, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    if not len(pairs):
        return np.empty(0)
    signatures = np.stack(articles["minhash"].to_list()).astype(np.uint32)
    blocks = np.array_split(pairs, len(pairs) // 50_000 + 1)
    return np.concatenate(
        [(signatures[block[:, 0]] == signatures[block[:, 1]]).mean(axis=1) for block in blocks]
    )


def _pairs(frame: pl.DataFrame) -> NDArray[np.int64]:
    return frame.to_numpy().astype(np.int64).reshape(-1, 2)


def _root(parents: NDArray[np.int64], number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = int(parents[number])
    return number


def _unite(parents: NDArray[np.int64], left: int, right: int) -> None:
    first, second = sorted((_root(parents, left), _root(parents, right)))
    parents[second] = first


def _changes(articles: pl.DataFrame) -> pl.DataFrame:
    ids = articles["article_id"]
    clustered = articles.filter(pl.len().over("root") > 1)
    current = clustered.select(
        "article_id",
        duplicate_cluster_id=ids.gather(clustered["root"]),
        former=pl.col("duplicate_cluster_id"),
    )
    changed = pl.col("duplicate_cluster_id").ne_missing(pl.col("former"))
    return current.filter(changed).select(*_CLUSTERS)
