"""Agreement on speakers and stances, end to end.

Statements are paired by content. A row (statement, target, sign) is right if the statement is
paired, the sign is the same and the content words of the two targets agree (Dice at least one
half); a triple is a row whose speaker is right too.
"""

import re
import unicodedata
from collections import Counter

from flows.evaluation.corpus import Article, Attribution, Offsets, Row
from flows.evaluation.matching import WORD, characters, clipped, pair_best_first

POLAR = ("favor", "against")
SAME_TARGET = 0.5
SMALL_WORDS = frozenset(
    "the a an of in on at by for to and or from with as that this these those his her its their "
    "our my your it he she they we is are was be been who which any all some not no".split()
)
HONORIFICS = frozenset(
    "mr mrs ms dr sir president senator sen rep representative gov governor secretary minister "
    "ayatollah former judge justice general gen professor prof the a an".split()
)
_POSSESSIVE = re.compile(r"['’]s$")

Counts = Counter[str]


def count_statements(gold: Article, found: list[Attribution]) -> Counts:
    """Hits and totals of one article."""
    text = gold["text"]
    wanted = gold["attributions"]
    pairs = pair_best_first(
        [characters(a.get("content"), text) for a in wanted],
        [characters(a.get("content"), text) for a in found],
        lambda c: (-c[0], -c[1], -c[2]),
    )
    counts: Counts = Counter(
        {
            "statements": len(wanted),
            "paired": len(pairs),
            "gold rows": sum(len(polar(a)) for a in wanted),
            "found rows": sum(len(polar(a)) for a in found),
        }
    )
    for i, j in pairs.items():
        counts += _count_pair(wanted[i], found[j], text)
    counts["rows of missed statements"] = sum(
        len(polar(a)) for i, a in enumerate(wanted) if i not in pairs
    )
    counts["rows of invented statements"] = sum(
        len(polar(a)) for j, a in enumerate(found) if j not in pairs.values()
    )
    return counts


def summarize_statements(counts: Counts) -> dict[str, float]:
    """Figures in percent."""
    figures = {
        "speaker": _share(counts["speaker right"], counts["with speaker"]),
        "speaker exact": _share(counts["speaker exact"], counts["named speaker"]),
        "sign": _share(counts["sign right"], counts["polar on both sides"]),
        "intensity": _share(counts["intensity right"], counts["stance right"]),
    }
    for label in ("target", "stance", "triple"):
        hits = counts[f"{label} right"]
        precision, recall = _share(hits, counts["found rows"]), _share(hits, counts["gold rows"])
        both = precision + recall
        figures |= {
            f"{label} P": precision,
            f"{label} R": recall,
            f"{label} F1": 2 * precision * recall / both if both else 0.0,
        }
    return figures


def error_classes(counts: Counts) -> dict[str, int]:
    """Where rows are lost or invented: a partition of missed and of wrong rows."""
    return {
        "missed: statement not found": counts["rows of missed statements"],
        "missed: no side seen": counts["rows unseen"],
        "missed: other target or sign": counts["gold rows"]
        - counts["stance right"]
        - counts["rows of missed statements"]
        - counts["rows unseen"],
        "wrong: no such statement": counts["rows of invented statements"],
        "wrong: takes no side": counts["rows imagined"],
        "wrong: other target or sign": counts["found rows"]
        - counts["stance right"]
        - counts["rows of invented statements"]
        - counts["rows imagined"],
        "right target, wrong sign": counts["sign flipped"],
        "right row, wrong speaker": counts["stance right"] - counts["triple right"],
    }


def same_speaker(gold: str | None, found: str | None, kind: str | None) -> bool:
    """Whether two names are one speaker's.

    Named: equal without honorifics, or one contains the other and both end alike. Unnamed: half
    of the words in common.
    """
    if not gold or not found:
        return not gold and not found
    left, right = name_words(gold), name_words(found)
    if left == right:
        return True
    if kind == "unnamed":
        return len(set(left) & set(right)) >= 0.5 * max(len(set(left)), len(set(right)))
    contained = set(left) <= set(right) or set(right) <= set(left)
    return left[-1] == right[-1] and contained


def name_words(name: str) -> list[str]:
    """Words of a name in lower case, without honorifics and articles unless these are all."""
    folded = (w.lower() for w in WORD.findall(unicodedata.normalize("NFKC", name)))
    words = [w for w in (_POSSESSIVE.sub("", word).replace(".", "") for word in folded) if w]
    return [word for word in words if word not in HONORIFICS] or words


def polar(attribution: Attribution) -> list[Row]:
    """The rows that take a side."""
    return [row for row in attribution.get("stances") or [] if row["stance"] in POLAR]


def right_rows(gold: Attribution, found: Attribution, text: str) -> list[tuple[Row, Row]]:
    """Pairs of rows that agree in target and sign, each row once."""
    return _agreeing(polar(gold), polar(found), text, same_sign=True)


def _count_pair(gold: Attribution, found: Attribution, text: str) -> Counts:
    kind, name = gold.get("speaker_type"), gold.get("speaker")
    right_speaker = same_speaker(name, found.get("speaker"), kind)
    wanted, given = polar(gold), polar(found)
    right = right_rows(gold, found, text)
    on_target = _agreeing(wanted, given, text, same_sign=False)
    counts: Counts = Counter(
        {
            "stance right": len(right),
            "triple right": len(right) if right_speaker else 0,
            "target right": len(on_target),
            "intensity right": sum(g.get("intensity") == f.get("intensity") for g, f in right),
            "sign flipped": sum(g["stance"] != f["stance"] for g, f in on_target),
            "rows unseen": len(wanted) if not given else 0,
            "rows imagined": len(given) if not wanted else 0,
        }
    )
    if name:
        counts.update({"with speaker": 1, "speaker right": int(right_speaker)})
        if kind != "unnamed":
            same = name_words(name) == name_words(found.get("speaker") or "")
            counts.update({"named speaker": 1, "speaker exact": int(same)})
    if wanted and given:
        same_signs = {r["stance"] for r in wanted} == {r["stance"] for r in given}
        counts.update({"polar on both sides": 1, "sign right": int(same_signs)})
    return counts


def _agreeing(
    gold: list[Row], found: list[Row], text: str, *, same_sign: bool
) -> list[tuple[Row, Row]]:
    """For each gold row in turn, the free found row whose target agrees best with its own."""
    free = list(found)
    pairs = []
    for row in gold:
        candidates = [
            (_dice(_heads(row["target"], text), _heads(other["target"], text)), number)
            for number, other in enumerate(free)
            if not same_sign or other["stance"] == row["stance"]
        ]
        alike, number = max(candidates, default=(0.0, -1))
        if alike >= SAME_TARGET:
            pairs.append((row, free.pop(number)))
    return pairs


def _heads(spans: Offsets | None, text: str) -> frozenset[int]:
    """Where the content words of a target start; of all its words where all are small."""
    words = [
        (start + match.start(), match.group().lower())
        for start, end in clipped(spans, text)
        for match in WORD.finditer(text[start:end])
    ]
    heads = frozenset(at for at, word in words if word not in SMALL_WORDS)
    return heads or frozenset(at for at, _ in words)


def _dice(left: frozenset[int], right: frozenset[int]) -> float:
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


def _share(hits: int, total: int) -> float:
    return 100 * hits / total if total else 0.0
