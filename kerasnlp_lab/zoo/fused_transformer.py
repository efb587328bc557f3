"""`fuse_transformer`: computes the `transformer` model in fewer operations, for inference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import TransformerBlock
from kerasnlp_lab.layers.token_and_position_embedding import NGRAM_WEIGHT
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.text.features import Features

__all__ = ["fuse_transformer"]

MASKED = -1e9  # added to the attention scores of padding


def fuse_transformer(
    network: keras.Model, task: Task, options: Any
) -> Callable[[Features], tf.Tensor] | None:
    """Returns a function that computes the head's input, with the current weights as constants.

    The result is within 1e-5 of the network's in float32. Two savings make it faster. Weight
    matrices with no ReLU between them are multiplied in advance, together with LayerNorm's scale
    and its subtraction of the mean. The division of the last LayerNorm is merged into the
    average over positions.

    Args:
        network: A network of the zoo's ``transformer``.
        task: The network's task.
        options: The network's options.

    Returns:
        A function that takes ``token_ids``, int32 [batch, seq], from the classifier's text half
        and returns float32 [batch, hidden]. None for a task that reads a sequence, or if the
        network has another policy of Keras than float32.
    """
    embedding = network.get_layer("embedding")
    if task.reads != "pooled" or embedding.dtype_policy.name != "float32":
        return None
    tokens, positions = (
        table.embeddings.numpy() for table in (embedding.token_emb, embedding.pos_emb)
    )
    has_ngrams = embedding.ngram_emb is not None
    ngrams = NGRAM_WEIGHT * embedding.ngram_emb.embeddings.numpy() if has_ngrams else None
    blocks = [_FusedBlock(network.get_layer(f"block_{n}")) for n in range(options.num_blocks)]

    def pooled(features: Features) -> tf.Tensor:
        ids = features["token_ids"]
        real = tf.cast(ids != 0, tf.float32)  # [batch, seq]
        masked = ((1.0 - real) * MASKED)[:, tf.newaxis]  # [batch, 1, seq]
        x = tf.gather(tf.constant(tokens), ids)  # [batch, seq, hidden]
        for buckets in embedding.ngrams(ids):
            x += tf.gather(tf.constant(ngrams), buckets)
        x += tf.constant(positions)[: tf.shape(ids)[1]]
        for block in blocks[:-1]:
            centered = block.centered(x, masked)
            x = block.normalized(centered * _inverse_deviation(centered))
        centered = blocks[-1].centered(x, masked)
        count = tf.reduce_sum(real, axis=1, keepdims=True)  # [batch, 1]
        shares = real / tf.maximum(count, 1.0) * _inverse_deviation(centered)[:, :, 0]
        mean = tf.matmul(shares[:, tf.newaxis], centered)[:, 0]  # [batch, hidden]
        # MaskedAveragePooling1D, which this replaces, gives 0 for a text without words.
        return tf.where(count > 0.0, blocks[-1].normalized(mean), 0.0)

    return pooled


class _FusedBlock:
    """One `TransformerBlock`, computed in few matrix products.

    Args:
        block: The block that provides the weights.
    """

    def __init__(self, block: TransformerBlock):
        self.hidden = block.embed_dim
        self.query_key, self.query_key_bias, self.value_output, self.value_output_bias = (
            product.numpy() for product in block.att.products()
        )
        first, last = block.layernorm1, block.layernorm2
        scale, shift = first.gamma.numpy(), first.beta.numpy()
        kernel, bias = block.ffn_hidden.kernel.numpy(), block.ffn_hidden.bias.numpy()
        self.inner, self.inner_bias = scale[:, np.newaxis] * kernel, shift @ kernel + bias
        center = np.eye(self.hidden) - 1.0 / self.hidden  # multiplying by it subtracts the mean
        self.residual = (scale[:, np.newaxis] * center).astype(np.float32)
        outer = block.ffn_output
        self.outer = (outer.kernel.numpy() @ center).astype(np.float32)
        self.outer_bias = ((outer.bias.numpy() + shift) @ center).astype(np.float32)
        self.scale, self.shift = last.gamma.numpy(), last.beta.numpy()

    def centered(self, x: tf.Tensor, masked: tf.Tensor) -> tf.Tensor:
        """Returns the input of the block's last LayerNorm, minus its mean.

        Args:
            x: The block's input, float32 [batch, seq, hidden].
            masked: The values to add to the attention scores, float32 [batch, 1, seq].

        Returns:
            Float32 [batch, seq, hidden].
        """
        batch = tf.shape(x)[0]
        rows = tf.reshape(x, [-1, self.hidden])  # [batch * seq, hidden]
        queries = _dense(rows, self.query_key, self.query_key_bias)
        queries = tf.reshape(queries, [batch, -1, self.hidden])  # [batch, seq * heads, hidden]
        scores = tf.nn.softmax(tf.matmul(queries, x, transpose_b=True) + masked)
        averages = tf.reshape(tf.matmul(scores, x), [-1, self.value_output.shape[0]])
        attended = rows + _dense(averages, self.value_output, self.value_output_bias)
        attended -= tf.reduce_mean(attended, axis=-1, keepdims=True)
        normal = attended * _inverse_deviation(attended)
        inner = tf.nn.relu(_dense(normal, self.inner, self.inner_bias))
        outer = tf.matmul(normal, self.residual) + _dense(inner, self.outer, self.outer_bias)
        return tf.reshape(outer, tf.shape(x))

    def normalized(self, x: tf.Tensor) -> tf.Tensor:
        """Applies the last LayerNorm's scale and shift to normalized values, [..., hidden]."""
        return x * self.scale + self.shift


def _dense(x: tf.Tensor, kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
    # TensorFlow's graph rewriter fuses exactly this form into one operation.
    return tf.nn.bias_add(tf.matmul(x, kernel), bias)


def _inverse_deviation(centered: tf.Tensor) -> tf.Tensor:
    """Returns 1 / standard deviation, [..., 1], of values [..., hidden] whose mean is 0."""
    variance = tf.reduce_mean(tf.square(centered), axis=-1, keepdims=True)
    return tf.math.rsqrt(variance + TransformerBlock.epsilon)
