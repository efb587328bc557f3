"""`TrainingOperations`: a BERT's layers with gradients that take fewer passes over memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.operations import EPSILON, Operations

__all__ = ["TrainingOperations"]

_AROUND_GELU = ("intermediate.dense.weight", "intermediate.dense.bias", "output.dense.weight")


class TrainingOperations(Operations):
    """A dense layer's bias has its gradient by a product, a LayerNorm's is one operation.

    The exact GELU is computed of ``x / sqrt(2)`` and comes out divided by it, which saves two
    passes over [rows, intermediate]: the weights around it make up for that.
    """

    def __init__(self, bert: keras.Model, dtype: tf.DType):
        super().__init__(bert, dtype, differentiable=True)

    def factor(self, name: str) -> float:
        if self.config.activation != "gelu":
            return 1.0
        name_in_layer = name.split(".", 3)[-1]  # after "encoder.layer.0."
        return 0.5**0.5 if name_in_layer in _AROUND_GELU else 1.0

    def enter(self, embeddings: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.reshape(embeddings, [-1, self.config.hidden_size]), self.dtype)

    def leave(self, x: tf.Tensor) -> tf.Tensor:
        return x

    def dense(self, name: str, x: tf.Tensor) -> tf.Tensor:
        return _dense(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def layer_norm(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """As `Operations.layer_norm`, by an operation that has one operation for its gradient.

        Not for inference, where several threads may run one graph at once: oneDNN's kernel of
        this operation in TensorFlow 2.20 then corrupts memory.
        """
        rows, hidden = tf.shape(x)[0], x.shape[-1]
        normal = tf.raw_ops.FusedBatchNormV3(
            x=tf.reshape(x, tf.stack([1, rows, hidden, 1])),  # each row is a channel
            scale=tf.fill([rows], 1.0),
            offset=tf.fill([rows], 0.0),
            mean=tf.constant([], tf.float32),
            variance=tf.constant([], tf.float32),
            epsilon=EPSILON,
            data_format="NCHW",
            is_training=True,
        )[0]
        flat = tf.reshape(normal, [-1, hidden])
        return flat * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]

    def activation(self, x: tf.Tensor) -> tf.Tensor:
        return _scaled_gelu(x) if self.config.activation == "gelu" else super().activation(x)


@tf.custom_gradient
def _dense(
    x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]]:
    """A dense layer whose bias has its gradient by a product, which is faster than BiasAddGrad."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        of_x = tf.matmul(upstream, kernel, transpose_b=True)
        of_kernel = tf.matmul(x, upstream, transpose_a=True)
        ones = tf.ones([1, tf.shape(x)[0]], x.dtype)
        return of_x, of_kernel, tf.matmul(ones, upstream)[0]

    return tf.nn.bias_add(_product(x, kernel), bias), gradient


def _product(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Returns a product that the graph rewriter leaves alone in bfloat16.

    It does not fuse a "batch" product with the bias. oneDNN has no AMX kernel for the two in one
    where the weights are variables.
    """
    if x.dtype == tf.float32:
        return tf.matmul(x, kernel)
    return tf.raw_ops.BatchMatMulV2(x=x, y=kernel)


@tf.custom_gradient
def _scaled_gelu(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Returns ``sqrt(2) * gelu(sqrt(2) * x)``, whose gradient takes fewer passes too."""
    doubled = 1 + tf.math.erf(x)  # twice the normal distribution function at sqrt(2) * x

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        slope = tf.exp(tf.constant(np.log(2 * np.pi**-0.5), x.dtype) - x * x)  # of erf
        return upstream * (doubled + x * slope)

    return x * doubled, gradient
