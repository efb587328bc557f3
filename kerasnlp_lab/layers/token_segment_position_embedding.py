"""`TokenSegmentPositionEmbedding`: the sum of token, segment and position embeddings, as BERT's."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers.token_and_position_embedding import TokenAndPositionEmbedding

__all__ = ["TokenSegmentPositionEmbedding"]


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class TokenSegmentPositionEmbedding(keras.layers.Layer):
    """The sum of a token's, its segment's and its position's embedding.

    Then, as in BERT, LayerNorm and dropout, each of which can be left out.

    Masks: with ``mask_zero`` the layer makes one, false where the token id is 0, which Keras
    passes on to the layers after it.

    Args:
        maxlen: The number of positions, and so the longest sequence, in tokens.
        vocab_size: The number of token ids; ids run from 0 to vocab_size - 1.
        embed_dim: The size of an embedding.
        segments: The number of segment ids; 2 for a pair of texts.
        mask_zero: Whether token id 0 is padding, to be masked.
        normalize: Whether LayerNorm follows the sum.
        rate: The share of numbers that dropout sets to 0 in training.
        epsilon: LayerNorm's epsilon.

    Call arguments:
        inputs: A pair: token ids and segment ids, integers of shape [batch, seq], seq <= maxlen.
            Token ids alone are all of segment 0.

    Returns:
        Embeddings of shape [batch, seq, embed_dim], in the layer's compute dtype.

    Raises:
        SequenceTooLongError: As `TokenAndPositionEmbedding` raises it.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805, figure 2.

    Example:
        >>> layer = TokenSegmentPositionEmbedding(maxlen=512, vocab_size=30522, embed_dim=128)
        >>> layer((tf.constant([[2, 7, 3, 9, 3]]), tf.constant([[0, 0, 0, 1, 1]]))).shape
        TensorShape([1, 5, 128])
    """

    def __init__(
        self,
        maxlen: int,
        vocab_size: int,
        embed_dim: int,
        segments: int = 2,
        mask_zero: bool = True,
        normalize: bool = True,
        rate: float = 0.1,
        epsilon: float = 1e-12,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.maxlen = maxlen
        self.vocab_size = vocab_size
        self.embed_dim = embed_dim
        self.segments = segments
        self.mask_zero = mask_zero
        self.normalize = normalize
        self.rate = rate
        self.epsilon = epsilon
        self.supports_masking = True
        policy = self.dtype_policy
        self.token_and_position = TokenAndPositionEmbedding(
            maxlen, vocab_size, embed_dim, mask_zero, dtype=policy, name="token_and_position"
        )
        self.segment_emb = keras.layers.Embedding(
            segments, embed_dim, dtype=policy, name="segment_emb"
        )
        self.norm: keras.layers.Layer | None = None
        if normalize:
            self.norm = keras.layers.LayerNormalization(epsilon=epsilon, dtype=policy, name="norm")
        self.dropout = keras.layers.Dropout(rate, dtype=policy, name="dropout")

    def build(self, input_shape: Any) -> None:
        for part in (self.token_and_position, self.segment_emb, self.norm):
            if part is not None:
                with tf.name_scope(part.name):  # HDF5 files have one place for a name
                    part.build((None, None, self.embed_dim) if part is self.norm else (None, None))
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        ids, segments = inputs if isinstance(inputs, (list, tuple)) else (inputs, None)
        segments = tf.zeros_like(ids) if segments is None else segments
        x = self.token_and_position(ids) + self.segment_emb(segments)  # [batch, seq, embed_dim]
        if self.norm is not None:
            x = self.norm(x)
        return self.dropout(x, training=training)

    def compute_mask(self, inputs: Any, mask: Any = None) -> tf.Tensor | None:
        ids = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
        given = mask[0] if isinstance(mask, (list, tuple)) else mask
        return self.token_and_position.compute_mask(ids, given)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "maxlen": self.maxlen,
            "vocab_size": self.vocab_size,
            "embed_dim": self.embed_dim,
            "segments": self.segments,
            "mask_zero": self.mask_zero,
            "normalize": self.normalize,
            "rate": self.rate,
            "epsilon": self.epsilon,
        }
