"""Decides which rows make a batch, in training and in prediction.

An order is a pure function of its arguments, so that training can resume at any step.
`order_specification` writes the training orders down in plain NumPy.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from kerasnlp_lab.errors import DataError

__all__ = [
    "WINDOW_BATCHES",
    "evaluation_order",
    "items_of",
    "length_ranks",
    "steps_in_pass",
    "training_order",
]

WINDOW_BATCHES = 50


def length_ranks(lengths: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns where each text stands among its class, 0 shortest, 1 longest, float32 [rows].

    Texts of the same length and class are ranked in the order given.

    Args:
        lengths: The number of tokens of each text, int64 of shape [rows].
        labels: Their label ids, int64 of shape [rows].
    """
    by_class_and_length = np.lexsort((lengths, labels))
    ranks = np.empty(len(lengths), np.float32)
    begin = 0
    for class_rows in np.bincount(labels):
        ranks_in_class = np.arange(0.5, class_rows, dtype=np.float32)
        ranks_in_class /= class_rows
        ranks[by_class_and_length[begin : begin + class_rows]] = ranks_in_class
        begin += class_rows
    return ranks


def steps_in_pass(rows: int, batch_size: int) -> int:
    """Returns how many full batches the rows make; fewer rows than a batch make one batch.

    Raises:
        DataError: There are no rows.
    """
    if not rows:
        raise DataError("there are no rows to train on")
    return rows // min(batch_size, rows)


def training_order(
    lengths: np.ndarray, labels: np.ndarray, *, batch_size: int, seed: int, first_step: int = 0
) -> tf.data.Dataset:
    """Returns the rows of endless training batches, int32 [batch].

    Each pass shuffles the rows, sorts windows of at most 50 batches by `length_ranks`, cuts them
    into batches, and shuffles the batches. So the texts of a batch have similar lengths within
    their class, and a batch has the classes in about the shares that all rows have them. Sorting
    by length alone would not do: where one class has longer texts than the others, most batches
    would hold nearly one class, and a short training would learn little from them.

    Every batch is full, so that replicas get equal shares. Each pass leaves out the few rows that
    do not fill a batch, drawn anew each time.

    Args:
        lengths: The number of tokens of each text, [rows].
        labels: Their label ids, [rows].
        batch_size: Rows in a (global) batch. With fewer rows than that, a batch is all rows.
        seed: Determines the order.
        first_step: How many batches to skip; may lie in any pass.

    Raises:
        DataError: There are no rows.
    """
    rows = len(lengths)
    steps = steps_in_pass(rows, batch_size)
    batch_size = min(batch_size, rows)
    windows = -(-steps // WINDOW_BATCHES)
    lengths, labels = lengths.astype(np.int32), labels.astype(np.int32)

    def sort_windows(used: np.ndarray) -> np.ndarray:
        ranks = length_ranks(lengths[used], labels[used]).reshape(steps, batch_size)
        used = used.reshape(steps, batch_size)
        # Texts of the same length and class are ranked in the order of `used`. A window takes
        # batches from all over it, so that every window gets some of each rank.
        # One window at a time, to save memory.
        return np.concatenate(
            [
                used[first::windows].ravel()[np.argsort(ranks[first::windows], None, "stable")]
                for first in range(windows)
            ]
        ).reshape(steps, batch_size)

    def batches_of_pass(pass_number: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), pass_number])
        shuffled = tf.random.experimental.stateless_shuffle(tf.range(rows), key)
        # In NumPy, because TensorFlow's sort takes more memory.
        batches = tf.numpy_function(sort_windows, [shuffled[: steps * batch_size]], tf.int32)
        batches = tf.ensure_shape(batches, [steps, batch_size])
        return tf.data.Dataset.from_tensor_slices(
            tf.random.experimental.stateless_shuffle(batches, key + 1)
        )

    first_pass, step_in_pass = divmod(first_step, steps)
    return tf.data.Dataset.counter(first_pass).flat_map(batches_of_pass).skip(step_in_pass)


def evaluation_order(lengths: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Returns the rows of each batch, longest texts first, which needs the least padding.

    Args:
        lengths: The number of tokens of each text, [rows].
        batch_size: Rows in a batch; the last batch may have fewer.
    """
    longest_first = np.argsort(-lengths, kind="stable").astype(np.int32)
    return [
        longest_first[start : start + batch_size]
        for start in range(0, len(longest_first), batch_size)
    ]


def items_of(rows: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Returns the index of each item of some rows, int64 [items], if all rows stand end to end.

    Args:
        rows: The numbers of the rows, integers [some].
        lengths: The number of items of every row, [rows].
    """
    own = lengths[rows]
    starts = (np.cumsum(lengths) - lengths)[rows]
    return np.repeat(starts - np.cumsum(own) + own, own) + np.arange(own.sum())
