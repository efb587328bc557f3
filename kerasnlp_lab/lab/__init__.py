"""The lab bench: experiments, presets, and comparisons of several models."""

from kerasnlp_lab.lab.comparison import compare
from kerasnlp_lab.lab.experiment import resume_experiment, run_experiment
from kerasnlp_lab.lab.presets import NamedRecipe, find_recipe, named_recipes

__all__ = [
    "NamedRecipe",
    "compare",
    "find_recipe",
    "named_recipes",
    "resume_experiment",
    "run_experiment",
]
