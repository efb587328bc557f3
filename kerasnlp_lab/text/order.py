"""Which rows make a batch: all classes in training, the longest texts first in prediction.

An order is a pure function of its arguments, so that a training can go on at any step.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from kerasnlp_lab.errors import DataError

__all__ = ["WINDOW_BATCHES", "evaluation_order", "length_ranks", "steps_in_pass", "training_order"]

WINDOW_BATCHES = 50


def length_ranks(lengths: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns which share of its class' texts each text is longer than, float32 of shape [rows].

    Texts of the same length and class are ranked in their order.

    Args:
        lengths: The number of tokens of each text, int64 of shape [rows].
        labels: Their label ids, int64 of shape [rows].
    """
    counts = np.bincount(labels)
    in_order = np.lexsort((lengths, labels))
    ranks = np.empty(len(lengths), np.float32)
    begin = 0
    for count in counts:
        shares = np.arange(0.5, count, dtype=np.float32)
        shares /= count
        ranks[in_order[begin : begin + count]] = shares
        begin += count
    return ranks


def steps_in_pass(rows: int, batch_size: int) -> int:
    """Returns how many full batches the rows make; fewer rows than a batch are one.

    Raises:
        DataError: There is no row.
    """
    if not rows:
        raise DataError("there is no row to train on")
    return rows // min(batch_size, rows)


def training_order(
    lengths: np.ndarray, labels: np.ndarray, *, batch_size: int, seed: int, first_step: int = 0
) -> tf.data.Dataset:
    """Returns the rows of endless training batches, int32 [batch].

    In each pass the rows are shuffled, windows of at most 50 batches are sorted by
    `length_ranks` and cut into batches, and the batches are shuffled. So a batch
    has classes in the shares that the rows have them in, also where the texts of
    one are longer than those of others: sorted by length alone, a batch would be
    nearly of one class, and a short training would learn little from it. Every
    batch is full, so that replicas get equal shares: what is left of the rows
    after the last full batch sits out the pass, other rows in each.

    Args:
        lengths: The number of tokens of each text, [rows].
        labels: Their label ids, [rows].
        batch_size: Rows in a (global) batch; fewer where there are fewer rows.
        seed: The order.
        first_step: How many batches to leave out at the beginning, of any pass.

    Raises:
        DataError: There is no row.
    """
    rows = len(lengths)
    steps = steps_in_pass(rows, batch_size)
    batch_size = min(batch_size, rows)
    windows = -(-steps // WINDOW_BATCHES)
    lengths, labels = lengths.astype(np.int32), labels.astype(np.int32)

    def in_batches(used: np.ndarray) -> np.ndarray:
        ranks = length_ranks(lengths[used], labels[used]).reshape(steps, batch_size)
        used = used.reshape(steps, batch_size)
        # Texts of the same length and class are ranked in this order: every window gets of all.
        # A window at a time, for memory.
        return np.concatenate(
            [
                used[first::windows].ravel()[np.argsort(ranks[first::windows], None, "stable")]
                for first in range(windows)
            ]
        ).reshape(steps, batch_size)

    def epoch_order(epoch: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), epoch])
        shuffled = tf.random.experimental.stateless_shuffle(tf.range(rows), key)
        # By NumPy: TensorFlow's sort takes more memory.
        batches = tf.numpy_function(in_batches, [shuffled[: steps * batch_size]], tf.int32)
        batches = tf.ensure_shape(batches, [steps, batch_size])
        return tf.data.Dataset.from_tensor_slices(
            tf.random.experimental.stateless_shuffle(batches, key + 1)
        )

    first_pass, done = divmod(first_step, steps)
    return tf.data.Dataset.counter(first_pass).flat_map(epoch_order).skip(done)


def evaluation_order(lengths: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Returns the rows of each batch, longest texts first, so that padding is least.

    Args:
        lengths: The number of tokens of each text, [rows].
        batch_size: Rows in a batch; the last may be smaller.
    """
    longest_first = np.argsort(-lengths, kind="stable").astype(np.int32)
    return [
        longest_first[start : start + batch_size]
        for start in range(0, len(longest_first), batch_size)
    ]
