"""`MaskedAveragePooling1D`: the mean of a sequence's real positions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras

__all__ = ["MaskedAveragePooling1D"]


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class MaskedAveragePooling1D(keras.layers.Layer):
    """The mean over the positions that the mask keeps.

    Unlike Keras' GlobalAveragePooling1D, a sequence with no real position gives
    zeros, not NaN, and sums are taken in float32 under mixed precision. Numbers at masked
    positions are never read, be they NaN or infinite.

    Masks: honoured, but not passed on, since the output is no sequence.

    Call arguments:
        inputs: Floats of shape [batch, seq, hidden].
        mask: Booleans or integers of shape [batch, seq]; none keeps all.

    Returns:
        Floats of shape [batch, hidden], of the inputs' dtype.

    Source: Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084.

    Example:
        >>> pool = MaskedAveragePooling1D()
        >>> pool(tf.constant([[[2.0], [4.0], [9.0]]]), mask=tf.constant([[1, 1, 0]])).numpy()
        array([[3.]], dtype=float32)
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        x = tf.cast(inputs, tf.float32)
        if mask is None:
            return tf.cast(tf.reduce_mean(x, axis=1), inputs.dtype)  # [batch, hidden]
        weights = tf.cast(mask, tf.float32)[:, :, tf.newaxis]  # [batch, seq, 1]
        real = tf.math.multiply_no_nan(x, weights)  # NaN times 0 is 0
        total = tf.reduce_sum(real, axis=1)  # [batch, hidden]
        count = tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)  # [batch, 1]
        return tf.cast(total / count, inputs.dtype)

    def compute_mask(self, inputs: tf.Tensor, mask: tf.Tensor | None = None) -> None:
        return None
