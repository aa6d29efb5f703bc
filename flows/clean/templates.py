"""Whole lines that are never article: comment forms, share bars, notices, related links.

`resources/boilerplate.tsv` holds them: `line` rows are compared in folded spelling, `pattern`
rows are RE2 expressions over the whole line, `hint` rows only inform the line classifier.
"""

import csv
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import re2

_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")
_LONGEST_TEMPLATE = 400
_LONGEST_PATTERN = 250
COMMENTS_START = "comments_start"


@dataclass(frozen=True, slots=True)
class Templates:
    """The project's templates, ready to be matched against lines."""

    lines: dict[str, str]
    hints: frozenset[str]
    patterns: re2.Set
    pattern_kinds: Sequence[str]

    def kind_of(self, line: str, folded: str | None = None) -> str | None:
        """Kind of boilerplate that the whole `line` is (`akismet`, `share`, …), if any."""
        if len(line) > _LONGEST_TEMPLATE:
            return None
        kind = self.lines.get(fold(line) if folded is None else folded)
        if kind or len(line) > _LONGEST_PATTERN:
            return kind
        numbers = self.patterns.Match(line)
        return self.pattern_kinds[min(numbers)] if numbers else None


def fold(line: str) -> str:
    """Words of `line` in one spelling: NFKC, lower case, runs of digits as 0, no punctuation."""
    folded = _DIGITS.sub("0", unicodedata.normalize("NFKC", line).casefold())
    return " ".join(_WORD.findall(folded))


@cache
def load_templates() -> Templates:
    """Read the templates that ship with the project (once per process)."""
    source = files("flows.clean").joinpath("resources/boilerplate.tsv")
    lines = source.read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    patterns = [row for row in rows if row["match"] == "pattern"]
    return Templates(
        lines={row["template"]: row["kind"] for row in rows if row["match"] == "line"},
        hints=frozenset(row["template"] for row in rows if row["match"] == "hint"),
        patterns=_compiled([row["template"] for row in patterns]),
        pattern_kinds=[row["kind"] for row in patterns],
    )


def _compiled(patterns: Sequence[str]) -> re2.Set:
    options = re2.Options()
    options.case_sensitive = False
    compiled = re2.Set.FullMatchSet(options)
    for pattern in patterns:
        compiled.Add(pattern)
    compiled.Compile()
    return compiled
