"""What the line classifier sees of each line: its shape, its words, its place, its neighbours."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from flows.clean.templates import Templates, fold
from flows.clean.words import RAREST, WIDE, WORD, WordTable, line_terms, wide_pairs

Matrix = NDArray[np.float32]

SHAPE = (
    "characters", "words", "word_length", "capitalized", "all_caps", "digits", "function_words",
    "ending", "sentences", "commas", "quotes", "bullet", "starts_digit", "starts_lower",
    "starts_quote", "symbols", "address", "wide", "template", "hinted", "exclaims", "parenthesis",
    "year", "clock", "addresses_reader", "signal_words", "first_person", "name_only", "reports",
    "trails_off",
)  # fmt: skip
WORD_FEATURES = ("odds_mean", "odds_sum", "odds_most", "odds_least", "odds_known")
_NEIGHBOURS = (-3, -2, -1, 1, 2, 3)
_WINDOWS = (3, 8)
_FAR = 99
_FIRST = itemgetter(0)

_ENDING = re.compile(r"([.!?…。！？:;,])?['\"”’»)\]」』]*$")
_ENDINGS = {mark: number for number, mark in enumerate(".!?…。！？:;,", 1)}
_SENTENCE_ENDINGS = range(1, 9)
_SENTENCE = re.compile(r"[.!?。！？]['\"”’»)]*(?:\s|$)")
_QUOTE = re.compile(r"[\"“”„«»]")
_QUOTED = re.compile(r"[\"“„«][^\"”“»]*[\"”“»]?")
_SYMBOL = re.compile(r"[|/›»·•→←+&©@#]")
_DIGIT = re.compile(r"\d")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_CLOCK = re.compile(r"\d{1,2}[:.]\d\d")
_FIRST_PERSON = re.compile(r"\b(?:I|my|me|My|ich|mich|mein|meine)\b")
_NAME_ONLY = re.compile(r"[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+){1,3}")
_FUNCTION = """
the a an of to in and for on that is was with as by at from it he she they be are were has
have had not his her their this but or which who will would said der die das und den von
zu mit sich des auf für ist im dem nicht ein eine als auch es er sie war wird bei nach de
la le les et en du un une que qui dans pour el los las y una con por del se o os e da do
em um uma para com na no não il di che per non och att det som på av är för med i til af
ikke het van op te dat
"""
_FUNCTION_WORDS = frozenset(_FUNCTION.split())
_READER = "you your our we us du ihr ihre wir unsere"
_READER_WORDS = frozenset(_READER.split())
_OWN_WORDS = frozenset(("i", "my", "me", "ich", "mich", "mein", "meine"))
_REPORT = "said says told according added sagte sagt dijo disse"
_REPORT_WORDS = frozenset(_REPORT.split())
_SIGNAL = """
subscribe newsletter sign email click share comment comments read more cookie cookies
privacy policy copyright reserved rights terms follow facebook twitter instagram account
log login advertisement related photo image getty photos updated published posted reply
reporter editor contributor author abonnieren kommentare anmelden mehr lesen foto bild
quelle video watch listen podcast app download free subscribers subscriber contact
editorial join support donate tags topics
"""
_SIGNAL_WORDS = frozenset(_SIGNAL.split())
_TEMPLATE_NUMBERS = {
    kind: number
    for number, kind in enumerate(
        (
            "comments_start", "comment_form", "akismet", "jetpack_like", "jetpack_share", "share",
            "newsletter", "related", "legal", "ad", "taxonomy", "paywall", "cookie", "disqus",
        ),
        1,
    )
}  # fmt: skip
_PAGE_ENDS = frozenset({1, 2, 3, 4, 5, 7, 8, 14})
_COLUMN = {name: number for number, name in enumerate(SHAPE)}
_CORE = ("words", "function_words", "ending", "template", "hinted", "bullet", "capitalized")


@dataclass(frozen=True, slots=True)
class LineFeatures:
    """A row per line; `shape` is the part that describes the line by itself, `kinds` the kind of
    template that each line is, if any.
    """

    matrix: Matrix
    shape: Matrix
    kinds: list[str | None]

    def column(self, name: str) -> Matrix:
        """One column of `shape` by its name in `SHAPE`."""
        return self.shape[:, _COLUMN[name]]


def line_features(
    lines: Sequence[str], templates: Templates, table: Sequence[WordTable] | WordTable
) -> LineFeatures:
    """Features of `lines` in their order on a page; none of them empty.

    `table` may differ by line, which training needs to leave out a line's own site.
    """
    tables = [table] * len(lines) if isinstance(table, WordTable) else table
    words = [WORD.findall(line) for line in lines]
    lower = [[word.lower() for word in line_words] for line_words in words]
    folded = [fold(line) for line in lines]
    kinds = [templates.kind_of(*pair) for pair in zip(lines, folded, strict=True)]
    hinted = [line in templates.hints for line in folded]
    shape = _matrix(list(map(_shape, lines, words, lower, kinds, hinted)), len(SHAPE))
    odds = _matrix(list(map(_word_odds, lines, lower, tables)), len(WORD_FEATURES))
    subject = _subject_overlap(lines, lower, shape, tables)
    good = _is_prose(shape)
    core = np.column_stack(
        [shape[:, [_COLUMN[name] for name in _CORE]], good, subject[:, 0], odds[:, :2]]
    )
    parts = [
        shape, odds, subject, good, _repeats(folded), _position(shape, good),
        *(shifted(core, by) for by in _NEIGHBOURS), _windows(shape, good, subject, odds),
    ]  # fmt: skip
    return LineFeatures(np.column_stack(parts).astype(np.float32), shape, kinds)


def shifted(matrix: Matrix, by: int) -> Matrix:
    """Rows of the neighbours `by` lines further down (up where negative); -9 beyond the page."""
    moved: Matrix = np.full_like(matrix, -9)
    if by < 0:
        moved[-by:] = matrix[:by]
    elif by < len(matrix):
        moved[: len(matrix) - by] = matrix[by:]
    return moved


def window_means(columns: Matrix, reach: int) -> Matrix:
    """Means over each line and the `reach` lines on both sides of it, edge lines repeated."""
    padded = np.pad(columns, ((reach, reach), (0, 0)), mode="edge")
    sums = np.cumsum(np.vstack([np.zeros((1, columns.shape[1])), padded]), axis=0)
    width = 2 * reach + 1
    return np.asarray((sums[width:] - sums[:-width]) / width, dtype=np.float32)


def _matrix(rows: list[tuple[float, ...]], width: int) -> Matrix:
    return np.array(rows, dtype=np.float32).reshape(len(rows), width)


def _shape(
    line: str, words: list[str], lower: list[str], kind: str | None, hinted: bool
) -> tuple[float, ...]:
    length, number = len(line), len(words)
    wide = 0 if line.isascii() else len(WIDE.findall(line))
    digits = len(_DIGIT.findall(line))
    some = max(number, 1)
    ending = _ENDING.search(line, max(length - 6, 0))
    known = set(lower)
    return (
        length,
        number + wide / 2,
        length / some,
        sum(map(str.isupper, map(_FIRST, words))) / some,
        sum(map(str.isupper, words)) / some,
        digits / length,
        sum(map(_FUNCTION_WORDS.__contains__, lower)) / some,
        _ENDINGS.get(ending[1], 0) if ending else 0,
        len(_SENTENCE.findall(line)),
        line.count(",") / some,
        len(_QUOTE.findall(line)),
        line[0] in "-•*·–▪",
        line[0].isdigit(),
        line[0].islower(),
        line[0] in "\"“„«'‘”",
        len(_SYMBOL.findall(line)) / length,
        "http" in line or "www." in line,
        wide / length,
        _TEMPLATE_NUMBERS.get(kind, 0) if kind else 0,
        hinted,
        line.count("?") + line.count("!"),
        "(" in line,
        digits > 3 and _YEAR.search(line) is not None,
        digits > 2 and _CLOCK.search(line) is not None,
        len(known & _READER_WORDS),
        len(known & _SIGNAL_WORDS),
        0 if known.isdisjoint(_OWN_WORDS) else len(_FIRST_PERSON.findall(_QUOTED.sub("", line))),
        number <= 5 and _NAME_ONLY.fullmatch(line) is not None,
        not known.isdisjoint(_REPORT_WORDS),
        line.endswith(("...", "…")),
    )


def _word_odds(line: str, lower: list[str], table: WordTable) -> tuple[float, ...]:
    look_up = table.odds.get
    odds = [value for term in line_terms(lower, line) if (value := look_up(term, 0.0))]
    if not odds:
        return (0.0,) * len(WORD_FEATURES)
    total, known = sum(odds), len(odds)
    return total / known, total / known**0.5, max(odds), min(odds), known


def _is_prose(shape: Matrix) -> Matrix:
    ends_sentence = np.isin(shape[:, _COLUMN["ending"]], _SENTENCE_ENDINGS)
    no_template = shape[:, _COLUMN["template"]] == 0
    is_long = shape[:, _COLUMN["words"]] >= 10
    return np.asarray(is_long & ends_sentence & no_template, dtype=np.float32)


def _subject_overlap(
    lines: Sequence[str],
    lower: Sequence[list[str]],
    shape: Matrix,
    tables: Sequence[WordTable],
) -> Matrix:
    """How far a line shares rare words with the page's other long lines: share, sum, total."""
    wide = (shape[:, _COLUMN["wide"]] >= 0.2).tolist()
    terms = [
        set(wide_pairs(line)) if is_wide else {word for word in words if len(word) > 2}
        for line, words, is_wide in zip(lines, lower, wide, strict=True)
    ]
    is_long = (shape[:, _COLUMN["words"]] >= 15) & np.isin(
        shape[:, _COLUMN["ending"]], _SENTENCE_ENDINGS
    )
    subject = Counter(term for number in np.flatnonzero(is_long) for term in terms[number])
    anywhere, elsewhere = set(subject), {term for term, count in subject.items() if count > 1}
    return _matrix(
        [
            _shared(own, elsewhere if in_subject else anywhere, table)
            for own, in_subject, table in zip(terms, is_long.tolist(), tables, strict=True)
        ],
        3,
    )


