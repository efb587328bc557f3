"""`Task`: what is asked of a text, from the targets of a row to the answer a user gets."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import ShardedSplit, Split, TextDataset
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.rows import Rows, RowTargets, label_targets
from kerasnlp_lab.text.vectorizer import Features

__all__ = ["Answer", "HeadOptions", "NoDecision", "Task"]


@dataclass(frozen=True)
class HeadOptions:
    """What a model's options say of the head.

    Args:
        units: The size of a hidden layer with ReLU; 0 for none.
        dropout: The rate before the last layer.
    """

    units: int = 0
    dropout: float = 0.0


@dataclass(frozen=True)
class NoDecision:
    """The decision of a task whose logits are read in one way only."""


class Answer(Protocol):
    """The answer to one text."""

    @property
    def text(self) -> str:
        """The text; U+FFFD replaces invalid UTF-8 in it."""

    def as_json(self) -> dict[str, Any]:
        """Returns the answer as JSON can hold it."""

    def as_line(self) -> str:
        """Returns the answer as a line for a terminal, without the text."""


class Task(abc.ABC):
    """What is asked of a text.

    A model knows how to read a text; a task knows what is asked of it. A task is a small frozen
    dataclass: it holds what it needs to know (the classes), and no weights.

    The losses, the tally and the answers of a task never look at padding, where an encoder's
    output means nothing.
    """

    name: ClassVar[str]
    """Its name on the command line, in config.json and in an export's manifest."""
    reads: ClassVar[Literal["pooled", "sequence"]]
    """What the head stands on: one vector a text, or one a token."""
    changes_inputs: ClassVar[bool] = False
    """Whether `batch` changes token ids, so that a frozen encoder's features cannot be cached."""
    recipe_fields: ClassVar[tuple[str, ...]] = ()
    """The fields of a recipe that `for_training` takes; the others are the trainer's."""
    decision_type: ClassVar[type] = NoDecision
    """The dataclass that `choose_decision` returns."""

    label_names: tuple[str, ...]

    # Which task it is

    @classmethod
    @abc.abstractmethod
    def for_data(cls, data: TextDataset) -> Task:
        """Returns the task that a dataset asks for: with its classes."""

    @classmethod
    @abc.abstractmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Task:
        """Returns the task that `to_json` described."""

    def to_json(self) -> dict[str, Any]:
        """Returns all that a trained model has to know of its task, for its description."""
        return {"name": self.name, "label_names": list(self.label_names)}

    # Training

    def for_training(
        self, data: TextDataset, *, class_weight: str = "none", label_smoothing: float = 0.0
    ) -> Task:
        """Returns the task as it is trained.

        Args:
            data: The rows.
            class_weight: The recipe's, if it is one of `recipe_fields`.
            label_smoothing: The recipe's, if it is one of `recipe_fields`.

        Raises:
            OptionError: One of them cannot be used with these rows.
        """
        return self

    def targets(self, text: TextVectorizer, split: Split) -> RowTargets:
        """Returns what looks up the targets of rows, within a graph; label ids by default.

        Rows in shards have label ids alone, so a task with other targets refuses shards.

        Args:
            text: What tokenizes the texts, for targets that belong to tokens.
            split: The rows.
        """
        return label_targets(split.labels)

    def batch(
        self, text: TextVectorizer, rows: Rows, seed: int, step: tf.Tensor
    ) -> tuple[Features, Any]:
        """Makes a batch, within a graph: a pure function of its arguments.

        Whatever is drawn at random has to be drawn from (seed, step, row) by TensorFlow's stateless
        functions, or a resumed training would not end bit-equal.

        Args:
            text: What packs token ids into features.
            rows: The rows.
            seed: The training's.
            step: The number of the step, int64 []; -1 for validation rows.

        Returns:
            The features, and the targets that `losses` and `tally` take.
        """
        return text.pack_flat(rows.ids, rows.lengths), rows.targets

    @abc.abstractmethod
    def head(self, width: int, options: HeadOptions) -> keras.Model:
        """Returns a network of the name "head".

        Args:
            width: The number of features.
            options: Its size.

        Returns:
            From features, [batch, width] or [batch, seq, width] as `reads` says, to logits,
            float32.
        """

    @abc.abstractmethod
    def losses(self, logits: tf.Tensor, targets: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the sum of a batch's losses, and the weight to divide it by; float32 [] both.

        The loss of a step is the sum over the global batch by the weight of the global batch:
        rows for a task on texts, tokens for a task on tokens.
        """

    @abc.abstractmethod
    def tally(self, logits: tf.Tensor, targets: Any) -> tf.Tensor:
        """Returns how many answers of a batch are right, and of how many: float32 [2]."""

    # Answers

    def check_decision(self, threshold: str = "auto", positive_class: str | None = None) -> None:
        """Checks the options of `choose_decision`, before anything is trained.

        Raises:
            OptionError: The task has no use for one of them, or it cannot be used.
        """
        given = {"threshold": threshold, "positive_class": positive_class}
        for name, value in given.items():
            check_option(name, value, value in (None, "auto"), f"left out for {self.name}")

    def choose_decision(
        self,
        logits: Any,
        validation: Split,
        train: Split | ShardedSplit,
        *,
        threshold: str = "auto",
        positive_class: str | None = None,
    ) -> Any:
        """Chooses how logits are read, on validation rows alone.

        Args:
            logits: Those of the validation rows: float32 [rows, classes], or an array
                [tokens, tags] a text for a task that reads sequences.
            validation: These rows.
            train: The training rows, for how often each class occurs.
            threshold: How a threshold is chosen: see `kerasnlp_lab.tasks.threshold`.
            positive_class: The class that the threshold is for.

        Returns:
            A `decision_type`.
        """
        return self.decision_type()

    @abc.abstractmethod
    def answers(self, logits: Any, decision: Any, texts: Sequence[str]) -> list[Any]:
        """Returns the `Answer` to each text.

        Args:
            logits: As those of `choose_decision`.
            decision: How to read them.
            texts: The texts.
        """

    @abc.abstractmethod
    def answers_in_graph(
        self, logits: tf.Tensor | tf.RaggedTensor, decision: Any, texts: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns what the signature ``serving_default`` of an export gives.

        Args:
            logits: Float32 [batch, classes], or ragged [batch, (tokens), tags].
            decision: How to read them.
            texts: Strings [batch].
        """

    @abc.abstractmethod
    def read_answers(self, given: Mapping[str, np.ndarray], texts: Sequence[str]) -> list[Any]:
        """Returns the `Answer` to each text, from what `answers_in_graph` gave."""
