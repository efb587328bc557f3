"""`MultiLabel`: the task of finding all labels of a text, and its answer, `TextLabels`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Annotation, ShardedSplit, Split, TextDataset
from kerasnlp_lab.data.inputs import as_class_names
from kerasnlp_lab.data.row_labels import label_matrix
from kerasnlp_lab.display import printable
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.tasks.class_weights import class_weights
from kerasnlp_lab.tasks.head import dense_head
from kerasnlp_lab.tasks.label_decision import (
    LabelDecision,
    check_label_threshold,
    choose_label_decision,
)
from kerasnlp_lab.tasks.task import HeadOptions, Task, texts_as_json
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.rows import RowTargets

__all__ = ["MultiLabel", "TextLabels"]


@dataclass(frozen=True)
class TextLabels:
    """The labels that were found for one text.

    Args:
        text: The text, with U+FFFD in place of invalid UTF-8.
        labels: The labels whose probabilities reach their thresholds, the most probable first;
            perhaps none.
        probabilities: The probability of every label, by name.
        second_text: The second text of a pair; None if the text is no pair.
    """

    text: str
    labels: tuple[str, ...]
    probabilities: dict[str, float]
    second_text: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns text (and second_text, for a pair), labels and probabilities."""
        own = {"labels": list(self.labels), "probabilities": self.probabilities}
        return texts_as_json(self) | own

    def as_line(self) -> str:
        """Returns the labels and their probabilities, or "none"."""
        found = [f"{printable(one)} {self.probabilities[one]:.3f}" for one in self.labels]
        return "; ".join(found) or "none"


@dataclass(frozen=True)
class MultiLabel(Task):
    """The task of finding all labels of each text, of which there may be several or none.

    Args:
        label_names: The labels, in the order of the logits.
        label_smoothing: How far targets move from 0 and 1 towards one half, as a share.
        positive_weights: The factor for the loss of each label at rows that have it; None for 1.

    Raises:
        DataError: Two labels have the same name, or a name is missing.
    """

    name: ClassVar[str] = "multi_label"
    reads: ClassVar[Literal["pooled", "sequence"]] = "pooled"
    annotation: ClassVar[Annotation] = "label_sets"
    recipe_fields: ClassVar[tuple[str, ...]] = ("class_weight", "label_smoothing")
    decision_type: ClassVar[type] = LabelDecision

    label_names: tuple[str, ...]
    label_smoothing: float = 0.0
    positive_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "label_names", as_class_names(self.label_names))

    @classmethod
    def for_data(cls, data: TextDataset) -> MultiLabel:
        cls.check_annotation(data)
        return cls(data.label_names)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> MultiLabel:
        return cls(tuple(saved["label_names"]))

    # Training

    def for_training(
        self, data: TextDataset, *, class_weight: str = "none", label_smoothing: float = 0.0
    ) -> MultiLabel:
        """Returns the task with the recipe's settings.

        "balanced" gives the rows with a label the same total weight as the rows without it.
        """
        counts = data.train.label_counts(len(self.label_names))
        weights = class_weights(class_weight, counts, self.label_names)
        if class_weight == "balanced":
            weights = np.maximum(len(data.train) - counts, 1) / counts
        positive = None if weights is None else tuple(map(float, weights))
        return dataclasses.replace(self, label_smoothing=label_smoothing, positive_weights=positive)

    def targets(self, text: TextVectorizer, split: Split) -> RowTargets:
        """Returns a lookup of whether rows have each label, float32 [batch, labels]."""
        labels = len(self.label_names)
        sets = label_matrix(split.label_sets or (), labels)
        every = tf.RaggedTensor.from_row_splits(sets.indices.astype(np.int32), sets.indptr)

        def of_rows(rows: tf.Tensor) -> tf.Tensor:
            some = tf.gather(every, rows)
            places = tf.stack([tf.cast(some.value_rowids(), tf.int32), some.flat_values], axis=1)
            ones = tf.ones_like(some.flat_values, tf.float32)
            return tf.scatter_nd(places, ones, tf.stack([tf.size(rows), labels]))

        return of_rows

    def head(self, width: int, options: HeadOptions) -> keras.Model:
        return dense_head((width,), len(self.label_names), options)

    def losses(self, logits: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the sum over rows and labels of the cross-entropies, and the number of rows."""
        smooth = targets * (1 - self.label_smoothing) + self.label_smoothing / 2
        weights = tf.constant(self.positive_weights or 1.0)
        losses = tf.nn.weighted_cross_entropy_with_logits(smooth, logits, weights)
        return tf.reduce_sum(losses), tf.cast(tf.shape(logits)[0], tf.float32)

    def tally(self, logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Returns twice the right labels, and all found and all true ones: their micro-F1."""
        found = tf.cast(logits > 0, tf.float32)
        right = tf.reduce_sum(found * targets)
        return tf.stack([2 * right, tf.reduce_sum(found) + tf.reduce_sum(targets)])

    # Answers

    def check_decision(self, threshold: str = "auto", positive_class: str | None = None) -> None:
        check_label_threshold(threshold)
        fits = positive_class is None
        check_option("positive_class", positive_class, fits, f"left out for {self.name}")

    def choose_decision(
        self,
        logits: np.ndarray,
        validation: Split,
        train: Split | ShardedSplit,
        *,
        threshold: str = "auto",
        positive_class: str | None = None,
    ) -> LabelDecision:
        truth = label_matrix(validation.label_sets or (), len(self.label_names)).toarray()
        return choose_label_decision(logits, truth, threshold)

    def answers(
        self, logits: np.ndarray, decision: LabelDecision, texts: Sequence[str]
    ) -> list[TextLabels]:
        probabilities = decision.probabilities(logits)
        thresholds = np.broadcast_to(decision.lowest, probabilities.shape)
        return self.read_answers({"probabilities": probabilities, "thresholds": thresholds}, texts)

    def answers_in_graph(
        self, logits: tf.Tensor, decision: LabelDecision, texts: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns the outputs of ``serving_default``.

        Returns:
            labels, strings [batch, most]: those found for each text, the most probable first, and
            then ""; count, int64 [batch]: how many were found; probabilities and thresholds,
            float32 [batch, labels].
        """
        probabilities, thresholds = decision.in_graph(logits)
        found = probabilities >= thresholds
        count = tf.math.count_nonzero(found, axis=1)  # [batch]
        ranked = tf.argsort(tf.where(found, -probabilities, 1.0), axis=1, stable=True)
        most = tf.reduce_max(tf.concat([[tf.constant(0, tf.int64)], count], axis=0))
        names = tf.gather(tf.constant(self.label_names), ranked[:, :most])
        labels = tf.where(tf.sequence_mask(count, most), names, "")
        outputs = {"probabilities": probabilities, "thresholds": thresholds}
        return outputs | {"labels": labels, "count": count}

    def read_answers(
        self, given: Mapping[str, np.ndarray], texts: Sequence[str]
    ) -> list[TextLabels]:
        names = self.label_names
        return [
            TextLabels(
                text,
                tuple(names[n] for n in np.argsort(-row, kind="stable") if row[n] >= lowest[n]),
                dict(zip(names, map(float, row), strict=True)),
            )
            for text, row, lowest in zip(
                texts, given["probabilities"], given["thresholds"], strict=True
            )
        ]
