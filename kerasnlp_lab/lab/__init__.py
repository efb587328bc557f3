"""The lab bench: experiments, presets, and comparisons of several models."""

from kerasnlp_lab.lab.comparison import compare
from kerasnlp_lab.lab.config import ExperimentConfig
from kerasnlp_lab.lab.experiment import resume_experiment, run_experiment
from kerasnlp_lab.lab.mixing import mix_runs
from kerasnlp_lab.lab.presets import Preset, find_preset, presets
from kerasnlp_lab.lab.run_comparison import compare_runs

__all__ = [
    "ExperimentConfig",
    "Preset",
    "compare",
    "compare_runs",
    "find_preset",
    "mix_runs",
    "presets",
    "resume_experiment",
    "run_experiment",
]
