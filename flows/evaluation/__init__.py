"""Evaluation: how well extraction agrees with annotated articles."""

from flows.evaluation.corpus import CorpusError, read_corpus
from flows.evaluation.report import Evaluation, evaluate

__all__ = ["CorpusError", "Evaluation", "evaluate", "read_corpus"]
