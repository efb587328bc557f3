"""`AdditiveAttention`: Bahdanau's attention, a weighted mean of a sequence's states."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras

__all__ = ["AdditiveAttention"]


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class AdditiveAttention(keras.layers.Layer):
    """A mean of states, weighted by a small network that compares each with a query.

    The score of a state h for a query q is ``v . tanh(W q + U h + b)``. The softmax of the scores
    over a sequence gives the weights. Without a query, b alone stands for it: the layer then
    learns which states matter for its task, and pools a sequence.

    Unlike Keras' AdditiveAttention, which adds queries and keys as they are, the layer has the
    paper's projections W and U. The softmax is computed in float32 in every policy.

    Masks: honoured, but not passed on, since the output has a vector for each query. Numbers at
    masked positions are never read, be they NaN or infinite. A sequence with no real position
    gives zeros.

    Args:
        units: The size of the projections.

    Call arguments:
        inputs: The states, floats of shape [batch, seq, hidden].
        query: Floats of shape [batch, size] or [batch, queries, size]; None for no query. Either
            all calls of a layer have one, or none.
        mask: Booleans or integers of shape [batch, seq]; none keeps all.
        return_attention_scores: Whether to return the weights as well.

    Returns:
        Floats of shape [batch, hidden], or [batch, queries, hidden]; with
        return_attention_scores a tuple of these and the weights, float32 [batch, seq] or
        [batch, queries, seq], whose sum over the sequence is 1.

    Source: Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473, appendix A.1.2. Without a
    query: Yang et al. 2016, https://aclanthology.org/N16-1174, equations 5 to 7.

    Example:
        >>> attention = AdditiveAttention(units=16)
        >>> states, query = tf.zeros([2, 7, 32]), tf.zeros([2, 24])
        >>> attention(states, query=query).shape
        TensorShape([2, 32])
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True
        policy = self.dtype_policy
        self.query_projection = keras.layers.Dense(
            units, use_bias=False, dtype=policy, name="query_projection"
        )
        self.key_projection = keras.layers.Dense(units, dtype=policy, name="key_projection")

    def build(self, input_shape: Any) -> None:
        with tf.name_scope(self.key_projection.name):
            self.key_projection.build(tf.TensorShape(input_shape))
        self.score_kernel = self.add_weight(
            "score_kernel", [self.units], initializer=_initial_scores
        )
        super().build(input_shape)

    def call(
        self,
        inputs: tf.Tensor,
        query: tf.Tensor | None = None,
        mask: tf.Tensor | None = None,
        return_attention_scores: bool = False,
    ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        if mask is not None:
            real = tf.cast(mask, tf.bool)[:, :, tf.newaxis]
            inputs = tf.where(real, inputs, tf.zeros([], inputs.dtype))
        return self.attend(
            inputs,
            self.key_projection(inputs),
            query,
            mask=mask,
            return_attention_scores=return_attention_scores,
        )

    def attend(
        self,
        inputs: tf.Tensor,
        keys: tf.Tensor,
        query: tf.Tensor | None = None,
        *,
        mask: tf.Tensor | None = None,
        return_attention_scores: bool = False,
    ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        """Does what a call does, with keys that ``key_projection`` has made of the states.

        A decoder calls it at each step, and projects the states once.

        Args:
            inputs: As those of a call, but finite at masked positions too. The other arguments are
                those of a call.
            keys: Floats of shape [batch, seq, units].
        """
        query = None if query is None else tf.cast(query, keys.dtype)
        if query is None:
            compared = keys[:, tf.newaxis]  # [batch, 1, seq, units]
        else:
            queries = query if query.shape.rank == 3 else query[:, tf.newaxis]
            projected = self.query_projection(queries)[:, :, tf.newaxis]
            compared = keys[:, tf.newaxis] + projected  # [batch, queries, seq, units]
        scores = tf.reduce_sum(tf.tanh(compared) * self.score_kernel, axis=-1)
        weights = _masked_softmax(tf.cast(scores, tf.float32), mask)  # [batch, queries, seq]
        means = tf.matmul(tf.cast(weights, inputs.dtype), inputs)  # [batch, queries, hidden]
        if query is None or query.shape.rank == 2:
            means, weights = means[:, 0], weights[:, 0]
        return (means, weights) if return_attention_scores else means

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def _initial_scores(shape: Any, dtype: Any = None, **kwargs: Any) -> tf.Tensor:
    """Glorot's initial values for a matrix with one output."""
    return tf.reshape(keras.initializers.GlorotUniform()([*shape, 1], dtype), shape)


def _masked_softmax(scores: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """Returns the softmax over the real positions of [batch, queries, seq], 0 at the others."""
    if mask is None:
        return tf.nn.softmax(scores)
    real = tf.cast(mask, tf.bool)[:, tf.newaxis]
    shares = tf.nn.softmax(tf.where(real, scores, scores.dtype.min))
    return tf.where(real, shares, 0.0)
