"""`TokenAndPositionEmbedding`: a token's embedding plus its position's."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import SequenceTooLongError

__all__ = ["TokenAndPositionEmbedding", "ngram_buckets_of"]

_FACTOR = 1_000_003  # a prime


def ngram_buckets_of(ids: tf.Tensor, width: int, buckets: int) -> tf.Tensor:
    """Returns a bucket for each token and the ones after it.

    Args:
        ids: Token ids, integers of shape [batch, seq]; 0 is padding, and 1 the unknown token.
        width: The number of tokens, itself included.
        buckets: The number of buckets; different n-grams may share one.

    Returns:
        Int64 of the same shape, from 1 to buckets; 0 where too few tokens follow, or one of them
        is unknown.
    """
    following = found = tf.cast(ids, tf.int64)
    known = following > 1
    for _ in range(width - 1):
        following = tf.pad(following[:, 1:], [[0, 0], [0, 1]])
        found = (found * _FACTOR + following) % buckets
        known &= following > 1
    return tf.where(known, found + 1, 0)


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class TokenAndPositionEmbedding(keras.layers.Layer):
    """The sum of a learned token embedding and a learned position embedding.

    A sequence may be shorter than ``maxlen``: position 0 is always its first
    token, so a text has the same embeddings whatever it is padded to.

    With ``longest_ngram``, a token and the ones after it have an embedding together, too, which
    is added at the first of them. N-grams are hashed into the rows of one table, which start at
    zero, so that n-grams that never occur in training change little.

    Masks: with ``mask_zero`` the layer makes one, false where the token id is 0,
    which Keras passes on to the layers after it.

    Args:
        maxlen: The number of positions, and so the longest sequence, in tokens.
        vocab_size: The number of token ids; ids run from 0 to vocab_size - 1.
        embed_dim: The size of an embedding.
        mask_zero: Whether id 0 is padding, to be masked.
        longest_ngram: The largest number of tokens that have an embedding together.
        ngram_buckets: The number of embeddings that n-grams of two and more tokens share.

    Call arguments:
        inputs: Token ids, integers of shape [batch, seq], seq <= maxlen.

    Returns:
        Embeddings of shape [batch, seq, embed_dim], in the layer's compute dtype.

    Raises:
        SequenceTooLongError: seq is known when the model is built, and is more
            than maxlen. Where it is known only when the model runs, the same
            message comes as tf.errors.InvalidArgumentError.

    Source: https://keras.io/examples/nlp/text_classification_with_transformer/;
    learned positions as in Devlin et al. 2019, https://arxiv.org/abs/1810.04805;
    hashed n-grams as in Joulin et al. 2016, https://arxiv.org/abs/1607.01759.

    Example:
        >>> layer = TokenAndPositionEmbedding(maxlen=256, vocab_size=20000, embed_dim=32)
        >>> layer(tf.constant([[7, 3, 0], [5, 0, 0]])).shape
        TensorShape([2, 3, 32])
        >>> layer.count_params()
        648192
    """

    def __init__(
        self,
        maxlen: int,
        vocab_size: int,
        embed_dim: int,
        mask_zero: bool = True,
        longest_ngram: int = 1,
        ngram_buckets: int = 32768,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.maxlen = maxlen
        self.vocab_size = vocab_size
        self.embed_dim = embed_dim
        self.mask_zero = mask_zero
        self.longest_ngram = longest_ngram
        self.ngram_buckets = ngram_buckets
        self.supports_masking = True
        policy = self.dtype_policy
        self.token_emb = keras.layers.Embedding(
            vocab_size, embed_dim, mask_zero=mask_zero, dtype=policy, name="token_emb"
        )
        self.pos_emb = keras.layers.Embedding(maxlen, embed_dim, dtype=policy, name="pos_emb")
        self.ngram_emb: keras.layers.Embedding | None = None
        if longest_ngram > 1:
            self.ngram_emb = keras.layers.Embedding(
                ngram_buckets + 1, embed_dim, "zeros", dtype=policy, name="ngram_emb"
            )

    def build(self, input_shape: tf.TensorShape) -> None:
        tables = [(self.token_emb, input_shape), (self.pos_emb, (None,))]
        if self.ngram_emb is not None:
            tables.append((self.ngram_emb, input_shape))
        for table, shape in tables:
            with tf.name_scope(table.name):  # HDF5 files have one place for a name
                table.build(shape)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        static_length = inputs.shape[1]
        too_long = (
            "a sequence of {} tokens is longer than this layer's maxlen of "
            f"{self.maxlen}: truncate the texts, or build the layer with a larger maxlen"
        )
        seq_length = tf.shape(inputs)[1]
        if static_length is None:
            check = tf.debugging.assert_less_equal(
                seq_length, self.maxlen, message=too_long.format("more")
            )
            with tf.control_dependencies([check] if check is not None else []):
                seq_length = tf.identity(seq_length)
        elif static_length > self.maxlen:
            raise SequenceTooLongError(too_long.format(static_length))
        positions = self.pos_emb(tf.range(seq_length))  # [seq, embed_dim]
        return self.embed_tokens(inputs) + positions  # [batch, seq, embed_dim]

    def embed_tokens(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns the embeddings of token ids, [batch, seq], without their positions."""
        embedded = self.token_emb(ids)
        if self.ngram_emb is not None:
            for buckets in self.ngrams(ids):
                embedded += self.ngram_emb(buckets)
        return embedded

    def ngrams(self, ids: tf.Tensor) -> list[tf.Tensor]:
        """Returns the rows of ``ngram_emb`` to add for token ids, each int64 [batch, seq]."""
        widths = range(2, self.longest_ngram + 1)
        return [ngram_buckets_of(ids, width, self.ngram_buckets) for width in widths]

    def compute_mask(self, inputs: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor | None:
        return self.token_emb.compute_mask(inputs) if self.mask_zero else mask

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        return tf.TensorShape([*tf.TensorShape(input_shape), self.embed_dim])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "maxlen": self.maxlen,
            "vocab_size": self.vocab_size,
            "embed_dim": self.embed_dim,
            "mask_zero": self.mask_zero,
            "longest_ngram": self.longest_ngram,
            "ngram_buckets": self.ngram_buckets,
        }
