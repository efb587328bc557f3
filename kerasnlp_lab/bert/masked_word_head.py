"""`MaskedWordHead`: BERT's output layer, from vectors to the piece that each stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.config import BertConfig
from kerasnlp_lab.bert.encoder import cannot_rebuild, keras_activation
from kerasnlp_lab.bert.operations import EPSILON

__all__ = ["MaskedWordHead"]


class MaskedWordHead(keras.layers.Layer):
    """Scores every piece of the vocabulary for each hidden position.

    A dense layer, the encoder's activation, LayerNorm, and the product with the word table, which
    is the encoder's own variable: it learns from its use here and from the lookup of embeddings.

    Args:
        config: The encoder's shape.
        word_table: Returns the encoder's table of word embeddings, float32 [vocab, hidden]. The
            variable stays the encoder's weight, and is frozen there.
        precision: The precision of the two products: "float32" or "mixed_bfloat16".

    Call arguments:
        hidden: The encoder's outputs at hidden positions, [hidden positions, hidden].

    Returns:
        Logits, float32 [hidden positions, vocab].

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805; the tied table is Press and
    Wolf 2017, https://arxiv.org/abs/1608.05859.
    """

    def __init__(
        self,
        config: BertConfig,
        word_table: Callable[[], tf.Variable],
        *,
        precision: str = "float32",
        **kwargs: Any,
    ):
        super().__init__(dtype="float32", **kwargs)
        self._word_table = word_table
        self._products_dtype = tf.as_dtype(keras.mixed_precision.Policy(precision).compute_dtype)
        self.dense = keras.layers.Dense(
            config.hidden_size,
            keras_activation(config.activation),
            dtype=precision,
            name="transform",
        )
        self.layer_norm = keras.layers.LayerNormalization(epsilon=EPSILON, name="layer_norm")
        self._vocab_size = config.vocab_size

    get_config = cannot_rebuild

    def build(self, shape: Any) -> None:
        self.bias = self.add_weight("bias", [self._vocab_size], initializer="zeros")
        super().build(shape)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        x = self.layer_norm(tf.cast(self.dense(hidden), tf.float32))
        table = tf.cast(self._word_table(), self._products_dtype)
        scores = tf.matmul(tf.cast(x, self._products_dtype), table, transpose_b=True)
        return tf.cast(scores, tf.float32) + self.bias
