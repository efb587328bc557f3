"""Training: strategy, optimizer, training loop, checkpoints and the run directory."""

from kerasnlp_lab.training.optimizer import adamw_with_warmup
from kerasnlp_lab.training.run_directory import RunDirectory
from kerasnlp_lab.training.strategy import make_strategy
from kerasnlp_lab.training.trainer import TrainingResult, train

__all__ = ["RunDirectory", "TrainingResult", "adamw_with_warmup", "make_strategy", "train"]
