"""`TrainingRows`: makes batches of the training rows, from memory or from shards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from kerasnlp_lab.data import ShardedSplit, Split
from kerasnlp_lab.data.row_labels import strata
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.text import Share, TextVectorizer, TokenizedTexts, training_batches
from kerasnlp_lab.text.features import Features
from kerasnlp_lab.text.order import steps_in_pass, training_order
from kerasnlp_lab.text.rows import Rows
from kerasnlp_lab.text.shard_batches import shard_batches, shard_rows

__all__ = ["TrainingRows"]


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The training rows as batches. Their order is a pure function of the seed and the step.

    Raises OptionError if the rows are in shards, and the task needs other targets than labels.
    """

    task: Task  # makes batches from rows
    vectorizer: TextVectorizer
    split: Split | ShardedSplit
    tokens: TokenizedTexts | None  # of the rows; None for shards, tokenized while reading
    batch_size: int  # rows in a global batch
    seed: int  # of the order of rows and of the task's random numbers

    def __post_init__(self) -> None:
        if isinstance(self.split, ShardedSplit) and type(self.task).targets is not Task.targets:
            raise OptionError(
                f"shards hold only labels, and {self.task.name} needs other targets; train on the "
                "table"
            )

    def make_batch(self, rows: Rows, step: tf.Tensor) -> tuple[Features, Any]:
        """Returns the features and targets of rows within a graph; see `Task.batch`."""
        return self.task.batch(self.vectorizer, rows, self.seed, step)

    def batches(self, first_step: int, share: Share) -> tf.data.Dataset:
        """Returns a process's share of endless batches of (features, targets).

        The first batch is that of `first_step`, counted from 0.
        """
        order = {"batch_size": self.batch_size, "seed": self.seed, "first_step": first_step}
        batched: dict[str, Any] = {"share": share, "make_batch": self.make_batch, **order}
        if isinstance(self.split, ShardedSplit):
            return shard_batches(self.vectorizer, self.split, **batched)[0]
        assert self.tokens is not None
        targets = self.task.targets(self.vectorizer, self.split)
        return training_batches(
            self.vectorizer,
            self.tokens,
            strata(self.split),
            similar_lengths=self.task.similar_lengths,
            targets=targets,
            **batched,
        )[0]

    @property
    def steps_in_pass(self) -> int:
        """The number of full batches in a pass, computed without reading texts."""
        size, seed = self.batch_size, self.seed
        if isinstance(self.split, ShardedSplit):
            return shard_batches(self.vectorizer, self.split, batch_size=size, seed=seed)[1]
        return steps_in_pass(len(self.split), size)

    def check(self) -> None:
        """Reads all rows again; raises DataError if a shard is damaged or missing."""
        for _ in self.split.texts:
            pass

    def where(self, step: int) -> list[str]:
        """Returns the file and line of every row in the batch of a step."""
        order = {"batch_size": self.batch_size, "seed": self.seed}
        if isinstance(self.split, ShardedSplit):
            return shard_rows(self.vectorizer, self.split, step=step, **order)
        assert self.tokens is not None
        lengths = self.tokens.lengths * self.task.similar_lengths
        rows = training_order(lengths, strata(self.split), first_step=step, **order)
        return [self.split.where(row) for row in next(iter(rows)).numpy()]
