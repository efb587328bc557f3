"""Evaluation: how good a classifier is, how sure of that one can be, and which is better."""

from kerasnlp_lab.evaluation.comparison import compare
from kerasnlp_lab.evaluation.experiment import run_experiment
from kerasnlp_lab.evaluation.mcnemar import mcnemar_exact
from kerasnlp_lab.evaluation.metrics import Evaluation, Mistake, evaluate

__all__ = ["Evaluation", "Mistake", "compare", "evaluate", "mcnemar_exact", "run_experiment"]
