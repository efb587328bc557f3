"""`TokenDropout`: hides random tokens during training."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kerasnlp_lab._internals import RandomLayer, random_generator
from kerasnlp_lab._keras import keras

__all__ = ["TokenDropout"]


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class TokenDropout(RandomLayer):
    """Replaces a share of the token ids by one id, in training only.

    A small training set lets a model lean on a few words for each text; hiding
    some of them at every step makes it use the others.

    Masks: padding (id 0) stays padding; a mask is passed on unchanged.

    Args:
        rate: The share of tokens to replace, from 0 to 1.
        replacement_id: The id put in their place: the vocabulary's unknown token.

    Call arguments:
        inputs: Token ids, integers of shape [batch, seq].
        training: Whether tokens are replaced.

    Returns:
        Token ids of the same shape and dtype.

    Source: word dropout, Iyyer et al. 2015, https://aclanthology.org/P15-1162/.

    Example:
        >>> layer = TokenDropout(rate=1.0, replacement_id=1)
        >>> layer(tf.constant([[5, 7, 0]]), training=True).numpy()
        array([[1, 1, 0]], dtype=int32)
    """

    def __init__(self, rate: float, replacement_id: int = 1, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = rate
        self.replacement_id = replacement_id
        self.supports_masking = True

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if not training or self.rate == 0.0:
            return tf.identity(inputs)
        hit = random_generator(self).random_uniform(tf.shape(inputs)) < self.rate  # [batch, seq]
        replacement = tf.cast(self.replacement_id, inputs.dtype)
        return tf.where(hit & (inputs != 0), replacement, inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "replacement_id": self.replacement_id}
