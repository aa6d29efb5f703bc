"""Train the line and block models: `python -m flows.clean.training DATA` (needs `[train]`).

DATA is the folder with `plain/{seedlike,crop,full}_train.parquet` (dumps of pages, a label for
each line) and `html/train.parquet` (the same pages as HTML). Two stages: gradient boosting over
the lines of dumps, then over the blocks of HTML pages, which sees the first stage's opinion from
folds that did not hold the page's site. Everything is seeded and runs on one thread.
"""

import argparse
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnx
import polars as pl
from numpy.typing import NDArray
from onnx import TensorProto, helper
from trafilatura import load_html

from flows.clean.blocks import PageView, block_features
from flows.clean.classifier import Forest, Models
from flows.clean.line_features import LineFeatures, Matrix, line_features
from flows.clean.metadata import read_metadata
from flows.clean.page_views import view_page
from flows.clean.templates import load_templates
from flows.clean.words import (
    FEWEST_SITES,
    WORD,
    WordTable,
    line_terms,
    log_odds,
    rarity,
    word_table,
)

DUMPS = ("seedlike", "crop", "full")
SEED = 1
FOLDS = 5
_RESOURCES = Path(__file__).parent / "resources"
_BOOSTING: dict[str, Any] = {
    "objective": "binary",
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "feature_fraction": 0.4,
    "verbose": -1,
    "num_threads": 1,
    "seed": SEED,
    "deterministic": True,
    "force_row_wise": True,
}
_LINE_BOOSTING = _BOOSTING | {
    "learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 40, "lambda_l2": 5, "max_bin": 31,
}  # fmt: skip
_BLOCK_BOOSTING = _BOOSTING | {
    "learning_rate": 0.03, "num_leaves": 10, "min_data_in_leaf": 40, "lambda_l2": 10,
    "feature_fraction": 0.25,
}  # fmt: skip
_LINE_ROUNDS = 150
_BLOCK_ROUNDS = 200
_BLOCK_SEEDS = 3
_NEWS_WEIGHT = 1.5


@dataclass(frozen=True, slots=True)
class Dump:
    """A page as lines of text, with the label of each: whether it is article."""

    name: str
    page: str
    site: str
    is_news: bool
    lines: list[str]
    keep: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """A labelled page with its markup; `dump` holds the lines that `view` shows."""

    dump: Dump
    view: PageView


@dataclass(frozen=True, slots=True)
class Trained:
    """What training makes, as it is written to `resources/`."""

    counts: dict[str, tuple[int, int]]
    lines: bytes
    blocks: bytes

    def models(self) -> Models:
        """Ready to clean with."""
        return Models(word_table(self.counts), Forest.load(self.lines), Forest.load(self.blocks))


class SiteCounts:
    """In how many sites' boilerplate and articles each term stands, with any sites left out."""

    def __init__(self, dumps: Iterable[Dump]) -> None:
        self.sites_of_line: dict[str, set[str]] = defaultdict(set)
        self._of_site: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
        for dump in dumps:
            for line, keep in zip(dump.lines, dump.keep, strict=True):
                self.sites_of_line[line].add(dump.site)
                terms = line_terms([word.lower() for word in WORD.findall(line)], line)
                self._of_site[dump.site][int(keep)].update(terms)
        self._total = tuple(
            Counter(term for terms in self._of_site.values() for term in terms[side])
            for side in (0, 1)
        )

    def without(self, sites: frozenset[str]) -> WordTable:
        """What words tell as if `sites` had not been there."""
        left_out = [self._of_site[site] for site in sites if site in self._of_site]
        return WordTable(
            odds=_LeftOut(self._total, left_out, log_odds),
            rarity=_LeftOut(self._total, left_out, rarity),
        )

    def shipped(self) -> dict[str, tuple[int, int]]:
        """Sites by term, of all terms that stand in enough of them to tell anything."""
        boilerplate, article = self._total
        counts = {
            term: (boilerplate[term], article[term]) for term in sorted({*boilerplate, *article})
        }
        return {term: sites for term, sites in counts.items() if sum(sites) >= FEWEST_SITES}


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """Values of terms without what some sites contribute, computed when asked for."""

    total: tuple[Counter[str], ...]
    left_out: list[tuple[set[str], set[str]]]
    value: Callable[[int, int], float]

    def get(self, term: str, default: float, /) -> float:
        boilerplate, article = (self.total[side].get(term, 0) for side in (0, 1))
        if boilerplate + article < FEWEST_SITES:
            return default
        for in_boilerplate, in_article in self.left_out:
            boilerplate -= term in in_boilerplate
            article -= term in in_article
        return self.value(boilerplate, article)


