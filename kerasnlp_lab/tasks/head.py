"""`classifier_head`: what stands on the features of a text."""

from __future__ import annotations

from kerasnlp_lab._keras import keras

__all__ = ["classifier_head"]


def classifier_head(width: int, num_labels: int, *, units: int, dropout: float) -> keras.Model:
    """Returns a network from features [batch, width] to logits [batch, num_labels].

    Args:
        width: The number of features.
        num_labels: The number of classes.
        units: Of a hidden layer with ReLU; 0 for none.
        dropout: The rate before the last layer.
    """
    features = keras.Input((width,), name="features")
    x = features
    if units:
        x = keras.layers.Dense(units, activation="relu", name="hidden")(x)  # [batch, units]
    x = keras.layers.Dropout(dropout)(x)
    logits = keras.layers.Dense(num_labels, dtype="float32", name="classifier")(x)
    return keras.Model(features, logits, name="head")
