"""Which words stand in boilerplate and which in articles, counted over training pages."""

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Protocol

WORD = re.compile(r"\w+")
WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
FEWEST_SITES = 6
RAREST = 6.5
_EVERYDAY = 1.2
_FIRST_WORDS = 40
_SMOOTHING = 0.7


class TermValues(Protocol):
    """A number by word or word pair, as a dictionary gives it."""

    def get(self, term: str, default: float, /) -> float:
        """The number of `term`, else `default`."""


@dataclass(frozen=True, slots=True)
class WordTable:
    """What words tell about the line that they stand in.

    `odds` is the log odds that a line with a word or word pair is boilerplate (0 where it is too
    rare to tell), `rarity` how much a word that two paragraphs share tells about a common
    subject (its idf; 0 for everyday words, `RAREST` for unknown ones).
    """

    odds: TermValues
    rarity: TermValues


def log_odds(boilerplate_sites: int, article_sites: int) -> float:
    """Log odds of boilerplate, by how many sites have a term there and in articles."""
    if boilerplate_sites + article_sites < FEWEST_SITES:
        return 0.0
    return math.log((boilerplate_sites + _SMOOTHING) / (article_sites + _SMOOTHING))


def rarity(boilerplate_sites: int, article_sites: int) -> float:
    """How rare a word is over sites."""
    sites = boilerplate_sites + article_sites
    if sites < FEWEST_SITES:
        return RAREST
    value = RAREST - math.log(1 + sites)
    return value if value >= _EVERYDAY else 0.0


def line_terms(words: list[str], line: str) -> set[str]:
    """Words, word pairs and the first word (`^word`) of a line; `words` are in lower case."""
    words = ["0" if word.isdigit() else word for word in words[:_FIRST_WORDS]]
    if not line.isascii() and WIDE.search(line):
        words += wide_pairs(line)
    terms = {*words, *map(" ".join, pairwise(words))}
    if words:
        terms.add(f"^{words[0]}")
    return terms


def wide_pairs(line: str) -> list[str]:
    """Neighbouring characters of a script that is written without spaces."""
    return [a + b for a, b in pairwise(line) if WIDE.match(a) and WIDE.match(b)]


@cache
def shipped_words() -> WordTable:
    """The table that ships with the project (once per process)."""
    source = files("flows.clean").joinpath("resources/line_words.tsv")
    rows = csv.reader(
        source.read_text(encoding="utf-8").splitlines()[1:], delimiter="\t", quoting=csv.QUOTE_NONE
    )
    return word_table({term: (int(sites), int(articles)) for term, sites, articles in rows})


def word_table(counts: Mapping[str, tuple[int, int]]) -> WordTable:
    """From the numbers of sites with a term in boilerplate and in articles."""
    return WordTable(
        odds={term: log_odds(*sites) for term, sites in counts.items()},
        rarity={term: rarity(*sites) for term, sites in counts.items()},
    )