def read_dumps(data: Path) -> list[Dump]:
    """All labelled dumps below `data`."""
    return [
        Dump(
            name=name,
            page=row["id"],
            site=row["domain"] or row["id"],
            is_news=row["corpus"] != "wcxb_dev",
            lines=row["lines"],
            keep=np.array(row["keep"], dtype=bool),
        )
        for name in DUMPS
        for row in pl.read_parquet(_dump_file(data, name)).iter_rows(named=True)
    ]


def read_html_pages(data: Path, dumps: Sequence[Dump]) -> list[HtmlPage]:
    """The labelled HTML pages, each with the dump of all its lines."""
    whole = {dump.page: dump for dump in dumps if dump.name == "full"}
    pages = []
    for row in pl.read_parquet(_html_file(data)).iter_rows(named=True):
        tree = load_html(row["html"])
        view = view_page(row["html"], tree, read_metadata(tree, row["url"]))
        pages.append(HtmlPage(_shown(whole[row["id"]], view), view))
    return pages


def _shown(dump: Dump, view: PageView) -> Dump:
    seen = slice(view.first, view.first + len(view.lines))
    if [line.strip() for line in dump.lines[seen]] != view.lines:
        raise ValueError(f"{dump.page}: labels are of another version of resiliparse's text")
    return replace(dump, lines=dump.lines[seen], keep=dump.keep[seen])


def train(dumps: Sequence[Dump], pages: Sequence[HtmlPage]) -> Trained:
    """Fit both models on `dumps` and `pages`."""
    counts = SiteCounts(dump for dump in dumps if dump.name == "full")
    features = [_left_out_features(dump, counts) for dump in dumps]
    views = [_left_out_features(page.dump, counts) for page in pages]
    opinions = _out_of_fold(dumps, features, pages, views)
    lines = to_onnx([_fit_lines(dumps, features)])
    blocks = to_onnx(_fit_blocks(pages, views, opinions))
    return Trained(counts.shipped(), lines, blocks)


def assign_folds(sites: Iterable[str]) -> dict[str, int]:
    """A fold for each site, by a seeded shuffle."""
    names = np.array(sorted(set(sites)))
    order = np.random.default_rng(SEED).permutation(len(names))
    return {str(names[number]): place % FOLDS for place, number in enumerate(order)}


