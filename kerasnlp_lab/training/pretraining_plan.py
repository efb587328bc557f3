"""`PretrainingPlan`: the plan of a pre-training, with a report after each tenth or so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab.display import duration
from kerasnlp_lab.paths import our_command
from kerasnlp_lab.recipe import Recipe
from kerasnlp_lab.tasks.pretraining import PretrainingObjective
from kerasnlp_lab.text import Share
from kerasnlp_lab.text.order import evaluation_order, steps_in_pass, training_order
from kerasnlp_lab.text.pipeline import batches_of, unnumbered
from kerasnlp_lab.text.pretraining_batches import PretrainingBatches
from kerasnlp_lab.training.plan import Learner, Phase, Plan, batch_size_for

__all__ = ["REPORTS", "PretrainingPlan", "reports_and_steps"]

EVALUATION_BATCH = 32
REPORTS = 10
LEAST_STEPS = 20  # in a report


def reports_and_steps(total: int) -> tuple[int, int]:
    """Divides steps into about ten reports; returns their number and the steps of each.

    Each report has as many steps, so that there may be a few more in all than were asked for.

    Example:
        >>> reports_and_steps(1005), reports_and_steps(7)
        ((10, 101), (1, 7))
    """
    reports = min(REPORTS, max(total // LEAST_STEPS, 1))
    return reports, -(-total // reports)


class PretrainingPlan(Plan):
    """The `Plan` of a pre-training on packed sequences.

    Args:
        learner: The network, made in the strategy's scope.
        train: The batches of the training sequences.
        validation: The batches of the held-out sequences; the same tokens are hidden each time.
        recipe: How to train; its epochs are the reports.
        steps: The steps in a report.
        hidden_share: The share of tokens that are hidden.
        seed: The seed of the order, of dropout, and of what is hidden.
        texts: What turns texts into token ids, as JSON.
        fingerprint: The corpus and all settings.

    Raises:
        OptionError: The devices cannot share a batch equally.
    """

    unit = "sequences"
    resumes_exactly = True

    def __init__(
        self,
        learner: Learner,
        train: PretrainingBatches,
        validation: PretrainingBatches,
        recipe: Recipe,
        steps: int,
        hidden_share: float,
        seed: int,
        texts: Any,
        fingerprint: str,
    ):
        self.learner, self.recipe, self.steps, self.seed = learner, recipe, steps, seed
        self.train, self.validation = train, validation
        mean_length = float(train.sequences.lengths.mean())
        self.objective = PretrainingObjective(train.sequences.pairs, hidden_share * mean_length)
        self.epochs = {"pretrain": recipe.epochs}
        self.batch_size = batch_size_for(learner, recipe, len(train.sequences))
        self._texts, self._fingerprint = texts, fingerprint

    @property
    def texts(self) -> Any:
        return self._texts

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def make(self, name: str) -> Phase:
        return Phase(
            name, self.epochs[name], self.steps, self.learner.network, self._batches, self._held_out
        )

    def make_trainable(self, name: str) -> None:
        """Changes nothing: everything is trained."""

    def where(self, name: str, done: int) -> list[str]:
        rows = next(iter(self._order(done))).numpy()
        documents = self.train.sequences.documents[rows]
        return [f"document {number + 1}" for number in sorted({*documents.tolist()})]

    def check_rows(self) -> None:
        """Checks nothing: the tokenized corpus is a temporary file of this process."""

    def resume_command(self, folder: Path) -> str:
        return our_command("pretrain", "--resume", folder)

    def rate_note(self, rows_per_second: float, steps_left: int) -> str:
        tokens = rows_per_second * self.tokens_per_sequence
        left = steps_left * self.batch_size / rows_per_second
        return (
            f"{tokens:,.0f} tokens/s: {steps_left:,} steps more take about {duration(left)} on "
            "this machine"
        )

    @property
    def tokens_per_sequence(self) -> float:
        """The mean length of the training sequences, special tokens included."""
        special = 3 if self.train.sequences.pairs else 2
        return float(self.train.sequences.lengths.mean()) + special

    def _order(self, done: int) -> tf.data.Dataset:
        # Not by length: the loss is a mean over tokens, of which all should count alike.
        same = np.zeros(len(self.train.sequences), np.int64)
        return training_order(
            same,
            same,
            batch_size=self.batch_size,
            seed=self.seed,
            first_step=done,
        )

    def _batches(self, done: int, share: Share) -> tf.data.Dataset:
        return batches_of(share.of_batches(self._order(done).enumerate(done)), self.train.load)

    @property
    def _held_out(self) -> tf.data.Dataset:
        lengths = self.validation.sequences.lengths
        order = np.concatenate(evaluation_order(lengths, EVALUATION_BATCH))
        rows = tf.data.Dataset.from_tensor_slices(order).batch(EVALUATION_BATCH)
        return batches_of(unnumbered(rows), self.validation.load)


def total_steps(sequences: int, batch_size: int, epochs: float | None, steps: int | None) -> int:
    """Returns the steps that were asked for, by their number or in passes over the sequences."""
    if steps is not None:
        return steps
    assert epochs is not None
    return max(round(epochs * steps_in_pass(sequences, batch_size)), 1)
