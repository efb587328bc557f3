"""`SavedTraining`: saves, restores and times a training's state, weights and optimizer."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import RunError
from kerasnlp_lab.training.checkpoints import Checkpoints, arrays_sha256
from kerasnlp_lab.training.interval import Interval
from kerasnlp_lab.training.plan import Plan
from kerasnlp_lab.training.state import TrainingState

__all__ = ["SavedTraining"]

Arrays = dict[str, np.ndarray]


class SavedTraining:
    """Saves and restores the state, the weights and the optimizer of a training."""

    def __init__(
        self,
        plan: Plan,
        checkpoints: Checkpoints,
        interval: Interval,
        say: Callable[[str], None],
    ):
        self.plan, self.checkpoints, self.interval = plan, checkpoints, interval
        self.state = TrainingState(texts=json.dumps(plan.texts, sort_keys=True))
        self._say = say
        self._found: tuple[Arrays, dict[str, Any], list[str]] | None = None
        self._resumed: Arrays = {}  # the checkpoint's arrays, until the optimizer is restored
        self._since = self._epoch_since = time.perf_counter()

    # Resuming

    def find(self) -> int:
        """Reads the newest intact checkpoint, and returns its finished steps; 0 if there is none.

        Raises RunError if there are checkpoints, and all are broken.
        """
        self._found = self.checkpoints.newest()
        return 0 if self._found is None else self._found[1].get("steps", 0)

    def restore(self) -> None:
        """Restores state and weights from the checkpoint that `find` read, if there is one.

        Raises RunError if it belongs to another network, vocabulary or version.
        """
        if self._found is None:
            return
        arrays, state, broken = self._found
        self._found = None
        for problem in broken:
            self._say(f"{problem}; the checkpoint before it is used")
        if state.get("texts") != self.state.texts:
            raise RunError(
                f"{self.checkpoints.folder} was saved with another vocabulary or preprocessing; "
                "put the model's files back as they were, or train again in another folder"
            )
        if not self.plan.resumes_exactly:
            self._say(
                "TF Hub's own graph draws the encoder's dropout and cannot resume it: the result "
                "will differ a little from an uninterrupted run (with --encoder reopened it would "
                "not)"
            )
        if "right" in state and "counted" not in state:  # saved by version 0.1.0
            state["counted"] = float(state["step"] * self.plan.batch_size)
        try:
            self.state = TrainingState(**state)
        except TypeError as error:
            raise RunError(
                f"{self.checkpoints.folder} was saved by another version of kerasnlp_lab: resume "
                "with that version, or train again in another folder"
            ) from error
        self.interval.begin(self.state.steps)
        self._assign(arrays)
        self._resumed = arrays

    def restore_optimizer(self, optimizer: keras.optimizers.legacy.Optimizer) -> bool:
        """Restores a phase's optimizer, and returns whether the checkpoint had one for it."""
        resumed, self._resumed = self._resumed, {}
        if resumed:
            for number, variable in enumerate(optimizer.variables()):
                variable.assign(resumed[_slot_name(number)].reshape(variable.shape))
        return bool(resumed)

    def forget_optimizer(self) -> None:
        """Drops the checkpoint's optimizer, which belongs to a finished phase."""
        self._resumed = {}

    # Saving

    def save(self, arrays: Arrays | None = None) -> None:
        """Writes a checkpoint with the state and some arrays."""
        now = time.perf_counter()
        self.state.seconds += now - self._since
        self.state.epoch_seconds += now - self._epoch_since
        self._since = self._epoch_since = now
        self.checkpoints.save(self.state.steps, arrays or {}, dataclasses.asdict(self.state))
        self.interval.begin(self.state.steps)

    def save_learned(self, optimizer: keras.optimizers.legacy.Optimizer) -> None:
        """Writes a checkpoint with weights and optimizer, unless a value is not finite."""
        if self.checkpoints.writes:
            arrays = self._weights_and_optimizer(optimizer)
            if all(np.isfinite(array).all() for array in arrays.values()):
                self.save(arrays)  # otherwise the next loss stops the training on all workers

    def end_phase(self, optimizer: keras.optimizers.legacy.Optimizer) -> None:
        """Computes the hash of weights and optimizer; the last phase's is `final_sha256`."""
        self.state.sha256 = arrays_sha256(self._weights_and_optimizer(optimizer))

    # The best weights

    def keep_best(self, part: str) -> None:
        """Keeps the current weights of "network" as the best, or of "head" without the encoder."""
        self.state.best_file = f"best-{self.state.best_epoch:04d}-{part}.safetensors"
        weights = self._weights()
        if part == "head":
            weights = {name: one for name, one in weights.items() if "encoder/" not in name}
        self.checkpoints.save_best(self.state.best_file, weights)

    def load_best(self) -> None:
        """Restores the best weights."""
        self._assign(self.checkpoints.best(self.state.best_file))

    # Time

    def begin_epoch(self) -> None:
        """Starts the timer of an epoch."""
        self._epoch_since = time.perf_counter()

    def epoch_seconds(self) -> float:
        """Returns the time of the epoch in seconds, over all processes that resumed it."""
        return self.state.epoch_seconds + time.perf_counter() - self._epoch_since

    def _weights(self) -> Arrays:
        named = self.plan.learner.named_weights()
        return {name: np.asarray(variable.numpy()) for name, variable in named.items()}

    def _weights_and_optimizer(self, optimizer: keras.optimizers.legacy.Optimizer) -> Arrays:
        slots = {_slot_name(n): one.numpy() for n, one in enumerate(optimizer.variables())}
        return self._weights() | slots

    def _assign(self, arrays: Arrays) -> None:
        """Assigns the arrays to the network's weights with the same names."""
        for name, variable in self.plan.learner.named_weights().items():
            if name not in arrays:
                continue
            if arrays[name].size != np.prod(variable.shape):
                raise RunError(
                    f"{self.checkpoints.folder} was saved from another network: {name} has "
                    f"{arrays[name].size} numbers, expected the shape {variable.shape}"
                )
            variable.assign(arrays[name].reshape(variable.shape))


def _slot_name(number: int) -> str:
    return f"optimizer/{number:04d}"
