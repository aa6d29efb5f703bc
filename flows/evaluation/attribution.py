"""Agreement on attributions: content, and whose it is.

An attribution is right end to end if its content overlaps the annotated one (Jaccard index of
characters at least one half, paired one to one) and its source shares a telling word with the
annotated one. Classes by the share of a content's words inside quotation marks: `direct` (nine
tenths), `mixed`, `indirect` (none); `quoted` is the first two together.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

from flows.evaluation.corpus import Article, Attribution, Offsets
from flows.evaluation.matching import WORD, characters, clipped, pair_best_first

CLASSES = ("all", "quoted", "direct", "mixed", "indirect")
SMALL_WORDS = frozenset(
    "the a an of in on at by for to and or from with as that this these those his her its their "
    "our my your who whom which some many other another one two several".split()
)

Counts = Counter[tuple[str, ...]]


def count_attributions(gold: Article, found: list[Attribution]) -> Counts:
    """Hits and totals of one article, by kind of hit, class and side (`gold`, `found`)."""
    text = _Text(gold["text"])
    predicted = [attribution for attribution in found if attribution.get("content")]
    sides = {"gold": gold["attributions"], "found": predicted}
    words = {side: [text.words(a.get("content")) for a in rows] for side, rows in sides.items()}
    classes = {side: [text.kind(w) for w in found_words] for side, found_words in words.items()}
    counts: Counts = Counter()
    _count_tokens(counts, words["gold"], words["found"])
    for side, kinds in classes.items():
        for kind in kinds:
            _add(counts, "total", kind, side)
    for i, j in _identical(words["gold"], words["found"]):
        _add(counts, "strict", classes["gold"][i], "gold")
        _add(counts, "strict", classes["found"][j], "found")
    contents = {
        side: [characters(a.get("content"), text.text) for a in rows]
        for side, rows in sides.items()
    }
    pairs = pair_best_first(contents["gold"], contents["found"], lambda c: (-c[0], c[1], c[2]))
    for i, j in pairs.items():
        matched = (classes["gold"][i], classes["found"][j])
        _count_pair(counts, text, sides["gold"][i], predicted[j], matched)
    return counts


def summarize_attributions(counts: Counts) -> dict[str, float]:
    """Figures in percent: `<class> <figure>` for every class, and content tokens."""
    figures = dict(_prf("content tokens", counts, ("tokens", "both"), ("tokens",)))
    for kind in CLASSES:
        for hit in ("strict", "overlap", "end to end"):
            figures |= _prf(f"{kind} {hit}", counts, (hit, kind), ("total", kind))
        sourced = counts["sourced", kind, "gold"] or 1
        figures[f"{kind} source right"] = 100 * counts["source right", kind, "gold"] / sourced
        figures[f"{kind} source exact"] = 100 * counts["source exact", kind, "gold"] / sourced
    return figures


def _prf(
    label: str, counts: Counts, hit: tuple[str, ...], total: tuple[str, ...]
) -> Iterable[tuple[str, float]]:
    recall = _share(counts[*hit, "gold"], counts[*total, "gold"])
    precision = _share(counts[*hit, "found"], counts[*total, "found"])
    both = precision + recall
    yield f"{label} P", precision
    yield f"{label} R", recall
    yield f"{label} F1", 2 * precision * recall / both if both else 0.0


def _share(hits: int, total: int) -> float:
    return 100 * hits / total if total else 0.0


class _Text:
    """A text with its words, and which of them are inside quotation marks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words = [match.span() for match in WORD.finditer(text)]
        self._starts = [start for start, _ in self._words]
        self._quoted = _quoted_positions(text)

    def words(self, spans: Offsets | None) -> frozenset[int]:
        """Numbers of the words that some spans touch."""
        return frozenset(
            number
            for start, end in clipped(spans, self.text)
            for number in self._between(start, end)
        )

    def kind(self, words: frozenset[int]) -> str:
        """Class of a content with these words."""
        inside = sum(self._starts[number] in self._quoted for number in words)
        if not inside:
            return "indirect"
        return "direct" if inside >= 0.9 * len(words) else "mixed"

    def telling(self, words: frozenset[int]) -> frozenset[int]:
        """The words that are no small words; all of them where all are small."""
        return frozenset(n for n in words if self._word(n) not in SMALL_WORDS) or words

    def _word(self, number: int) -> str:
        start, end = self._words[number]
        return self.text[start:end].lower()

    def _between(self, start: int, end: int) -> Iterable[int]:
        first = max(0, bisect_right(self._starts, start) - 1)
        for number in range(first, len(self._words)):
            left, right = self._words[number]
            if left >= end:
                return
            if right > start:
                yield number


def _quoted_positions(text: str) -> frozenset[int]:
    """Positions inside double marks (also doubled single ones) of one paragraph."""
    inside: set[int] = set()
    is_open = False
    at = 0
    while at < len(text):
        character = text[at]
        if text.startswith("''", at):
            is_open = not is_open
            at += 2
            continue
        if character in '“”"\n':
            is_open = {"“": True, "”": False, "\n": False, '"': not is_open}[character]
        elif is_open:
            inside.add(at)
        at += 1
    return frozenset(inside)


def _identical(
    gold: list[frozenset[int]], found: list[frozenset[int]]
) -> Iterable[tuple[int, int]]:
    """Pairs of contents with the same words, one to one, in order."""
    free: dict[frozenset[int], list[int]] = {}
    for j, words in enumerate(found):
        free.setdefault(words, []).append(j)
    for i, words in enumerate(gold):
        if words and free.get(words):
            yield i, free[words].pop(0)


def _count_tokens(counts: Counts, gold: list[frozenset[int]], found: list[frozenset[int]]) -> None:
    everything_gold, everything_found = frozenset().union(*gold), frozenset().union(*found)
    both = len(everything_gold & everything_found)
    counts["tokens", "both", "gold"] = counts["tokens", "both", "found"] = both
    counts["tokens", "gold"] = len(everything_gold)
    counts["tokens", "found"] = len(everything_found)


def _count_pair(
    counts: Counts, text: _Text, gold: Attribution, found: Attribution, kinds: tuple[str, str]
) -> None:
    wanted, given = text.words(gold.get("source")), text.words(found.get("source"))
    has_source = bool(gold.get("source"))
    if has_source and found.get("source"):
        right = bool(text.telling(wanted) & given)
    else:
        right = has_source == bool(found.get("source"))
    hits = ["overlap", "end to end"] if right else ["overlap"]
    for hit in hits:
        _add(counts, hit, kinds[0], "gold")
        _add(counts, hit, kinds[1], "found")
    if has_source:
        _add(counts, "sourced", kinds[0], "gold")
        if right:
            _add(counts, "source right", kinds[0], "gold")
        if wanted == given:
            _add(counts, "source exact", kinds[0], "gold")


def _add(counts: Counts, hit: str, kind: str, side: str) -> None:
    group = "indirect" if kind == "indirect" else "quoted"
    for label in {"all", kind, group}:
        counts[hit, label, side] += 1
