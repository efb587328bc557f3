"""`Rows`: some rows of a split, within a graph, before a task makes a batch of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

__all__ = ["RowTargets", "Rows", "label_targets"]

RowTargets = Callable[[tf.Tensor], Any]
"""From rows, integers [batch], to their targets, within a graph."""


class Rows(NamedTuple):
    """Some rows of a split, tokenized.

    Args:
        index: Which rows of the split they are, int64 [batch].
        ids: The token ids of all texts, end to end, int32 [tokens].
        lengths: The number of tokens of each text, int64 [batch].
        targets: Their targets, as the task's `RowTargets` looked them up.
    """

    index: tf.Tensor
    ids: tf.Tensor
    lengths: tf.Tensor
    targets: Any


def label_targets(labels: np.ndarray) -> RowTargets:
    """Returns targets that are label ids: int64 [batch] of rows [batch].

    Args:
        labels: The label id of every row, int64 [rows].
    """
    every_label = tf.constant(labels, tf.int64)
    return lambda rows: tf.gather(every_label, rows)
