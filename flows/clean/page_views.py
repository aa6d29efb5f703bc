"""One HTML page seen by all that have an opinion on it, as the block model needs it."""

import numpy as np
from lxml.html import HtmlElement
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree
from trafilatura import extract

from flows.clean.blocks import Opinions, PageView, block_features, support
from flows.clean.classifier import Forest
from flows.clean.line_features import LineFeatures, Matrix, line_features
from flows.clean.metadata import PageMetadata
from flows.clean.templates import load_templates
from flows.clean.words import WORD, WordTable

_MARGIN = 12
_FIRM = 0.8
_FIRM_WORDS = 5


def view_page(html: str, tree: HtmlElement, metadata: PageMetadata) -> PageView:
    """Ask trafilatura, resiliparse and the page's own metadata; `tree` is `html` parsed.

    Lines far above and below everything that one of them takes for the article are left out.
    """
    parsed = HTMLTree.parse(html)
    opinions = Opinions(
        trafilatura=extract(tree, include_comments=False) or "",
        resiliparse=extract_plain_text(parsed, main_content=True, alt_texts=False),
        body=metadata.article_body or "",
    )
    text = extract_plain_text(parsed, main_content=False, alt_texts=False)
    lines = text_lines(text)
    votes = support(lines, opinions)
    around = _around(lines, votes)
    return PageView(tree, metadata.title, lines[around], around.start, votes[around])


def page_features(
    view: PageView, words: WordTable, lines_model: Forest
) -> tuple[LineFeatures, Matrix]:
    """Features of the page's lines by themselves, and as blocks of the page."""
    by_line = line_features(view.lines, load_templates(), words)
    return by_line, block_features(view, by_line, lines_model.probabilities(by_line.matrix))


def text_lines(text: str) -> list[str]:
    """Lines of `text`, stripped, without empty ones."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def _around(lines: list[str], votes: Matrix) -> slice:
    """From some lines above the first firm vote to some below the last; all without one."""
    trusted = votes[:, [0, 2]].max(axis=1, initial=-1) > _FIRM
    if not trusted.any():
        trusted = votes[:, 1] > _FIRM
    firm = [
        number
        for number in np.flatnonzero(trusted)
        if len(WORD.findall(lines[number])) >= _FIRM_WORDS
    ] or list(np.flatnonzero(trusted))
    if not firm:
        return slice(0, len(lines))
    return slice(max(int(firm[0]) - _MARGIN, 0), int(firm[-1]) + _MARGIN + 1)
