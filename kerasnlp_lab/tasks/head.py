"""`dense_head`: dropout and a dense layer on features, with a hidden layer if asked for."""

from __future__ import annotations

from kerasnlp_lab._keras import keras
from kerasnlp_lab.tasks.task import HeadOptions

__all__ = ["dense_head"]


def dense_head(shape: tuple[int | None, ...], outputs: int, options: HeadOptions) -> keras.Model:
    """Returns a network from features to logits, float32 [batch, ..., outputs].

    Args:
        shape: The features' shape without the batch: (width,), or (None, width) for a sequence.
        outputs: The number of classes or tags.
        options: Its size.
    """
    features = keras.Input(shape, name="features")
    x = features
    if options.units:
        x = keras.layers.Dense(options.units, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(options.dropout)(x)
    logits = keras.layers.Dense(outputs, dtype="float32", name="classifier")(x)
    return keras.Model(features, logits, name="head")
