"""Evaluation: how good a classifier is, how sure of that one can be, and which is better."""

from kerasnlp_lab.evaluation.comparison import compare
from kerasnlp_lab.evaluation.experiment import resume_experiment, run_experiment
from kerasnlp_lab.evaluation.metrics import Evaluation, Mistake, evaluate
from kerasnlp_lab.evaluation.paired_tests import mcnemar_exact
from kerasnlp_lab.evaluation.recipes import NamedRecipe, find_recipe, named_recipes

__all__ = [
    "Evaluation",
    "Mistake",
    "NamedRecipe",
    "compare",
    "evaluate",
    "find_recipe",
    "mcnemar_exact",
    "named_recipes",
    "resume_experiment",
    "run_experiment",
]
