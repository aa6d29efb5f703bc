"""Extract stage: who said what, about what, and whether for or against it."""

from flows.extract.statements import EXTRACTOR_VERSION, extract_statements, find_statements

__all__ = ["EXTRACTOR_VERSION", "extract_statements", "find_statements"]