def to_onnx(boosters: Sequence[lightgbm.Booster]) -> bytes:
    """The mean of some forests as an ONNX graph that gives probabilities."""
    nodes: dict[str, Any] = defaultdict(list)
    trees = [tree for booster in boosters for tree in booster.dump_model()["tree_info"]]
    for number, tree in enumerate(trees):
        _add_node(nodes, number, tree["tree_structure"], [0])
    nodes["target_weights"] = [weight / len(boosters) for weight in nodes["target_weights"]]
    forest = helper.make_node(
        "TreeEnsembleRegressor", ["features"], ["score"], domain="ai.onnx.ml", n_targets=1, **nodes
    )
    logistic = helper.make_node("Sigmoid", ["score"], ["probability"])
    width = boosters[0].num_feature()
    graph = helper.make_graph(
        [forest, logistic],
        "lines",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 1])],
    )
    versions = [helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def main() -> None:
    """Train on all pages and write the models with their provenance."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    dumps = read_dumps(data)
    pages = read_html_pages(data, dumps)
    write(train(dumps, pages), _RESOURCES)
    provenance = _provenance(data, dumps, pages)
    (_RESOURCES / "training.json").write_text(json.dumps(provenance, indent=2) + "\n")


def write(trained: Trained, folder: Path) -> None:
    """Write word counts and models where `flows.clean.classifier` reads them."""
    rows = [f"{term}\t{sites[0]}\t{sites[1]}" for term, sites in trained.counts.items()]
    header = "term\tboilerplate_sites\tarticle_sites"
    (folder / "line_words.tsv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (folder / "lines.onnx").write_bytes(trained.lines)
    (folder / "blocks.onnx").write_bytes(trained.blocks)


def _left_out_features(dump: Dump, counts: SiteCounts) -> LineFeatures:
    known: dict[frozenset[str], WordTable] = {}
    per_line = []
    for line in dump.lines:
        sites = frozenset({dump.site, *counts.sites_of_line.get(line, ())})
        per_line.append(known.setdefault(sites, counts.without(sites)))
    return line_features(dump.lines, load_templates(), per_line)


def _fit_lines(dumps: Sequence[Dump], features: Sequence[LineFeatures]) -> lightgbm.Booster:
    weights = [
        _weights(view) * (_NEWS_WEIGHT if dump.is_news else 1.0)
        for dump, view in zip(dumps, features, strict=True)
    ]
    labels = [dump.keep for dump in dumps]
    return _fit([view.matrix for view in features], labels, weights, _LINE_BOOSTING, _LINE_ROUNDS)


def _out_of_fold(
    dumps: Sequence[Dump],
    features: Sequence[LineFeatures],
    pages: Sequence[HtmlPage],
    views: Sequence[LineFeatures],
) -> dict[str, NDArray[np.float32]]:
    """Opinion on the lines of each page, by a model that knows nothing of its site."""
    folds = assign_folds(dump.site for dump in dumps)
    opinions = {}
    for fold in range(FOLDS):
        seen = [number for number, dump in enumerate(dumps) if folds[dump.site] != fold]
        booster = _fit_lines([dumps[n] for n in seen], [features[n] for n in seen])
        for page, view in zip(pages, views, strict=True):
            if folds[page.dump.site] == fold:
                probabilities = np.asarray(booster.predict(view.matrix), dtype=np.float32)
                opinions[page.dump.page] = probabilities
    return opinions


def _fit_blocks(
    pages: Sequence[HtmlPage],
    views: Sequence[LineFeatures],
    opinions: Mapping[str, NDArray[np.float32]],
) -> list[lightgbm.Booster]:
    """Several that differ in their seed: one alone depends on chance with so few pages."""
    matrices = [
        block_features(page.view, view, opinions[page.dump.page])
        for page, view in zip(pages, views, strict=True)
    ]
    labels = [page.dump.keep for page in pages]
    weights = [_weights(view) for view in views]
    return [
        _fit(matrices, labels, weights, _BLOCK_BOOSTING | {"seed": SEED + number}, _BLOCK_ROUNDS)
        for number in range(_BLOCK_SEEDS)
    ]


def _fit(
    matrices: Sequence[Matrix],
    labels: Sequence[NDArray[np.bool_]],
    weights: Sequence[Matrix],
    parameters: dict[str, Any],
    rounds: int,
) -> lightgbm.Booster:
    examples = lightgbm.Dataset(
        np.concatenate(matrices),
        np.concatenate(labels).astype(np.float32),
        weight=np.concatenate(weights),
    )
    return lightgbm.train(parameters, examples, rounds)


def _weights(view: LineFeatures) -> Matrix:
    """Long lines count more than short ones, and every page counts the same."""
    weights = np.sqrt(np.maximum(view.column("words"), 1))
    scaled: Matrix = (weights / weights.sum() * 20).astype(np.float32)
    return scaled


def _add_node(nodes: dict[str, Any], tree: int, node: dict[str, Any], next_id: list[int]) -> int:
    own = next_id[0]
    next_id[0] += 1
    row = len(nodes["nodes_nodeids"])
    is_leaf = "leaf_value" in node
    for name, value in (
        ("nodes_treeids", tree),
        ("nodes_nodeids", own),
        ("nodes_modes", "LEAF" if is_leaf else "BRANCH_LEQ"),
        ("nodes_featureids", 0 if is_leaf else node["split_feature"]),
        ("nodes_values", 0.0 if is_leaf else _single(node["threshold"])),
        ("nodes_truenodeids", 0),
        ("nodes_falsenodeids", 0),
    ):
        nodes[name].append(value)
    if is_leaf:
        for name, value in (
            ("target_treeids", tree),
            ("target_nodeids", own),
            ("target_ids", 0),
            ("target_weights", node["leaf_value"]),
        ):
            nodes[name].append(value)
        return own
    nodes["nodes_truenodeids"][row] = _add_node(nodes, tree, node["left_child"], next_id)
    nodes["nodes_falsenodeids"][row] = _add_node(nodes, tree, node["right_child"], next_id)
    return own


def _single(threshold: float) -> float:
    """The greatest single-precision number that is not above `threshold`: trees stay the same."""
    rounded = np.float32(threshold)
    if rounded > threshold:
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    return float(rounded)


def _provenance(data: Path, dumps: Sequence[Dump], pages: Sequence[HtmlPage]) -> dict[str, Any]:
    files = [*(_dump_file(data, name) for name in DUMPS), _html_file(data)]
    return {
        "command": "python -m flows.clean.training DATA",
        "seed": SEED,
        "dumps": len(dumps),
        "sites": len({dump.site for dump in dumps}),
        "html_pages": len(pages),
        "inputs_sha256": {
            str(file.relative_to(data)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
        },
        "outputs_sha256": {
            name: hashlib.sha256((_RESOURCES / name).read_bytes()).hexdigest()
            for name in ("line_words.tsv", "lines.onnx", "blocks.onnx")
        },
        "libraries": {
            library.__name__: library.__version__ for library in (lightgbm, np, onnx, pl)
        },
    }


def _dump_file(data: Path, name: str) -> Path:
    return data / "plain" / f"{name}_train.parquet"


def _html_file(data: Path) -> Path:
    return data / "html" / "train.parquet"


if __name__ == "__main__":
    main()
