"""`with_head`: the one place where a task's head is put on a model's body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerasnlp_lab._keras import keras
from kerasnlp_lab.tasks import HeadOptions, Task

__all__ = ["FEATURES", "with_head"]

FEATURES = "features"  # the layer whose output the head stands on


def with_head(
    name: str, inputs: Mapping[str, Any], features: Any, task: Task, options: HeadOptions
) -> keras.Model:
    """Returns a network from a text half's features to a task's logits, float32.

    Args:
        name: The network's name.
        inputs: The symbolic inputs of the body.
        features: The output of the body: [batch, width], or [batch, seq, width] if the task
            reads a sequence.
        task: What is asked of a text.
        options: The size of the head.
    """
    features = keras.layers.Activation("linear", dtype="float32", name=FEATURES)(features)
    head = task.head(features.shape[-1], options)
    return keras.Model(inputs, head(features), name=name)
