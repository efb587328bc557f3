"""`TrainingState`: how far a training is; with the variables, all that a resumed one needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["TrainingState"]


@dataclass
class TrainingState:
    """How far a training is.

    Args:
        phase: The phase, counted from 0; the number of phases once all are done.
        epoch: The epochs of the phase that are done.
        step: The steps of the current epoch that are done.
        steps: The steps that are done in all phases.
        losses: The sum of the losses of this epoch's steps, each a mean over its batch.
        right: The right answers in this epoch.
        counted: The answers in this epoch.
        phase_best: The lowest validation loss of the phase.
        waited: Epochs since then.
        best_loss: The lowest validation loss of all epochs.
        best_epoch: Its epoch, counted over all phases, from 1.
        best_file: The file of its weights, in the folder of checkpoints.
        lines: History so far.
        seconds: The time that it has taken, over all processes that worked on it.
        epoch_seconds: The same, of this epoch.
        timed_texts: The rows of the phase whose training steps were timed.
        timed_seconds: The time that they took.
        texts: The text half's fingerprint, as JSON.
        sha256: The hash of weights and optimizer at the end of the last epoch.
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
