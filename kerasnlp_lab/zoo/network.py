"""`with_head`: puts a task's head on a model's body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerasnlp_lab._keras import keras
from kerasnlp_lab.tasks import HeadOptions, Task

__all__ = ["FEATURES", "with_head"]

FEATURES = "features"  # the name of the layer before the head


def with_head(
    name: str, inputs: Mapping[str, Any], features: Any, task: Task, options: HeadOptions
) -> keras.Model:
    """Returns a network that turns a text half's features into a task's logits, float32.

    Args:
        name: The network's name.
        inputs: The symbolic inputs of the body.
        features: The symbolic output of the body: [batch, width], or [batch, seq, width] if
            the task reads a sequence.
        task: The task, which makes the head.
        options: The size of the head.
    """
    features = keras.layers.Activation("linear", dtype="float32", name=FEATURES)(features)
    head = task.head(features.shape[-1], options)
    return keras.Model(inputs, head(features), name=name)
