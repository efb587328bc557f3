"""`TrainingState`: the progress of a training, which a checkpoint saves with the variables."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["TrainingState"]


@dataclass
class TrainingState:
    """The progress of a training."""

    phase: int = 0  # the current phase, from 0; the number of phases when all are finished
    epoch: int = 0  # finished epochs in the phase
    step: int = 0  # finished steps in the epoch
    steps: int = 0  # finished steps in all phases
    losses: float = 0.0  # the sum of the losses of this epoch's steps, each a mean over its batch
    right: float = 0.0  # correct answers in this epoch
    counted: float = 0.0  # answers in this epoch
    measured: list[float] = field(default_factory=list)  # the rest of this epoch's tally
    phase_best: float = math.inf  # lowest validation loss, or negative accuracy: see `Task`
    waited: int = 0  # epochs since that loss
    best_loss: float = math.inf  # the lowest validation loss in all epochs
    best_epoch: int = 0  # the epoch with that loss, counted from 1 over all phases
    best_file: str = ""  # the file with the weights of that epoch, in the folder of checkpoints
    lines: list[dict[str, Any]] = field(default_factory=list)  # the history so far
    seconds: float = 0.0  # the time of the training, over all processes that resumed it
    epoch_seconds: float = 0.0  # the time of this epoch, counted in the same way
    timed_texts: int = 0  # rows in this phase's timed steps
    timed_seconds: float = 0.0  # the time of those steps
    texts: str = ""  # the text half's fingerprint, as JSON
    sha256: str = ""  # the hash of weights and optimizer at the end of the last finished phase

    def end_epoch(self) -> None:
        """Moves to the beginning of the next epoch."""
        self.epoch += 1
        self.step = 0
        self.losses = self.right = self.counted = self.epoch_seconds = 0.0
        self.measured = []

    def end_phase(self) -> None:
        """Moves to the beginning of the next phase."""
        self.phase += 1
        self.epoch, self.phase_best, self.waited = 0, math.inf, 0