def _shared(terms: set[str], subject: set[str], table: WordTable) -> tuple[float, float, float]:
    look_up = table.rarity.get
    total = sum([look_up(term, RAREST) for term in terms])
    shared = sum([look_up(term, RAREST) for term in terms & subject])
    return (shared / total if total else 0.5), shared, total


def _repeats(folded: Sequence[str]) -> Matrix:
    total, before = Counter(folded), Counter[str]()
    rows: list[tuple[float, ...]] = []
    for line in folded:
        rows.append((total[line], before[line]))
        before[line] += 1
    return _matrix(rows, 2)


def _position(shape: Matrix, good: Matrix) -> Matrix:
    number, characters = len(shape), shape[:, 0]
    index = np.arange(number)
    read = np.cumsum(characters) / max(characters.sum(), 1)
    prose = np.cumsum(good)
    hits = (shape[:, _COLUMN["template"]] > 0) | (shape[:, _COLUMN["hinted"]] > 0)
    templates = np.cumsum(hits)
    ends = np.isin(shape[:, _COLUMN["template"]], list(_PAGE_ENDS))
    first, last = _densest_run(shape[:, _COLUMN["words"]], good)
    page = np.broadcast_to(
        [number, characters.sum(), good.mean() if number else 0, good.sum()], (number, 4)
    )
    return np.column_stack(
        [
            page, index / max(number, 1), read, index, number - index, prose - good,
            prose[-1:] - prose, _since(good > 0), _since(good[::-1] > 0)[::-1], templates,
            templates[-1:] - templates, _since(ends), (index >= first) & (index <= last),
            np.maximum(first - index, 0), np.maximum(index - last, 0),
        ]
    )  # fmt: skip


