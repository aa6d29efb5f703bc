"""How well and how fast cleaning is: `python tests/benchmarks/bench_clean.py [--folds N]`.

HTML pages against trafilatura, resiliparse and keeping all text; text dumps against keeping all
lines. Sites are held back: models are trained here on the other folds, and the shipped ones,
which have seen every labelled page, take no part. Differences to trafilatura come with a paired
bootstrap over pages. Needs the labelled pages (STANCEBANK_DATA, else ../shared/data) and the
`train` extra; a fold takes a few minutes.
"""

import argparse
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree
from rich.console import Console
from rich.table import Table
from trafilatura import extract

from flows.clean import clean_html, clean_text
from flows.clean.classifier import Models
from flows.clean.training import (
    DUMPS,
    FOLDS,
    Dump,
    HtmlPage,
    assign_folds,
    read_dumps,
    read_html_pages,
    train,
)

PROJECT = Path(__file__).parents[2]
BOOTSTRAPS = 10_000
WORD = re.compile(r"\w+")
BASELINE = "trafilatura"


@dataclass
class Scores:
    """What one system did, page by page."""

    seconds: float = 0.0
    precision: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    corpora: list[str] = field(default_factory=list)

    def page_f1(self) -> np.ndarray:
        """F1 of each page."""
        return np.array([f1(*pair) for pair in zip(self.precision, self.recall, strict=True)])

    def mean_f1(self, corpus: str | None = None) -> float:
        """F1 of mean precision and mean recall, over the pages of one corpus or all."""
        chosen = [corpus in (None, its) for its in self.corpora]
        return f1(np.mean(np.array(self.precision)[chosen]), np.mean(np.array(self.recall)[chosen]))


@dataclass
class DumpScores:
    """What one system did on one kind of dump."""

    f1: list[float] = field(default_factory=list)
    lost: int = 0
    words: int = 0


def f1(precision: float, recall: float) -> float:
    """Harmonic mean; 0 where both are 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Runs of four words, the measure of the article-extraction benchmark."""
    words = WORD.findall(text)
    if 0 < len(words) < 4:
        return Counter({tuple(words): 1})
    return Counter(zip(words, words[1:], words[2:], words[3:], strict=False))


def precision_recall(gold: Counter, found: Counter) -> tuple[float, float]:
    """Of the multisets; both 1 where both are empty."""
    if not gold and not found:
        return 1.0, 1.0
    both = sum((gold & found).values())
    return both / max(sum(found.values()), 1), both / max(sum(gold.values()), 1)


def html_systems(models: Models) -> dict[str, Callable[[str, str], str]]:
    """Every system as a function of page and address."""
    return {
        "keep all": lambda html, _: plain(html, main_content=False),
        "resiliparse": lambda html, _: plain(html, main_content=True),
        BASELINE: lambda html, _: extract(html, include_comments=False) or "",
        "stancebank --fast": lambda html, url: clean_html(html, url, fast=True, models=models).text,
        "stancebank": lambda html, url: clean_html(html, url, models=models).text,
    }


def plain(html: str, *, main_content: bool) -> str:
    """Text as resiliparse gives it."""
    return extract_plain_text(HTMLTree.parse(html), main_content=main_content, alt_texts=False)


def score_html(pages: pl.DataFrame, models: Models, scores: dict[str, Scores]) -> None:
    """Add the scores of `pages` to those of every system."""
    for name, system in html_systems(models).items():
        own = scores.setdefault(name, Scores())
        for row in pages.iter_rows(named=True):
            start = time.process_time()
            text = system(row["html"], row["url"])
            own.seconds += time.process_time() - start
            pair = precision_recall(shingles(row["article_text"]), shingles(text))
            own.precision.append(pair[0])
            own.recall.append(pair[1])
            own.corpora.append(row["corpus"])


def score_dumps(
    dumps: Iterable[Dump], articles: dict[str, str], models: Models, scores: dict[str, DumpScores]
) -> None:
    """Add the scores of news `dumps` for keeping all and for cleaning."""
    for dump in dumps:
        raw = "\n".join(dump.lines)
        for name, text in (("keep all", raw), ("stancebank", clean_text(raw, models=models).text)):
            own = scores.setdefault(f"{dump.name} {name}", DumpScores())
            gold, found = word_counts(articles[dump.page]), word_counts(text)
            own.f1.append(f1(*precision_recall(gold, found)))
            own.lost += sum((gold - found).values())
            own.words += sum(gold.values())


