"""`Plan`, `Phase` and `Objective`: what the training loop needs to know about a training."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.recipe import Recipe
from kerasnlp_lab.text import Share

__all__ = ["Learner", "Objective", "Phase", "Plan", "batch_size_for"]


class Objective(Protocol):
    """What a training minimizes and counts. A `kerasnlp_lab.tasks.Task` is one."""

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of the ratios in `tally` after the accuracy."""

    @property
    def best_epoch_by(self) -> Literal["loss", "accuracy"]:
        """What ranks epochs on the validation rows."""

    def losses(self, logits: Any, targets: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the sum of a batch's losses and its weight: see `Task.losses`."""

    def tally(self, logits: Any, targets: Any) -> tf.Tensor:
        """Returns the two numbers of each ratio, float32 [2 or more]: see `Task.tally`."""


class Learner(Protocol):
    """What a training changes. A `kerasnlp_lab.zoo.Classifier` is one."""

    @property
    def network(self) -> keras.Model:
        """The network, made in the strategy's scope."""

    def named_weights(self) -> dict[str, Any]:
        """Returns the variables by names that stay the same when the network is made again."""


@dataclass(frozen=True, eq=False)
class Phase:
    """One phase of a training.

    `batches` takes the number of steps already taken in the phase and a share, and returns endless
    batches of (features, targets).
    """

    name: str  # in the history
    epochs: int  # the most epochs; 0 skips the phase
    steps: int  # in an epoch
    model: keras.Model  # the network, or the part of it that the phase trains
    batches: Callable[[int, Share], tf.data.Dataset]
    validation: tf.data.Dataset  # one pass over the validation rows, as (features, targets)
    steps_a_call: int = 1  # in one TensorFlow call


class Plan(abc.ABC):
    """The phases of a training, and its facts."""

    learner: Learner
    objective: Objective
    recipe: Recipe
    seed: int  # of the order of rows and of the objective's random numbers
    batch_size: int  # rows in a global batch
    epochs: Mapping[str, int]  # the most epochs of each phase, in order
    unit: str  # what a row is called in messages: "texts"

    @property
    @abc.abstractmethod
    def texts(self) -> Any:
        """What turns texts into token ids, as JSON; a checkpoint of another is refused."""

    @property
    @abc.abstractmethod
    def fingerprint(self) -> str:
        """The rows and all settings, on which several workers must agree."""

    @property
    @abc.abstractmethod
    def resumes_exactly(self) -> bool:
        """Whether a resumed training ends like one without an interruption."""

    @abc.abstractmethod
    def make(self, name: str) -> Phase:
        """Builds a phase when it starts."""

    @abc.abstractmethod
    def make_trainable(self, name: str) -> None:
        """Freezes the parts of the network that a phase does not train, and no others."""

    @abc.abstractmethod
    def where(self, name: str, done: int) -> list[str]:
        """Returns the places of all rows in the batch of a phase after `done` steps."""

    @abc.abstractmethod
    def check_rows(self) -> None:
        """Reads all rows again; raises DataError if a file is damaged or missing."""

    @abc.abstractmethod
    def resume_command(self, folder: Path) -> str:
        """Returns the command that resumes the training in a folder."""

    def rate_note(self, rows_per_second: float, steps_left: int) -> str:
        """Returns a line on the time left, for once the rate is known; "" for none."""
        return ""


def batch_size_for(learner: Learner, recipe: Recipe, rows: int) -> int:
    """Returns the rows in a global batch: no more than there are.

    Raises OptionError if the devices cannot share it equally.
    """
    size = min(recipe.batch_size, rows)
    replicas = learner.network.distribute_strategy.num_replicas_in_sync
    if size % replicas:
        raise OptionError(
            f"a batch of {size} rows cannot be shared equally by {replicas} devices; set "
            f"batch_size to {max(size // replicas, 1) * replicas}"
        )
    return size
