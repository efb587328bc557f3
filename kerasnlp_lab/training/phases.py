"""`Phases`: the plan of a task: first the head on a frozen encoder, then the whole network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import rich.console
import tensorflow as tf

from kerasnlp_lab.data import ShardedSplit, Split, TextDataset
from kerasnlp_lab.data.row_labels import strata
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.paths import our_command
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.tasks.distilled import Distilled, Lesson
from kerasnlp_lab.text import Share, TokenizedTexts, evaluation_batches, tokenize
from kerasnlp_lab.text.order import training_order
from kerasnlp_lab.text.pipeline import batches_of, cut_tokenized, unnumbered
from kerasnlp_lab.training.frozen_features import frozen_features
from kerasnlp_lab.training.plan import Phase, Plan, batch_size_for
from kerasnlp_lab.training.training_rows import TrainingRows
from kerasnlp_lab.zoo import Classifier, Recipe
from kerasnlp_lab.zoo.network import window_head

__all__ = ["Phases", "task_and_rows", "task_in_training"]

EVALUATION_BATCH = 64
HEAD_EVALUATION_BATCH = 1024
HEAD_STEPS = 100  # the overhead of a call is larger than one step of a head


class Phases(Plan):
    """The `Plan` of a task's training. The task takes its settings from the recipe.

    With a `Lesson`, its rows take the place of the training rows.

    Raises:
        OptionError: The recipe has no epoch, does not suit the rows, or the devices cannot share a
            batch equally.
    """

    unit = "texts"

    def __init__(
        self,
        classifier: Classifier,
        data: TextDataset,
        recipe: Recipe,
        seed: int,
        console: rich.console.Console | None,
        lesson: Lesson | None = None,
    ):
        self.learner = self.classifier = classifier
        task, data = task_and_rows(classifier.task, data, recipe, lesson)
        self.objective = self.task = task
        self.data, self.recipe, self.seed, self.console = data, recipe, seed, console
        self.epochs = {"train": recipe.epochs}
        if classifier.encoder is not None:
            self.epochs = {"frozen": recipe.frozen_epochs, "fine-tune": recipe.epochs}
        if not sum(self.epochs.values()):
            raise OptionError("the recipe trains for no epoch; set epochs to 1 or more")
        self.batch_size = batch_size_for(classifier, recipe, len(data.train))

    @property
    def texts(self) -> Any:
        return self.classifier.text.fingerprint()

    @property
    def fingerprint(self) -> str:
        return f"{self.data.fingerprint} {self.recipe} {self.seed}"

    @property
    def resumes_exactly(self) -> bool:
        return self.classifier.options.resumes_exactly

    def resume_command(self, folder: Path) -> str:
        return our_command("train", "--resume", folder)

    def check_rows(self) -> None:
        self.rows.check()

    def make_trainable(self, name: str) -> None:
        self.classifier.train_encoder(name != "frozen")

    def make(self, name: str) -> Phase:
        """Builds a phase. It also freezes or unfreezes the encoder."""
        self.make_trainable(name)
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
        return self.rows.where(self._first_step(name) + done)

    def _first_step(self, name: str) -> int:
        """Returns the number of a phase's first step, counted over all phases."""
        return self._steps_per_epoch * self.epochs["frozen"] if name == "fine-tune" else 0

    def _head_phase(self, tokens: TokenizedTexts) -> Phase:
        """Returns the phase that trains only the head, on cached features."""
        parts = {"train": tokens, "validation": self._validation}
        head, windows = self.classifier.head, {}
        if self.classifier.text.long_texts == "windows":
            for part, texts in parts.items():
                parts[part], windows[part] = cut_tokenized(self.classifier.text, texts)
            with self.classifier.network.distribute_strategy.scope():
                head = window_head(head)
        features = frozen_features(self.classifier, parts, self.console)
        train, validation = self.data.train, self.data.validation
        assert not isinstance(train, ShardedSplit)

        def load(part: str, split: Split) -> Callable[[tf.Tensor, tf.Tensor], Any]:
            targets = self.task.targets(self.classifier.text, split)
            found = features[part]
            if part in windows:
                return lambda step, rows: (found.load_windows(rows, windows[part]), targets(rows))
            return lambda step, rows: (found.load(rows), targets(rows))

        def batches(done: int, share: Share) -> tf.data.Dataset:
            order = training_order(
                tokens.lengths,
                strata(train),
                batch_size=self.batch_size,
                seed=self.seed,
                first_step=done,
            )
            return batches_of(share.of_batches(order.enumerate(done)), load("train", train))

        in_order = tf.data.Dataset.range(len(validation), output_type=tf.int32)
        in_order = unnumbered(in_order.batch(HEAD_EVALUATION_BATCH))
        return Phase(
            "frozen",
            self.epochs["frozen"],
            self._steps_per_epoch,
            head,
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
        return TrainingRows(self.task, text, train, tokens, self.batch_size, self.seed)

    @cached_property
    def _validation(self) -> TokenizedTexts:
        return tokenize(self.classifier.text, self.data.validation.texts)


def task_in_training(task: Task, data: TextDataset, recipe: Recipe) -> Task:
    """Returns a task with the settings that it takes from a recipe.

    Raises OptionError if a setting does not suit the rows.
    """
    return task.for_training(data, **{name: getattr(recipe, name) for name in task.recipe_fields})


def task_and_rows(
    task: Task, data: TextDataset, recipe: Recipe, lesson: Lesson | None
) -> tuple[Task, TextDataset]:
    """Returns the task in training and its rows; those of the lesson if there is a teacher.

    The task's settings always come from the dataset's own rows. Raises OptionError if one does not
    suit them, or if the task has no teacher's answers to learn from.
    """
    task = task_in_training(task, data, recipe)
    if lesson is None:
        return task, data
    return Distilled(task, lesson), dataclasses.replace(data, train=lesson.rows)
