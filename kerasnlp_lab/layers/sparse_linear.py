"""`SparseLinear`: a dense layer over few features out of many."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras

__all__ = ["SparseLinear"]


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class SparseLinear(keras.layers.Layer):
    """A linear map of a sparse vector, given by the ids and values of its entries.

    Args:
        num_features: The length of the sparse vector.
        units: The number of outputs.

    Call arguments:
        inputs: A pair: ids, integers of shape [batch, entries], and values, floats
            of the same shape, 0 at padding.

    Returns:
        Floats of shape [batch, units].

    Masks: none are needed, since the value 0 adds nothing.

    Example:
        >>> layer = SparseLinear(num_features=1000, units=4)
        >>> layer((tf.constant([[3, 7, 0]]), tf.constant([[0.5, 0.5, 0.0]]))).shape
        TensorShape([1, 4])
    """

    def __init__(self, num_features: int, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_features = num_features
        self.units = units

    def build(self, input_shape: Any) -> None:
        shape = (self.num_features, self.units)
        self.kernel = self.add_weight("kernel", shape, initializer="zeros")
        self.bias = self.add_weight("bias", (self.units,), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        ids, values = inputs
        rows = tf.gather(self.kernel, ids)  # [batch, entries, units]
        weighted = rows * tf.cast(values, rows.dtype)[:, :, tf.newaxis]
        return tf.reduce_sum(weighted, axis=1) + self.bias  # [batch, units]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_features": self.num_features, "units": self.units}
