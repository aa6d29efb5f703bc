"""One HTML page seen by all that have an opinion on it, as the block model needs it."""

from dataclasses import dataclass

from lxml.html import HtmlElement
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree
from trafilatura import extract

from flows.clean.blocks import Opinions, block_features
from flows.clean.classifier import Forest
from flows.clean.line_features import LineFeatures, Matrix, line_features
from flows.clean.metadata import PageMetadata
from flows.clean.templates import load_templates
from flows.clean.words import WordTable


@dataclass(frozen=True, slots=True)
class PageView:
    """All text of a page, line by line, and who takes what of it for the article."""

    tree: HtmlElement
    lines: list[str]
    opinions: Opinions


def view_page(html: str, tree: HtmlElement, metadata: PageMetadata) -> PageView:
    """Ask trafilatura, resiliparse and the page's own metadata; `tree` is `html` parsed."""
    parsed = HTMLTree.parse(html)
    opinions = Opinions(
        trafilatura=extract(tree, include_comments=False) or "",
        resiliparse=extract_plain_text(parsed, main_content=True, alt_texts=False),
        body=metadata.article_body or "",
        title=metadata.title,
    )
    text = extract_plain_text(parsed, main_content=False, alt_texts=False)
    return PageView(tree, _lines(text), opinions)


def page_features(
    view: PageView, words: WordTable, lines_model: Forest
) -> tuple[LineFeatures, Matrix]:
    """Features of the page's lines by themselves, and as blocks of the page."""
    by_line = line_features(view.lines, load_templates(), words)
    probabilities = lines_model.probabilities(by_line.matrix)
    return by_line, block_features(view.lines, by_line, probabilities, view.opinions, view.tree)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]
