"""`TrainingState`: the progress of a training, which a checkpoint saves with the variables."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["TrainingState"]


@dataclass
class TrainingState:
    """The progress of a training.

    Args:
        phase: The current phase, counted from 0; the number of phases when all are finished.
        epoch: The number of finished epochs in the phase.
        step: The number of finished steps in the epoch.
        steps: The number of finished steps in all phases.
        losses: The sum of the losses of this epoch's steps, each a mean over its batch.
        right: The number of correct answers in this epoch.
        counted: The number of answers in this epoch.
        phase_best: The lowest validation loss in the phase, or negative accuracy; see `Task`.
        waited: The number of epochs since that loss.
        best_loss: The same in all epochs.
        best_epoch: The epoch with that loss, counted from 1 over all phases.
        best_file: The file with the weights of that epoch, in the folder of checkpoints.
        lines: The history so far.
        seconds: The time of the training in seconds, over all processes that resumed it.
        epoch_seconds: The time of this epoch, counted in the same way.
        timed_texts: The number of rows in this phase's timed steps.
        timed_seconds: The time of those steps in seconds.
        texts: The text half's fingerprint, as JSON.
        sha256: The hash of weights and optimizer at the end of the last finished phase.
    """

    phase: int = 0
    epoch: int = 0
    step: int = 0
    steps: int = 0
    losses: float = 0.0
    right: float = 0.0
    counted: float = 0.0
    phase_best: float = math.inf
    waited: int = 0
    best_loss: float = math.inf
    best_epoch: int = 0
    best_file: str = ""
    lines: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    timed_texts: int = 0
    timed_seconds: float = 0.0
    texts: str = ""
    sha256: str = ""

    def end_epoch(self) -> None:
        """Moves to the beginning of the next epoch."""
        self.epoch += 1
        self.step = 0
        self.losses = self.right = self.counted = self.epoch_seconds = 0.0

    def end_phase(self) -> None:
        """Moves to the beginning of the next phase."""
        self.phase += 1
        self.epoch, self.phase_best, self.waited = 0, math.inf, 0
