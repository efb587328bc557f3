"""Evaluation: how good a classifier is, and how sure of that one can be."""

from kerasnlp_lab.evaluation.metrics import Evaluation, Mistake, evaluate
from kerasnlp_lab.evaluation.paired_tests import mcnemar_exact

__all__ = ["Evaluation", "Mistake", "evaluate", "mcnemar_exact"]
