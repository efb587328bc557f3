"""`SmoothedCrossentropy`: cross-entropy of label ids, with label smoothing."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras

__all__ = ["SmoothedCrossentropy"]


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy between logits and label ids; Keras smooths one-hot labels only.

    Args:
        label_smoothing: How much of the target goes to all classes alike.

    Source: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567.
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "crossentropy", **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Returns losses [batch] of label ids [batch] and logits [batch, classes]."""
        logits = tf.cast(y_pred, tf.float32)
        one_hot = tf.one_hot(tf.reshape(tf.cast(y_true, tf.int32), [-1]), tf.shape(logits)[-1])
        return keras.losses.categorical_crossentropy(
            one_hot, logits, from_logits=True, label_smoothing=self.label_smoothing
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