def _since(marked: NDArray[np.bool_]) -> Matrix:
    """Lines since the last marked line above each line; 99 where none stands above."""
    index = np.arange(len(marked))
    last = np.maximum.accumulate(np.where(marked, index, -1))
    above = np.concatenate([[-1], last[:-1]]) if len(marked) else last
    since: Matrix = np.where(above >= 0, np.minimum(index - above, _FAR), _FAR).astype(np.float32)
    return since


def _densest_run(words: Matrix, good: Matrix) -> tuple[int, int]:
    """The run of lines with most words of prose, each other line counting six against it."""
    best = current = 0.0
    first = last = start = 0
    for number, gain in enumerate(np.where(good > 0, words, -6.0).tolist()):
        if current <= 0:
            current, start = 0.0, number
        current += gain
        if current > best:
            best, first, last = current, start, number
    return first, last


def _windows(shape: Matrix, good: Matrix, subject: Matrix, odds: Matrix) -> Matrix:
    columns = np.column_stack(
        [
            good, shape[:, _COLUMN["words"]], shape[:, _COLUMN["template"]] > 0, subject[:, 0],
            shape[:, _COLUMN["bullet"]], odds[:, 0], shape[:, _COLUMN["first_person"]],
        ]
    )  # fmt: skip
    return np.column_stack([window_means(columns, reach) for reach in _WINDOWS])
