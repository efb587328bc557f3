"""`SmoothedCrossentropy`: cross-entropy with label smoothing and class weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras

__all__ = ["SmoothedCrossentropy"]


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy between logits and label ids, with label smoothing and class weights.

    Keras can only smooth one-hot labels.

    Args:
        label_smoothing: The share of the target that is spread over all classes.
        class_weights: The factor for the loss of each class, [classes]; None for 1.

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
        """Returns the loss of each row, float32 [batch].

        Args:
            y_true: Label ids, integers [batch].
            y_pred: Logits, floats [batch, classes].
        """
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
