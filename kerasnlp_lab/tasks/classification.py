"""`Classification`: the task of choosing one class for each text, and its `Prediction`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import tensorflow as tf
from rich.cells import cell_len

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import ShardedSplit, Split, TextDataset
from kerasnlp_lab.data.inputs import as_class_names
from kerasnlp_lab.display import shown_names
from kerasnlp_lab.tasks.class_weights import class_weights
from kerasnlp_lab.tasks.decision import Decision
from kerasnlp_lab.tasks.head import dense_head
from kerasnlp_lab.tasks.losses import SmoothedCrossentropy
from kerasnlp_lab.tasks.task import HeadOptions, Task, texts_as_json
from kerasnlp_lab.tasks.threshold import check_threshold, choose_decision

__all__ = ["Classification", "Prediction"]


@dataclass(frozen=True)
class Prediction:
    """The predicted class of one text.

    Args:
        text: The text, with U+FFFD in place of invalid UTF-8.
        label: The predicted class: the most probable one, or the one that the threshold selects.
        probabilities: The probability of every class, by name.
        second_text: The second text of a pair; None if the text is no pair.
    """

    text: str
    label: str
    probabilities: dict[str, float]
    second_text: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns text (and second_text, for a pair), label, probabilities and labels.

        ``labels`` holds the label, so that answers of one and of several labels can be read alike.
        """
        own = {"label": self.label, "probabilities": self.probabilities, "labels": [self.label]}
        return texts_as_json(self) | own

    def as_line(self) -> str:
        """Returns the class, padded to the longest class name, and its probability."""
        label = _padded_names(tuple(self.probabilities))[self.label]
        return f"{label}  {self.probabilities[self.label]:.3f}"


@functools.lru_cache(8)
def _padded_names(names: tuple[str, ...]) -> dict[str, str]:
    """Returns each class name as a table shows it, padded to the longest."""
    shown = shown_names(names)
    width = max(map(cell_len, shown))
    return {
        name: one + " " * (width - cell_len(one)) for name, one in zip(names, shown, strict=True)
    }


@dataclass(frozen=True, eq=False)
class Classification(Task):
    """The task of choosing one class for each text.

    Args:
        label_names: The classes, in the order of the logits; each has a name of its own.
        loss: The cross-entropy to minimize. `for_training` sets its label smoothing and its class
            weights.

    Raises:
        DataError: Two classes have the same name, or a name is missing.
    """

    name: ClassVar[str] = "classification"
    reads: ClassVar[Literal["pooled", "sequence"]] = "pooled"
    recipe_fields: ClassVar[tuple[str, ...]] = ("class_weight", "label_smoothing")
    decision_type: ClassVar[type] = Decision

    label_names: tuple[str, ...]
    loss: SmoothedCrossentropy = dataclasses.field(default_factory=SmoothedCrossentropy)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label_names", as_class_names(self.label_names))

    @classmethod
    def for_data(cls, data: TextDataset) -> Classification:
        cls.check_annotation(data)
        return cls(data.label_names)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Classification:
        return cls(tuple(saved["label_names"]))

    def for_training(
        self, data: TextDataset, *, class_weight: str = "none", label_smoothing: float = 0.0
    ) -> Classification:
        counts = data.train.label_counts(len(self.label_names))
        weights = class_weights(class_weight, counts, self.label_names)
        return dataclasses.replace(self, loss=SmoothedCrossentropy(label_smoothing, weights))

    def head(self, width: int, options: HeadOptions) -> keras.Model:
        return dense_head((width,), len(self.label_names), options)

    def losses(self, logits: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        losses = self.loss.call(targets, logits)  # [batch]
        return tf.reduce_sum(losses), tf.cast(tf.size(losses), tf.float32)

    def tally(self, logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        right = tf.equal(tf.argmax(logits, axis=-1), tf.cast(targets, tf.int64))
        return tf.stack(
            [tf.reduce_sum(tf.cast(right, tf.float32)), tf.cast(tf.size(right), tf.float32)]
        )

    def check_decision(self, threshold: str = "auto", positive_class: str | None = None) -> None:
        check_threshold(threshold, positive_class, self.label_names)

    def choose_decision(
        self,
        logits: np.ndarray,
        validation: Split,
        train: Split | ShardedSplit,
        *,
        threshold: str = "auto",
        positive_class: str | None = None,
    ) -> Decision:
        return choose_decision(
            logits,
            validation,
            self.label_names,
            train.label_counts(len(self.label_names)),
            threshold=threshold,
            positive_class=positive_class,
        )

    def answers(
        self, logits: np.ndarray, decision: Decision, texts: Sequence[str]
    ) -> list[Prediction]:
        probabilities = decision.probabilities(logits)
        given = {"probabilities": probabilities, "label_id": decision.label_ids(probabilities)}
        return self.read_answers(given, texts)

    def answers_in_graph(
        self, logits: tf.Tensor, decision: Decision, texts: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns the outputs of ``serving_default``.

        Returns:
            label, string [batch]; label_id, int64 [batch]; probabilities, float32
            [batch, classes].
        """
        probabilities, label_id = decision.in_graph(logits)
        label = tf.gather(tf.constant(self.label_names), label_id)
        return {"label": label, "label_id": label_id, "probabilities": probabilities}

    def read_answers(
        self, given: Mapping[str, np.ndarray], texts: Sequence[str]
    ) -> list[Prediction]:
        rows = zip(texts, given["probabilities"], given["label_id"], strict=True)
        return [
            Prediction(
                text,
                self.label_names[label_id],
                dict(zip(self.label_names, map(float, probabilities), strict=True)),
            )
            for text, probabilities, label_id in rows
        ]