def word_counts(text: str) -> Counter[str]:
    """Words in lower case."""
    return Counter(word.lower() for word in WORD.findall(text))


def paired_p(differences: np.ndarray) -> float:
    """Share of bootstrap samples of pages in which the mean difference is not positive."""
    drawn = np.random.default_rng(1).integers(0, len(differences), (BOOTSTRAPS, len(differences)))
    return float((differences[drawn].mean(axis=1) <= 0).mean())


def html_table(scores: dict[str, Scores]) -> Table:
    """4-gram F1, difference to trafilatura, pages a second."""
    base = scores[BASELINE].page_f1()
    table = Table(title=f"HTML, {len(base)} held-back pages: 4-gram F1")
    for column in ("system", "AEB", "Fundus", "all", "page F1 − trafilatura", "p", "pages/CPU s"):
        table.add_column(column, justify="left" if column == "system" else "right")
    for name, own in scores.items():
        gain = own.page_f1() - base
        compared = (
            [f"{gain.mean():+.4f}", f"{paired_p(gain):.4f}"] if name != BASELINE else ["", ""]
        )
        figures = [f"{own.mean_f1(corpus):.4f}" for corpus in ("aeb", "fundus", None)]
        table.add_row(name, *figures, *compared, f"{len(base) / own.seconds:.1f}")
    return table


def dump_table(scores: dict[str, DumpScores]) -> Table:
    """Word F1 and the words lost beyond those that keeping every line loses."""
    table = Table(title="Text dumps of held-back news pages")
    for column in ("dump", "keep all, word F1", "stancebank, word F1", "p", "article words lost"):
        table.add_column(column, justify="left" if column == "dump" else "right")
    for dump in DUMPS:
        everything, cleaned = scores[f"{dump} keep all"], scores[f"{dump} stancebank"]
        gain = np.array(cleaned.f1) - np.array(everything.f1)
        table.add_row(
            dump,
            f"{np.mean(everything.f1):.4f}",
            f"{np.mean(cleaned.f1):.4f}",
            f"{paired_p(gain):.4f}",
            f"{(cleaned.lost - everything.lost) / cleaned.words:.3%}",
        )
    return table


def text_speed(dumps: Sequence[Dump], models: Models) -> float:
    """Megabytes of seed-like dumps cleaned in a CPU second."""
    texts = ["\n".join(dump.lines) for dump in dumps if dump.name == "seedlike"]
    start = time.process_time()
    for text in texts:
        clean_text(text, models=models)
    return sum(len(text.encode()) for text in texts) / 1e6 / (time.process_time() - start)


def held_back(
    dumps: Sequence[Dump], pages: Sequence[HtmlPage], fold: int
) -> tuple[set[str], Models]:
    """Names of the pages of a fold, and models trained on all others."""
    folds = assign_folds(dump.site for dump in dumps)
    seen = [dump for dump in dumps if folds[dump.site] != fold]
    seen_pages = [page for page in pages if folds[page.dump.site] != fold]
    return {dump.page for dump in dumps if folds[dump.site] == fold}, train(
        seen, seen_pages
    ).models()


def main() -> None:
    """Train on the other folds, score the held-back ones, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folds", type=int, default=1, choices=range(1, FOLDS + 1))
    folds = parser.parse_args().folds
    data = Path(os.environ.get("STANCEBANK_DATA", PROJECT.parent / "shared" / "data"))
    html = pl.read_parquet(data / "html" / "train.parquet")
    articles = dict(html.select("id", "article_text").rows())
    dumps = read_dumps(data)
    pages = read_html_pages(data, dumps)
    html_scores: dict[str, Scores] = {}
    dump_scores: dict[str, DumpScores] = {}
    speeds = []
    for fold in range(folds):
        names, models = held_back(dumps, pages, fold)
        news = [dump for dump in dumps if dump.page in names and dump.page in articles]
        score_html(html.filter(pl.col("id").is_in(names)), models, html_scores)
        score_dumps(news, articles, models, dump_scores)
        speeds.append(text_speed(news, models))
    console = Console(width=120)
    console.print(html_table(html_scores), dump_table(dump_scores))
    console.print(f"Plain text: {np.mean(speeds):.2f} MB a CPU second")


if __name__ == "__main__":
    main()
