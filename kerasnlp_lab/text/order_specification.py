"""Specifies the order of training batches, in slow and readable NumPy.

Training itself runs `order.training_order` and `shard_batches.shard_batches`, which give the same
batches faster and in less memory. Read this module to learn which rows make which batch; a test
compares the two. Both draw their random numbers with TensorFlow's stateless functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from kerasnlp_lab.text.order import WINDOW_BATCHES

__all__ = ["length_ranks", "shard_batches_of_pass", "training_batches_of_pass"]


def length_ranks(lengths: Sequence[int], labels: Sequence[int]) -> list[np.float32]:
    """Returns where each text stands among the texts of its class: 0 is shortest, 1 longest."""
    ranks = [np.float32(0)] * len(lengths)
    for label in set(labels):
        of_class = [row for row in range(len(labels)) if labels[row] == label]
        for place, row in enumerate(sorted(of_class, key=lambda row: lengths[row])):
            ranks[row] = np.float32((place + 0.5) / len(of_class))
    return ranks


def training_batches_of_pass(
    lengths: np.ndarray, labels: np.ndarray, *, batch_size: int, seed: int, pass_number: int
) -> np.ndarray:
    """Returns the rows of each batch of a pass of `training_order`, int32 [steps, batch].

    Args:
        lengths: The number of tokens of each text, [rows].
        labels: Their label ids, [rows].
        batch_size: Rows in a batch; at most the number of rows.
        seed: Seeds the shuffles.
        pass_number: Which pass over the rows, counted from 0.
    """
    # Shuffle the rows and drop those that do not fill a batch.
    steps = len(lengths) // batch_size
    shuffled = _shuffle(np.arange(len(lengths), dtype=np.int32), [seed, pass_number])
    used = shuffled[: steps * batch_size]
    rank_of = dict(zip(used, length_ranks(lengths[used], labels[used]), strict=True))
    # Deal the batches to windows of at most 50. Sort the rows of each window by their rank.
    batches = used.reshape(steps, batch_size)
    windows = math.ceil(steps / WINDOW_BATCHES)
    ordered = [
        sorted(batches[window::windows].ravel(), key=lambda row: rank_of[row])
        for window in range(windows)
    ]
    # Cut the windows into batches again, now of rows with similar ranks, and shuffle the batches.
    batches = np.concatenate(ordered).reshape(steps, batch_size)
    return _shuffle(batches, [seed + 1, pass_number + 1])


def shard_batches_of_pass(
    rows_of_shards: Sequence[int],
    lengths: np.ndarray,
    labels: np.ndarray,
    *,
    batch_size: int,
    seed: int,
    pass_number: int,
    buffer_rows: int,
) -> np.ndarray:
    """Returns the rows of each batch of a pass of `shard_batches`, int64 [steps, batch].

    With several replicas, each reads one of as many equal parts of a batch, in their order.

    Args:
        rows_of_shards: The number of rows of each shard; rows are counted from 0 through all.
        lengths: The number of tokens of each text, [rows].
        labels: Their label ids, [rows].
        batch_size: Rows in a (global) batch.
        seed: Seeds the shuffles.
        pass_number: Which pass over the rows, counted from 0.
        buffer_rows: About how many rows are shuffled at a time.
    """
    shards = np.split(np.arange(sum(rows_of_shards)), np.cumsum(rows_of_shards)[:-1])
    stream_count = math.gcd(batch_size, len(shards))
    shards_per_stream = len(shards) // stream_count
    slice_rows = batch_size // stream_count  # a batch is a slice of each stream
    steps_per_pass = shards_per_stream * min(rows_of_shards) // slice_rows
    window_rows = WINDOW_BATCHES * slice_rows
    block_rows = max(1, buffer_rows // (stream_count * window_rows)) * window_rows

    # Deal the shards to the streams.
    dealt = _shuffle(np.arange(len(shards)), _key(seed, pass_number))
    slices = []
    for stream in range(stream_count):
        # Join the stream's shards into a ring. Read it from a random row on, as far as needed.
        own = dealt[stream * shards_per_stream :][:shards_per_stream]
        ring = np.concatenate([shards[shard] for shard in own])
        start = _random_below(len(ring), _key(seed, pass_number, stream, -1))
        rows = np.roll(ring, -start)[: steps_per_pass * slice_rows]
        # Shuffle each block, sort each window by rank, and cut the windows into slices.
        shuffled = [
            _shuffle(block, _key(seed, pass_number, stream, number))
            for number, block in enumerate(_pieces(rows, block_rows))
        ]
        ordered = [
            window[np.argsort(length_ranks(lengths[window], labels[window]), kind="stable")]
            for window in _pieces(np.concatenate(shuffled), window_rows)
        ]
        slices.append(np.concatenate(ordered).reshape(steps_per_pass, slice_rows))
    # Join the streams' slices into batches. Shuffle the batches within each window.
    batches = np.concatenate(slices, axis=1)
    return np.concatenate(
        [
            _shuffle(window, _key(seed, pass_number, number))
            for number, window in enumerate(_pieces(batches, WINDOW_BATCHES))
        ]
    )


def _pieces(values: np.ndarray, size: int) -> list[np.ndarray]:
    """Cuts an array into pieces of a size; the last may be smaller."""
    return np.split(values, range(size, len(values), size))


def _key(seed: int, pass_number: int, *more: int) -> tf.Tensor:
    """Returns a key for TensorFlow's stateless random functions, int64 [2]."""
    key = tf.constant([seed, pass_number], tf.int64)
    for number in more:
        key = tf.random.experimental.stateless_fold_in(key, tf.constant(number, tf.int64))
    return key


def _shuffle(values: np.ndarray, key: Sequence[int] | tf.Tensor) -> np.ndarray:
    key = tf.cast(key, tf.int64)
    return tf.random.experimental.stateless_shuffle(values, key).numpy()


def _random_below(end: int, key: tf.Tensor) -> int:
    return int(tf.random.stateless_uniform([], key, 0, end, tf.int64))
