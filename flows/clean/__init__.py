"""Clean stage: the article alone, out of an HTML page or a text dump."""

from flows.clean.page import clean_html
from flows.clean.plain import clean_text
from flows.clean.records import CLEANER_VERSION, FAST_CLEANER_VERSION, CleanArticle

__all__ = ["CLEANER_VERSION", "FAST_CLEANER_VERSION", "CleanArticle", "clean_html", "clean_text"]
