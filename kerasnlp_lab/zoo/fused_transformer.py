"""`fuse_transformer`: our from-scratch Transformer in inference, in fewer operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import TransformerBlock
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.text.vectorizer import Features

__all__ = ["fuse_transformer"]

MASKED = -1e9  # added to the score of a position that is padding


def fuse_transformer(
    network: keras.Model, task: Task, options: Any
) -> Callable[[Features], tf.Tensor] | None:
    """Returns what the network computes up to its head, with the current weights as constants.

    It is the same but for rounding: within 1e-5 of the network in float32. Weights that
    follow each other without a ReLU between them are multiplied beforehand, LayerNorm's
    subtraction of the mean and its scale among them, and the last LayerNorm's division is
    done by the weights of the average over positions.

    Args:
        network: What the zoo's ``transformer`` builds.
        task: What it was built for; None is returned for a task that reads a sequence.
        options: What it was built with.

    Returns:
        From ``token_ids``, int32 [batch, seq], as the classifier's text half makes them, to
        float32 [batch, hidden].
    """
    if task.reads != "pooled":
        return None
    embedding = network.get_layer("embedding")
    tokens, positions = (
        table.embeddings.numpy() for table in (embedding.token_emb, embedding.pos_emb)
    )
    blocks = [_FusedBlock(network.get_layer(f"block_{n}")) for n in range(options.num_blocks)]

    def pooled(features: Features) -> tf.Tensor:
        ids = features["token_ids"]
        real = tf.cast(ids != 0, tf.float32)  # [batch, seq]
        masked = ((1.0 - real) * MASKED)[:, tf.newaxis]  # [batch, 1, seq]
        x = tf.gather(tf.constant(tokens), ids)  # [batch, seq, hidden]
        x += tf.constant(positions)[: tf.shape(ids)[1]]
        for block in blocks[:-1]:
            centered = block.centered(x, masked)
            x = block.normalized(centered * _inverse_deviation(centered))
        centered = blocks[-1].centered(x, masked)
        count = tf.reduce_sum(real, axis=1, keepdims=True)  # [batch, 1]
        shares = real / tf.maximum(count, 1.0) * _inverse_deviation(centered)[:, :, 0]
        mean = tf.matmul(shares[:, tf.newaxis], centered)[:, 0]  # [batch, hidden]
        # A text without a word has the average 0, by the layer that is replaced here.
        return tf.where(count > 0.0, blocks[-1].normalized(mean), 0.0)

    return pooled


class _FusedBlock:
    """One `TransformerBlock` as five matrix products.

    Args:
        block: Whose weights to take.
    """

    def __init__(self, block: TransformerBlock):
        self.hidden = block.embed_dim
        self.compare, self.compare_bias, self.project, self.project_bias = (
            product.numpy() for product in block.att.products()
        )
        first, last = block.layernorm1, block.layernorm2
        scale, shift = first.gamma.numpy(), first.beta.numpy()
        kernel, bias = block.ffn_hidden.kernel.numpy(), block.ffn_hidden.bias.numpy()
        self.inner, self.inner_bias = scale[:, np.newaxis] * kernel, shift @ kernel + bias
        center = np.eye(self.hidden) - 1.0 / self.hidden  # subtracts the mean of what it multiplies
        self.past = (scale[:, np.newaxis] * center).astype(np.float32)
        outer = block.ffn_output
        self.outer = (outer.kernel.numpy() @ center).astype(np.float32)
        self.outer_bias = ((outer.bias.numpy() + shift) @ center).astype(np.float32)
        self.scale, self.shift = last.gamma.numpy(), last.beta.numpy()

    def centered(self, x: tf.Tensor, masked: tf.Tensor) -> tf.Tensor:
        """Returns the block's output before its last LayerNorm, less its mean.

        Args:
            x: Float32 of shape [batch, seq, hidden].
            masked: What is added to scores, float32 of shape [batch, 1, seq].
        """
        batch = tf.shape(x)[0]
        rows = tf.reshape(x, [-1, self.hidden])  # [batch * seq, hidden]
        queries = _dense(rows, self.compare, self.compare_bias)
        queries = tf.reshape(queries, [batch, -1, self.hidden])  # [batch, seq * heads, hidden]
        scores = tf.nn.softmax(tf.matmul(queries, x, transpose_b=True) + masked)
        averages = tf.reshape(tf.matmul(scores, x), [-1, self.project.shape[0]])
        attended = rows + _dense(averages, self.project, self.project_bias)
        attended -= tf.reduce_mean(attended, axis=-1, keepdims=True)
        normal = attended * _inverse_deviation(attended)
        inner = tf.nn.relu(_dense(normal, self.inner, self.inner_bias))
        outer = tf.matmul(normal, self.past) + _dense(inner, self.outer, self.outer_bias)
        return tf.reshape(outer, tf.shape(x))

    def normalized(self, x: tf.Tensor) -> tf.Tensor:
        """Returns scale and shift of the last LayerNorm, [..., hidden], of what it divided."""
        return x * self.scale + self.shift


def _dense(x: tf.Tensor, kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
    # In this form TensorFlow's graph rewriter makes one operation of it.
    return tf.nn.bias_add(tf.matmul(x, kernel), bias)


def _inverse_deviation(centered: tf.Tensor) -> tf.Tensor:
    """Returns [..., 1] of [..., hidden], whose mean is 0; with the epsilon of the block."""
    variance = tf.reduce_mean(tf.square(centered), axis=-1, keepdims=True)
    return tf.math.rsqrt(variance + TransformerBlock.epsilon)
