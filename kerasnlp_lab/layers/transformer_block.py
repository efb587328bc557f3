"""`TransformerBlock`: self-attention and a feed-forward network, with residual connections."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers.self_attention import SelfAttention

__all__ = ["TransformerBlock"]


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class TransformerBlock(keras.layers.Layer):
    """One encoder block of the Transformer, with post-layer normalization.

    Every head has ``key_dim = embed_dim``, as in the Keras example that the
    block comes from (not ``embed_dim / num_heads``, as in the paper).

    Masks: a mask of shape [batch, seq], given or made by a layer before, keeps
    padding from being attended to; the block passes it on. Rows of the output at
    padded positions are not meaningful: pool with a layer that honours masks.

    Args:
        embed_dim: The size of the input's and the output's last axis.
        num_heads: The number of attention heads.
        ff_dim: The size of the feed-forward network's hidden layer.
        rate: The dropout rate behind the attention and the feed-forward network.

    Call arguments:
        inputs: Floats of shape [batch, seq, embed_dim].
        training: Whether dropout is on.
        mask: Booleans of shape [batch, seq], false at padding.
        return_attention_scores: Whether to return the attention as well.

    Returns:
        Floats of shape [batch, seq, embed_dim]; with return_attention_scores a
        tuple of these and the scores, [batch, num_heads, seq (from), seq (to)],
        each row of which sums to 1.

    Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762;
    https://keras.io/examples/nlp/text_classification_with_transformer/.

    Example:
        >>> block = TransformerBlock(embed_dim=32, num_heads=2, ff_dim=32)
        >>> block(tf.zeros([4, 10, 32])).shape
        TensorShape([4, 10, 32])
        >>> block.count_params()
        10656
    """

    epsilon = 1e-6
    """Added to a variance before dividing by its square root."""

    def __init__(
        self, embed_dim: int, num_heads: int, ff_dim: int, rate: float = 0.1, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.ff_dim = ff_dim
        self.rate = rate
        self.supports_masking = True
        policy = self.dtype_policy
        self.att = SelfAttention(num_heads, key_dim=embed_dim, dtype=policy, name="attn")
        self.ffn_hidden = keras.layers.Dense(
            ff_dim, activation="relu", dtype=policy, name="ffn_hidden"
        )
        self.ffn_output = keras.layers.Dense(embed_dim, dtype=policy, name="ffn_output")
        # "layer_norm" in the names keeps weight decay away from them.
        self.layernorm1 = keras.layers.LayerNormalization(
            epsilon=self.epsilon, dtype=policy, name="layer_norm_1"
        )
        self.layernorm2 = keras.layers.LayerNormalization(
            epsilon=self.epsilon, dtype=policy, name="layer_norm_2"
        )
        self.dropout1 = keras.layers.Dropout(rate, dtype=policy)
        self.dropout2 = keras.layers.Dropout(rate, dtype=policy)

    def build(self, input_shape: Any) -> None:
        shape = tf.TensorShape(input_shape)
        with tf.name_scope(self.att.name):
            self.att.build(shape)
        super().build(input_shape)

    def call(
        self,
        inputs: tf.Tensor,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
        return_attention_scores: bool = False,
    ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        # [batch, seq, embed_dim], [batch, num_heads, seq, seq]
        attended, scores = self.att(inputs, mask=mask, return_attention_scores=True)
        x = self.layernorm1(inputs + self.dropout1(attended, training=training))
        transformed = self.ffn_output(self.ffn_hidden(x))
        outputs = self.layernorm2(x + self.dropout2(transformed, training=training))
        return (outputs, scores) if return_attention_scores else outputs

    def compute_mask(self, inputs: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor | None:
        return mask

    def get_config(self) -> dict[str, Any]:
        names = ("embed_dim", "num_heads", "ff_dim", "rate")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
