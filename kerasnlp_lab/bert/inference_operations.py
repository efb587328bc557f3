"""`InferenceOperations`: a BERT's layers as TensorFlow's graph rewriter fuses them."""

from __future__ import annotations

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.operations import EPSILON, Operations, is_table

__all__ = ["InferenceOperations"]

# TensorFlow 2.20's graph rewriter fuses a LayerNorm into one operation, but gives it an epsilon
# of 0.001 whatever the graph said. So everything that is normalized is computed this much larger,
# which is exact in binary, and makes that epsilon the 1e-9 of numbers of the usual size.
ENLARGED = 1024.0


class InferenceOperations(Operations):
    """Each product becomes one operation with its bias and its GELU, each LayerNorm another.

    Between the layers, numbers are ENLARGED: layers that write them have weights that much
    larger, and layers that read them have weights that much smaller.

    With `constants`, the current weights become constants of each graph that is traced. oneDNN
    lays out a constant once, and a variable in every call. The fused LayerNorm needs them too.
    """

    def __init__(
        self,
        bert: keras.Model,
        dtype: tf.DType,
        *,
        differentiable: bool = False,
        constants: bool = False,
    ):
        super().__init__(bert, dtype, differentiable=differentiable)
        if constants:  # but for the embedding tables, which are large, and only looked up
            self._weights = {
                name: one if is_table(name) else one.numpy() for name, one in self._weights.items()
            }

    def factor(self, name: str) -> float:
        part, _, kind = name.rpartition(".")
        if part.endswith(("LayerNorm", ".output.dense")):
            return ENLARGED
        return 1 / ENLARGED if kind == "weight" else 1.0

    def enter(self, embeddings: tf.Tensor) -> tf.Tensor:
        # The rewriter fuses the LayerNorm behind only if it knows how wide the rows are.
        rows = tf.reshape(embeddings * ENLARGED, [-1, self.config.hidden_size])
        return tf.cast(rows, self.dtype)

    def leave(self, x: tf.Tensor) -> tf.Tensor:
        return x / ENLARGED

    def dense(self, name: str, x: tf.Tensor) -> tf.Tensor:
        product = tf.matmul(x, self._weight(f"{name}.weight"))
        return tf.nn.bias_add(product, self._weight(f"{name}.bias"))

    def layer_norm(self, name: str, x: tf.Tensor) -> tf.Tensor:
        # By the functions whose operations the rewriter looks for.
        mean, variance = tf.nn.moments(x, [1], keepdims=True)
        offset, scale = self._weight(f"{name}.bias"), self._weight(f"{name}.weight")
        return tf.nn.batch_normalization(x, mean, variance, offset, scale, EPSILON * ENLARGED**2)

    def _weight(self, name: str) -> tf.Tensor:
        return tf.convert_to_tensor(self._weights[name])
