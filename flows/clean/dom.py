"""What the markup of a page says about each block of its text."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from lxml.html import HtmlElement

from flows.clean.line_features import Matrix
from flows.clean.words import WORD

_BLOCK_TAGS = (
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "figcaption", "blockquote", "td", "div", "dd",
    "dt", "pre", "section", "span",
)  # fmt: skip
_TAG_NUMBERS = {
    tag: number
    for number, tag in enumerate(
        (*_BLOCK_TAGS, "header", "footer", "aside", "article", "nav", "ul"), 1
    )
}
_NEED_OWN_TEXT = frozenset({"div", "section", "span", "td"})
_SIGNS = tuple(
    map(
        re.compile,
        (
            r"comment|disqus|reply|respond",
            r"relat|recommend|more-|also|teaser|promo|trending|popular|read-?next|outbrain|taboola",
            r"share|social|follow",
            r"caption|credit|figure|gallery|image|photo|media|video",
            r"newsletter|subscri|signup|paywall|cta",
            r"foot|copyright|legal|cookie|consent|banner",
            r"nav|menu|breadcrumb|sidebar|widget|rail|\bside",
            r"author|byline|bio|meta|date|time|tags?\b|topic|categor",
            r"\bad[s-]?\b|advert|sponsor",
            r"lead|intro|dek|summary|standfirst|subtitle|sub-?head|excerpt|description|abstract",
            r"article|content|body|story|entry|post|text|main",
            r"title|headline",
            r"factbox|infobox|box|embed|quote|tweet|list",
        ),
    )
)
_STRUCTURE = {
    "figure": 0, "figcaption": 0, "aside": 1, "footer": 2, "header": 3, "nav": 4, "article": 5,
    "blockquote": 6, "form": 7, "main": 8, "table": 9, "ul": 10, "ol": 10, "a": 11, "button": 12,
}  # fmt: skip
_BITS = np.arange(13)
_LONGEST_BLOCK = 20_000
_LIST_MARK = re.compile(r"^(?:•|\d+\.)\s*")
WIDTH = 9 + 3 * len(_BITS)


@dataclass(slots=True)
class _Place:
    """Bit sets of what an element and those around it are called and made of."""

    inherited: int
    own: int
    near: int
    structure: int
    depth: int


_ROOT = _Place(0, 0, 0, 0, 0)


class MarkupIndex:
    """Blocks of a page by their words, so that lines of extracted text find their markup."""

    def __init__(self, tree: HtmlElement, lines: Sequence[str]) -> None:
        self._places: dict[HtmlElement, _Place] = {}
        self._paragraph_text: dict[HtmlElement, int] = defaultdict(int)
        self._blocks: dict[str, list[tuple[HtmlElement, int]]] = defaultdict(list)
        self._wanted = {word_key(line) for line in lines}
        self._first_words = {key.partition(" ")[0] for key in self._wanted}
        for element in tree.iter(*_BLOCK_TAGS):
            self._add(element)
        self._total = max(sum(self._paragraph_text.values()), 1)

    def features(self, lines: Sequence[str]) -> Matrix:
        """A row of `WIDTH` features for each of `lines`; -1 where no block has its words."""
        used: dict[str, int] = defaultdict(int)
        rows: Matrix = np.full((len(lines), WIDTH), -1, dtype=np.float32)
        rows[:, 8] = 0
        for number, line in enumerate(lines):
            key = word_key(line)
            blocks = self._blocks.get(key)
            if blocks:
                rows[number] = self._row(*blocks[min(used[key], len(blocks) - 1)])
                used[key] += 1
        return rows

    def _add(self, element: HtmlElement) -> None:
        is_paragraph = element.tag == "p"
        if not is_paragraph and not self._may_be_wanted(element):
            return
        text = element.text_content()
        if len(text) > _LONGEST_BLOCK:
            return
        if is_paragraph:
            self._paragraph_text[element.getparent()] += len(text)
        first = WORD.search(text)
        if first and first[0] in self._first_words:
            key = " ".join(WORD.findall(text))
            if key in self._wanted:
                self._blocks[key].append((element, len(text)))

    def _may_be_wanted(self, element: HtmlElement) -> bool:
        """False where it shows at little cost that the element is none of the lines."""
        first = WORD.search(element.text) if element.text else None
        if first:
            return first[0] in self._first_words
        return element.tag not in _NEED_OWN_TEXT or _has_own_text(element)

    def _row(self, element: HtmlElement, length: int) -> Matrix:
        place, parent = self._place(element), element.getparent()
        linked = sum(len(link.text_content()) for link in element.iter("a"))
        facts = [
            _TAG_NUMBERS.get(element.tag, 0),
            place.depth,
            min(linked / max(length, 1), 1),
            self._paragraph_text.get(parent, 0) / self._total,
            self._paragraph_text.get(parent.getparent(), 0) / self._total
            if parent is not None
            else 0,
            len(element),
            next(element.iter("strong", "b"), None) is not None,
            _TAG_NUMBERS.get(parent.tag, 0) if parent is not None else 0,
            1,
        ]
        bits = [(number >> _BITS) & 1 for number in (place.inherited, place.near, place.structure)]
        row: Matrix = np.concatenate([facts, *bits]).astype(np.float32)
        return row

    def _place(self, element: HtmlElement | None) -> _Place:
        chain = []
        while element is not None and element not in self._places:
            chain.append(element)
            element = element.getparent()
        place = _ROOT if element is None else self._places[element]
        for inner in reversed(chain):
            place = self._places[inner] = _inside(place, inner)
        return place


def word_key(line: str) -> str:
    """Words of a line without a list mark, by which it is found in the markup."""
    return " ".join(WORD.findall(_LIST_MARK.sub("", line)))


def _inside(outer: _Place, element: HtmlElement) -> _Place:
    tag = element.tag if isinstance(element.tag, str) else ""
    own = _sign_bits(f"{element.get('class') or ''} {element.get('id') or ''}")
    bit = _STRUCTURE.get(tag)
    return _Place(
        inherited=outer.inherited | own,
        own=own,
        near=own | outer.own,
        structure=outer.structure | (1 << bit if bit is not None else 0),
        depth=outer.depth + 1,
    )


@lru_cache(maxsize=50_000)
def _sign_bits(names: str) -> int:
    names = names.lower()
    return sum(1 << number for number, sign in enumerate(_SIGNS) if sign.search(names))


def _has_own_text(element: HtmlElement) -> bool:
    return len(element) == 1 or any(child.tail and not child.tail.isspace() for child in element)
