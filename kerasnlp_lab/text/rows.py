"""`Rows`: tokenized rows of a split, from which a task makes a batch within a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

__all__ = ["RowTargets", "Rows", "label_targets"]

RowTargets = Callable[[tf.Tensor], Any]
"""A function within a graph from row numbers, integers [batch], to their targets."""


class Rows(NamedTuple):
    """Some rows of a split, tokenized.

    Args:
        index: The numbers of the rows in the split, int64 [batch].
        ids: The token ids of all texts, end to end, int32 [tokens].
        lengths: The number of tokens in each text, int64 [batch].
        targets: The targets of the rows, from the task's `RowTargets`.
    """

    index: tf.Tensor
    ids: tf.Tensor
    lengths: tf.Tensor
    targets: Any


def label_targets(labels: np.ndarray) -> RowTargets:
    """Returns a `RowTargets` that looks up label ids, int64 [batch].

    Args:
        labels: The label id of every row, int64 [rows].
    """
    every_label = tf.constant(labels, tf.int64)
    return lambda rows: tf.gather(every_label, rows)
