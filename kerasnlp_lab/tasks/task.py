"""`Task`: the interface of a task: targets, batches, head, losses, decision and answers."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Annotation, ShardedSplit, Split, TextDataset
from kerasnlp_lab.errors import OptionError, check_option
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.features import Features
from kerasnlp_lab.text.rows import Rows, RowTargets, label_targets

__all__ = ["Answer", "HeadOptions", "NoDecision", "Task", "texts_as_json"]

_IN_WORDS = {
    "labels": "one label each",
    "label_sets": "any number of labels each",
    "spans": "entities",
    "target_texts": "a target text each",
}


@dataclass(frozen=True)
class HeadOptions:
    """The size of a head, from the model's options.

    Args:
        units: The size of a hidden layer with ReLU; 0 for none.
        dropout: The dropout rate before the last layer.
    """

    units: int = 0
    dropout: float = 0.0


@dataclass(frozen=True)
class NoDecision:
    """The decision of a task with nothing to choose."""


class Answer(Protocol):
    """The answer to one text."""

    @property
    def text(self) -> str:
        """The text, with U+FFFD in place of invalid UTF-8."""

    def as_json(self) -> dict[str, Any]:
        """Returns the answer as a dictionary that JSON can hold."""

    def as_line(self) -> str:
        """Returns the answer as one line for the terminal, without the text."""


def texts_as_json(answer: Any) -> dict[str, str]:
    """Returns the text of an answer, and the second text if it is one to a pair, for `as_json`."""
    second = {} if answer.second_text is None else {"second_text": answer.second_text}
    return {"text": answer.text, **second}


class Task(abc.ABC):
    """The question that a model answers about each text.

    A model knows how to read a text, and a task knows the question. A task is a small frozen
    dataclass. It holds facts such as the classes, and no weights.

    The losses, the tally and the answers of a task never read padding, because an encoder's
    output there is arbitrary.
    """

    name: ClassVar[str]
    """The name on the command line, in config.json and in an export's manifest."""
    reads: ClassVar[Literal["pooled", "sequence", "target"]]
    """The head's input: one vector for each text ("pooled"), for each token ("sequence"), or for
    each symbol of a target text, from a model that writes ("target")."""
    annotation: ClassVar[Annotation] = "labels"
    """What the rows have: a label for each text, several (`Split.label_sets`), or spans with
    labels (`Split.spans`), or target texts (`Split.target_texts`)."""
    needs_offsets: ClassVar[bool] = False
    """Whether answers point to places in a text. Its logits are then `TokenLogits` of all texts,
    and texts of any length are read, in windows."""
    best_epoch_by: ClassVar[Literal["loss", "accuracy"]] = "loss"
    """What ranks epochs on the validation rows: the loss, or the accuracy, from `tally`."""
    measures: ClassVar[tuple[str, ...]] = ()
    """The names of further ratios for the history; `tally` has two more numbers for each."""
    changes_inputs: ClassVar[bool] = False
    """Whether `batch` changes token ids. If so, features of a frozen encoder cannot be cached."""
    similar_lengths: ClassVar[bool] = True
    """Whether the texts of a training batch have similar lengths. In a loss that is a mean over
    tokens, a token of short texts then counts for more than one of long texts."""
    recipe_fields: ClassVar[tuple[str, ...]] = ()
    """The fields of a recipe that `for_training` takes; the trainer uses the others."""
    decision_type: ClassVar[type] = NoDecision
    """The dataclass that `choose_decision` returns."""

    label_names: tuple[str, ...]

    # Identity

    @classmethod
    @abc.abstractmethod
    def for_data(cls, data: TextDataset) -> Task:
        """Returns the task for a dataset, with the dataset's classes."""

    @classmethod
    def check_annotation(cls, data: TextDataset) -> None:
        """Raises OptionError if the texts have other annotations than the task needs."""
        if data.annotation != cls.annotation:
            raise OptionError(
                f"the texts of {data.name} have {_IN_WORDS[data.annotation]}, and the task "
                f"{cls.name} needs {_IN_WORDS[cls.annotation]}"
            )

    @classmethod
    @abc.abstractmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Task:
        """Returns the task from the output of `to_json`.

        Raises:
            KeyError: A value is missing.
        """

    def to_json(self) -> dict[str, Any]:
        """Returns the task as JSON, for the description of a trained model."""
        return {"name": self.name, "label_names": list(self.label_names)}

    # Training

    def for_training(
        self, data: TextDataset, *, class_weight: str = "none", label_smoothing: float = 0.0
    ) -> Task:
        """Returns the task with the recipe's settings.

        Args:
            data: The rows.
            class_weight: The recipe's value, if `recipe_fields` names it.
            label_smoothing: The recipe's value, if `recipe_fields` names it.

        Raises:
            OptionError: A value does not suit these rows.
        """
        return self

    def rows_to_train_on(self, text: TextVectorizer, data: TextDataset) -> TextDataset:
        """Returns a dataset in the form that is trained and validated on; the same by default.

        Args:
            text: The text half.
            data: The rows.

        Returns:
            The rows, with more `notes` if something is changed.
        """
        return data

    def targets(self, text: TextVectorizer, split: Split) -> RowTargets:
        """Returns a function that looks up the targets of rows within a graph.

        By default the targets are label ids. Shards hold only label ids, so a task with other
        targets cannot train on shards.

        Args:
            text: The text half, which tokenizes texts for targets that belong to tokens.
            split: The rows.
        """
        return label_targets(split.labels)

    def batch(
        self, text: TextVectorizer, rows: Rows, seed: int, step: tf.Tensor
    ) -> tuple[Features, Any]:
        """Makes a batch within a graph, as a pure function of its arguments.

        Draw random numbers from (seed, step, row) with TensorFlow's stateless functions.
        Otherwise a resumed training would not end bit-equal.

        Args:
            text: The text half, which packs token ids into features.
            rows: The rows.
            seed: The seed of the training.
            step: The number of the step, int64 []; -1 for validation rows.

        Returns:
            The features, and the targets for `losses` and `tally`.
        """
        return text.pack_rows(rows, seed, step), rows.targets

    @abc.abstractmethod
    def head(self, width: int, options: HeadOptions) -> keras.Model:
        """Returns a new head, a network with the name "head".

        Args:
            width: The size of the last axis of the features.
            options: The size of the head.

        Returns:
            A network that turns features, float32 [batch, width] or [batch, seq, width] as
            `reads` says, into logits, float32.
        """

    @abc.abstractmethod
    def losses(self, logits: tf.Tensor, targets: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the sum of a batch's losses and its weight, both float32 [].

        The loss of a step is the sum of the global batch divided by its weight. The weight is the
        number of rows, or of tokens in a task on tokens.
        """

    @abc.abstractmethod
    def tally(self, logits: tf.Tensor, targets: Any) -> tf.Tensor:
        """Returns the number of correct answers in a batch and of all answers, float32 [2].

        Two numbers follow for each of the `measures`, a sum and what to divide it by.
        """

    # Answers

    def check_decision(self, threshold: str = "auto", positive_class: str | None = None) -> None:
        """Checks the options of `choose_decision` before the training starts.

        Raises:
            OptionError: The task has no such option, or the value is invalid.
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
        """Chooses the decision from the validation rows.

        Args:
            logits: The logits of the validation rows: float32 [rows, classes], or a list with
                [tokens, tags] for each text if the task reads sequences, or `TokenLogits` if it
                needs offsets, or [rows, most, 2] if it reads targets (see `Generation`).
            validation: The validation rows.
            train: The training rows, for the frequency of each class.
            threshold: The rule for the threshold; see `kerasnlp_lab.tasks.threshold` and
                `kerasnlp_lab.tasks.label_decision`.
            positive_class: The class with a threshold.

        Returns:
            A `decision_type`.

        Raises:
            OptionError: The task has no such option, or the value is invalid.
        """
        return self.decision_type()

    @abc.abstractmethod
    def answers(self, logits: Any, decision: Any, texts: Sequence[str]) -> list[Any]:
        """Returns the `Answer` to each text.

        Args:
            logits: Logits as for `choose_decision`.
            decision: The decision, from `choose_decision`.
            texts: The texts.
        """

    @abc.abstractmethod
    def answers_in_graph(
        self, logits: tf.Tensor | tf.RaggedTensor, decision: Any, texts: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Computes the outputs of an export's signature ``serving_default``.

        Args:
            logits: Float32 [batch, classes], or ragged [batch, (tokens), tags], or `TokenLogits`
                of tensors.
            decision: The decision, from `choose_decision`.
            texts: Strings [batch].

        Returns:
            The outputs by name, each with the batch as its first axis.
        """

    @abc.abstractmethod
    def read_answers(self, given: Mapping[str, np.ndarray], texts: Sequence[str]) -> list[Any]:
        """Returns the `Answer` to each text, from the outputs of `answers_in_graph`."""
