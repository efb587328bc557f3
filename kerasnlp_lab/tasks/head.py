"""`dense_head`: the usual head: an optional hidden layer, dropout and a dense layer."""

from __future__ import annotations

from collections.abc import Sequence

from kerasnlp_lab._keras import keras
from kerasnlp_lab.tasks.task import HeadOptions

__all__ = ["dense_head"]


def dense_head(
    shape: tuple[int | None, ...],
    outputs: int,
    options: HeadOptions,
    bias: Sequence[float] | None = None,
) -> keras.Model:
    """Returns a network that turns features into logits, float32 [batch, ..., outputs].

    Args:
        shape: The shape of the features without the batch axis: (width,), or (None, width) for
            a sequence.
        outputs: The number of classes or tags.
        options: The size of the hidden layer, and the dropout rate.
        bias: The initial bias of each output; None for 0.
    """
    features = keras.Input(shape, name="features")
    x = features
    if options.units:
        x = keras.layers.Dense(options.units, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(options.dropout)(x)
    initial = "zeros" if bias is None else keras.initializers.Constant(list(bias))
    dense = keras.layers.Dense(
        outputs, bias_initializer=initial, dtype="float32", name="classifier"
    )
    logits = dense(x)
    return keras.Model(features, logits, name="head")
