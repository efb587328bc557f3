"""`SelfAttention`: multi-head attention of a sequence to itself."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras

__all__ = ["SelfAttention"]


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention with the weights of Keras' MultiHeadAttention.

    The textbook's order is: queries, keys and values of each position, ``softmax(q k)``,
    its product with the values, and a projection of that. Here neither keys nor values
    are made. Since ``q_i k_j = x_i (W_q W_k') x_j``, the weights are multiplied first, and
    a head's query is compared with the inputs themselves; and as attention is linear in
    what it averages, the inputs are averaged and projected afterwards, by ``W_v W_o``.
    It is the same function with half of the products, and no transposition of heads.

    Masks: positions where the mask is false are not attended to; the mask is passed on.

    Args:
        num_heads: The number of heads.
        key_dim: The size of a head's queries, keys and values.

    Call arguments:
        inputs: Floats of shape [batch, seq, hidden].
        mask: Booleans of shape [batch, seq], false at padding.
        return_attention_scores: Whether to return the attention as well.

    Returns:
        Floats of shape [batch, seq, hidden]; with return_attention_scores a tuple of
        these and the scores, [batch, num_heads, seq (from), seq (to)].

    Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2.

    Example:
        >>> attention = SelfAttention(num_heads=2, key_dim=32)
        >>> attention(tf.zeros([4, 10, 32])).shape
        TensorShape([4, 10, 32])
    """

    def __init__(self, num_heads: int, key_dim: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        hidden = tf.TensorShape(input_shape)[-1]
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: hidden})
        inner = (self.num_heads, self.key_dim)
        for part in ("query", "key", "value"):
            setattr(self, f"{part}_kernel", self.add_weight(f"{part}/kernel", (hidden, *inner)))
            bias = self.add_weight(f"{part}/bias", inner, initializer="zeros")
            setattr(self, f"{part}_bias", bias)
        self.output_kernel = self.add_weight("attention_output/kernel", (*inner, hidden))
        self.output_bias = self.add_weight("attention_output/bias", (hidden,), initializer="zeros")
        super().build(input_shape)

    def products(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns what inputs are multiplied by and what is added, before and after.

        Returns:
            Kernel [hidden, heads * hidden] and bias [heads * hidden] from an input to what
            inputs are compared with, scaled; kernel [heads * hidden, hidden] and bias
            [hidden] from each head's average input to the output.
        """
        dtype = self.compute_dtype
        kernels = self.query_kernel, self.key_kernel * self.key_dim**-0.5, self.value_kernel
        query, key, value = (  # of each head, [hidden, key_dim]
            tf.unstack(tf.cast(kernel, dtype), axis=1) for kernel in kernels
        )
        output = tf.unstack(tf.cast(self.output_kernel, dtype))  # [key_dim, hidden]
        compare = [tf.matmul(q, k, transpose_b=True) for q, k in zip(query, key, strict=True)]
        project = [tf.matmul(v, o) for v, o in zip(value, output, strict=True)]
        query_bias = tf.unstack(tf.cast(self.query_bias, dtype)[:, tf.newaxis])  # [1, key_dim]
        compare_bias = [
            tf.matmul(q, k, transpose_b=True) for q, k in zip(query_bias, key, strict=True)
        ]
        # A key's bias adds the same to all of a query's scores, which softmax takes out.
        # So it gets a gradient, and one of zero, as in Keras.
        nothing = 0.0 * tf.reduce_sum(tf.cast(self.key_bias, dtype))
        value_bias = tf.reshape(tf.cast(self.value_bias, dtype), [1, -1])
        flat_output = tf.reshape(tf.cast(self.output_kernel, dtype), [value_bias.shape[1], -1])
        return (
            tf.concat(compare, axis=1),
            tf.concat(compare_bias, axis=1)[0] + nothing,
            tf.concat(project, axis=0),
            tf.matmul(value_bias, flat_output)[0] + tf.cast(self.output_bias, dtype),
        )

    def call(
        self,
        inputs: tf.Tensor,
        mask: tf.Tensor | None = None,
        return_attention_scores: bool = False,
    ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        compare, compare_bias, project, project_bias = self.products()
        hidden = inputs.shape[-1]
        batch, seq = tf.unstack(tf.shape(inputs)[:2])
        rows = tf.reshape(inputs, [-1, hidden])  # [batch * seq, hidden]
        queries = tf.reshape(tf.matmul(rows, compare) + compare_bias, [batch, -1, hidden])
        logits = tf.matmul(queries, inputs, transpose_b=True)  # [batch, seq * heads, seq]
        if mask is not None:
            hidden_from_all = 1.0 - tf.cast(mask, logits.dtype)[:, tf.newaxis, :]
            logits += hidden_from_all * (logits.dtype.min / 2)
        scores = tf.nn.softmax(logits)
        averages = tf.reshape(tf.matmul(scores, inputs), [-1, self.num_heads * hidden])
        outputs = tf.reshape(tf.matmul(averages, project) + project_bias, tf.shape(inputs))
        if not return_attention_scores:
            return outputs
        by_position = tf.reshape(scores, [batch, seq, self.num_heads, seq])
        return outputs, tf.transpose(by_position, [0, 2, 1, 3])

    def compute_mask(self, inputs: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor | None:
        return mask

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_heads": self.num_heads, "key_dim": self.key_dim}
