"""`SmoothedCrossentropy`: cross-entropy of label ids, with label smoothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras

__all__ = ["SmoothedCrossentropy"]


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy between logits and label ids; Keras smooths one-hot labels only.

    Args:
        label_smoothing: How much of the target goes to all classes alike.
        class_weights: What the loss of a row of each class is multiplied by; None for 1.

    Source: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567.
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        class_weights: Iterable[float] | None = None,
        name: str = "crossentropy",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing
        self.class_weights = None if class_weights is None else [float(w) for w in class_weights]

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Returns losses [batch] of label ids [batch] and logits [batch, classes]."""
        logits = tf.cast(y_pred, tf.float32)
        labels = tf.reshape(tf.cast(y_true, tf.int32), [-1])
        losses = keras.losses.categorical_crossentropy(
            tf.one_hot(labels, tf.shape(logits)[-1]),
            logits,
            from_logits=True,
            label_smoothing=self.label_smoothing,
        )
        if self.class_weights is None:
            return losses
        return losses * tf.gather(tf.constant(self.class_weights, tf.float32), labels)

    def get_config(self) -> dict[str, Any]:
        own = {"label_smoothing": self.label_smoothing, "class_weights": self.class_weights}
        return {**super().get_config(), **own}
