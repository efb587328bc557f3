"""`Phases`: plans a training: first the head on a frozen encoder, then the whole network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import rich.console
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import ShardedSplit, Split, TextDataset
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.text import Share, TokenizedTexts, evaluation_batches, tokenize
from kerasnlp_lab.text.order import training_order
from kerasnlp_lab.text.pipeline import batches_of, unnumbered
from kerasnlp_lab.training.frozen_features import frozen_features
from kerasnlp_lab.training.training_rows import TrainingRows
from kerasnlp_lab.zoo import Classifier, Recipe

__all__ = ["Phase", "Phases"]

EVALUATION_BATCH = 64
HEAD_EVALUATION_BATCH = 1024
HEAD_STEPS = 100  # the overhead of a call is larger than one step of a head


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


class Phases:
    """The phases of a training; each is built when it starts.

    The task has the recipe's settings. The seed is that of the order of rows and of the task's
    random numbers.

    Raises:
        OptionError: The recipe has no epoch, or the devices cannot share a batch equally.
    """

    def __init__(
        self,
        classifier: Classifier,
        task: Task,
        data: TextDataset,
        recipe: Recipe,
        seed: int,
        console: rich.console.Console | None,
    ):
        self.classifier, self.task, self.data, self.recipe = classifier, task, data, recipe
        self.console = console
        self.epochs = {"train": recipe.epochs}
        if classifier.encoder is not None:
            self.epochs = {"frozen": recipe.frozen_epochs, "fine-tune": recipe.epochs}
        if not sum(self.epochs.values()):
            raise OptionError("the recipe trains for no epoch; set epochs to 1 or more")
        self.batch_size = min(recipe.batch_size, len(data.train))
        replicas = classifier.network.distribute_strategy.num_replicas_in_sync
        if self.batch_size % replicas:
            raise OptionError(
                f"a batch of {self.batch_size} rows cannot be shared equally by {replicas} "
                f"devices; set batch_size to {max(self.batch_size // replicas, 1) * replicas}"
            )
        self._seed = seed

    def make(self, name: str) -> Phase:
        """Builds a phase. It also freezes or unfreezes the encoder."""
        self.classifier.train_encoder(name != "frozen")
        cacheable = self.task.reads == "pooled" and not self.task.changes_inputs
        if name == "frozen" and cacheable and self.rows.tokens is not None:
            return self._head_phase(self.rows.tokens)
        first = self._first_step(name)
        return Phase(
            name,
            self.epochs[name],
            self._steps_per_epoch,
            self.classifier.network,
            lambda done, share: self.rows.batches(first + done, share),
            evaluation_batches(
                self.classifier.text,
                self._validation,
                self.data.validation.labels,
                batch_size=EVALUATION_BATCH,
                targets=self.task.targets(self.classifier.text, self.data.validation),
                make_batch=self.rows.make_batch,
            ),
        )

    def where(self, name: str, done: int) -> list[str]:
        """Returns the file and line of every row in the batch of a phase after `done` steps."""
        return self.rows.where(self._first_step(name) + done)

    def _first_step(self, name: str) -> int:
        """Returns the number of a phase's first step, counted over all phases."""
        return self._steps_per_epoch * self.epochs["frozen"] if name == "fine-tune" else 0

    def _head_phase(self, tokens: TokenizedTexts) -> Phase:
        """Returns the phase that trains only the head, on cached features."""
        parts = {"train": tokens, "validation": self._validation}
        features = frozen_features(self.classifier, parts, self.console)
        train, validation = self.data.train, self.data.validation
        assert not isinstance(train, ShardedSplit)

        def load(part: str, split: Split) -> Callable[[tf.Tensor, tf.Tensor], Any]:
            targets = self.task.targets(self.classifier.text, split)
            return lambda step, rows: (features[part].load(rows), targets(rows))

        def batches(done: int, share: Share) -> tf.data.Dataset:
            order = training_order(
                tokens.lengths,
                train.labels,
                batch_size=self.batch_size,
                seed=self._seed,
                first_step=done,
            )
            return batches_of(share.of_batches(order.enumerate(done)), load("train", train))

        in_order = tf.data.Dataset.range(len(validation), output_type=tf.int32)
        in_order = unnumbered(in_order.batch(HEAD_EVALUATION_BATCH))
        return Phase(
            "frozen",
            self.epochs["frozen"],
            self._steps_per_epoch,
            self.classifier.head,
            batches,
            batches_of(in_order, load("validation", validation)),
            HEAD_STEPS,
        )

    @cached_property
    def _steps_per_epoch(self) -> int:
        """The number of steps in an epoch: whole passes, at least min_steps_per_epoch steps."""
        steps_in_pass = self.rows.steps_in_pass
        return -(-self.recipe.min_steps_per_epoch // steps_in_pass) * steps_in_pass

    @cached_property
    def rows(self) -> TrainingRows:
        """The training rows."""
        train, text = self.data.train, self.classifier.text
        tokens = None if isinstance(train, ShardedSplit) else tokenize(text, train.texts)
        return TrainingRows(self.task, text, train, tokens, self.batch_size, self._seed)

    @cached_property
    def _validation(self) -> TokenizedTexts:
        return tokenize(self.classifier.text, self.data.validation.texts)
