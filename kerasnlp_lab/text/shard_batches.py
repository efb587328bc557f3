"""`shard_batches`: training batches straight from TFRecord files, in memory that does not grow.

The same contract as `training_batches`: what comes at a step is a pure function of the
seed and the step, and the same rows make a global batch however many processes read it.

    shards     dealt anew in each pass to streams, some to each
    stream     reads its shards one after the other, in blocks, and shuffles each block
    window     50 batches' rows of a block, sorted by `length_ranks` and cut; all streams shuffle
               cuts alike
    batch      a cut of each stream

So a replica that has some of the streams opens only their files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab.data.sharded_split import ShardedSplit, parse_records
from kerasnlp_lab.errors import DataError, OptionError, check_option
from kerasnlp_lab.text.order import WINDOW_BATCHES, length_ranks
from kerasnlp_lab.text.pipeline import MakeBatch, Share, packed_by
from kerasnlp_lab.text.rows import Rows
from kerasnlp_lab.text.vectorizer import Features, TextVectorizer

__all__ = ["shard_batches", "shard_rows"]

BUFFER_ROWS = 65_536
NO_BLOCK = -1  # the random number is the whole pass's
ALL = Share()


def shard_batches(
    vectorizer: TextVectorizer,
    split: ShardedSplit,
    *,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    share: Share = ALL,
    buffer_rows: int = BUFFER_ROWS,
    make_batch: MakeBatch | None = None,
) -> tuple[tf.data.Dataset, int]:
    """Returns endless training batches of sharded rows, and the steps of a pass.

    Every batch is full and holds texts that are as long as each other for their class. The
    few rows that are left over sit out one pass, other rows in each.

    Args:
        vectorizer: The text half of a classifier.
        split: The training rows.
        batch_size: Rows in a (global) batch.
        seed: The order.
        first_step: How many batches to leave out at the beginning, of any pass; the files
            of whole shards before it are not opened.
        share: Which part of each batch; another element for each of its replicas.
        buffer_rows: About how many rows of all processes are in memory, to be shuffled.
        make_batch: As in `training_batches`; the targets of rows are their label ids.

    Returns:
        A dataset of (features, targets) and the number of steps a pass.

    Raises:
        OptionError: The replicas cannot each have shards of their own.
        DataError: There are fewer rows than a batch has.
    """
    order = _Order(vectorizer, split, batch_size, seed, share, buffer_rows)

    make = make_batch or packed_by(vectorizer)

    def load(
        number: tf.Tensor, found: tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
    ) -> tuple[Features, Any]:
        ids, lengths, labels, rows = found
        return make(Rows(rows, ids, lengths, labels), first_step + number // share.replicas)

    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    batches = (
        order.batches(first_step)
        .enumerate()
        .map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    )
    return batches.prefetch(tf.data.AUTOTUNE).with_options(options), order.steps


def shard_rows(
    vectorizer: TextVectorizer,
    split: ShardedSplit,
    *,
    batch_size: int,
    seed: int,
    step: int,
    buffer_rows: int = BUFFER_ROWS,
) -> list[str]:
    """Returns where the rows of a global batch of `shard_batches` are: a file and a record.

    Args:
        vectorizer: As in `shard_batches`.
        split: As in `shard_batches`.
        batch_size: As in `shard_batches`.
        seed: As in `shard_batches`.
        step: Which batch, counted from 0.
        buffer_rows: As in `shard_batches`.
    """
    order = _Order(vectorizer, split, batch_size, seed, ALL, buffer_rows)
    *_, rows = next(iter(order.batches(step)))
    return [split.where(row) for row in rows.numpy().tolist()]


@dataclass
class _Order:
    """Which row comes when."""

    vectorizer: TextVectorizer
    split: ShardedSplit
    batch_size: int
    seed: int
    share: Share
    buffer_rows: int

    def __post_init__(self) -> None:
        shards = len(self.split.files)
        check_option("batch_size", self.batch_size, self.batch_size >= 1, "1 or more")
        self.streams = math.gcd(self.batch_size, shards)
        if self.streams % self.share.of:
            raise OptionError(_unequal_parts(self.batch_size, shards, self.share.of))
        self.cut = self.batch_size // self.streams  # rows of a stream in a batch
        self.shards = shards // self.streams  # of a stream
        self.steps = self.shards * int(self.split.rows.min()) // self.cut
        if not self.steps:
            raise DataError(
                f"{len(self.split)} rows in {shards} shards are too few for a batch of "
                f"{self.batch_size} rows; set --batch-size lower"
            )
        self.window = WINDOW_BATCHES * self.cut
        windows = max(1, self.buffer_rows // (self.streams * self.window))
        self.block = windows * self.window  # rows

    def batches(self, first_step: int) -> tf.data.Dataset:
        """Returns endless parts of batches, that of each replica of the share in turn.

        Returns:
            A dataset of the token ids of all texts, int32 [tokens], how many are of each
            text, int64 [part], the labels, int64 [part], and the rows, int64 [part].
        """
        first_pass, step = divmod(first_step, self.steps)
        first_block, step = divmod(step, self.block // self.cut)
        windows, step = divmod(step, WINDOW_BATCHES)
        own = self.streams // self.share.of * self.share.replicas
        first = self.streams // self.share.of * self.share.first
        blocks = tf.data.Dataset.range(first, first + own).interleave(
            lambda stream: self._blocks(stream, first_pass, first_block),
            cycle_length=own,
            block_length=1,
        )
        return (
            blocks.batch(own)
            .flat_map(self._windows)
            .skip(windows)
            .map(self._sorted, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
            .flat_map(self._parts)
            .skip(step * self.share.replicas)
        )

    def _key(self, number: tf.Tensor, *more: tf.Tensor | int) -> tf.Tensor:
        """Returns a key for TensorFlow's stateless random numbers, int64 [2]."""
        key = tf.stack([tf.constant(self.seed, tf.int64), number])
        for another in more:
            key = tf.random.experimental.stateless_fold_in(key, tf.cast(another, tf.int64))
        return key

    def _blocks(self, stream: tf.Tensor, first_pass: int, first_block: int) -> tf.data.Dataset:
        """Returns a stream's endless blocks: records, rows, and the number of pass and block."""
        names = tf.constant([str(file) for file in self.split.files])
        sizes = tf.constant(self.split.rows)
        starts = tf.constant(np.cumsum(self.split.rows) - self.split.rows)  # of rows in the split
        used = self.steps * self.cut

        def of_pass(number: tf.Tensor) -> tf.data.Dataset:
            block = tf.where(number == first_pass, tf.constant(first_block, tf.int64), 0)
            everything = tf.range(len(self.split.files), dtype=tf.int64)
            dealt = tf.random.experimental.stateless_shuffle(everything, self._key(number))
            own = dealt[stream * self.shards :][: self.shards]
            # A pass begins at any row and goes on in a ring, so that any may be left over.
            shards = tf.tile(own, [2])
            counts = tf.gather(sizes, shards)
            ends = tf.cumsum(counts)
            key = self._key(number, stream, NO_BLOCK)
            start = tf.random.stateless_uniform([], key, 0, ends[self.shards - 1], tf.int64)
            begin = start + block * self.block
            opened = (ends > begin) & (ends - counts < start + used)
            passed = tf.reduce_max(tf.where(ends > begin, tf.constant(0, tf.int64), ends))
            records = tf.data.TFRecordDataset(tf.gather(names, tf.boolean_mask(shards, opened)))
            records = records.skip(begin - passed).take(used - block * self.block)

            def shuffled(
                index: tf.Tensor, some: tf.Tensor
            ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
                places = tf.range(tf.size(some, out_type=tf.int64))
                places = tf.random.experimental.stateless_shuffle(
                    places, self._key(number, stream, index)
                )
                place = start + index * self.block + places  # in the ring
                nth = tf.searchsorted(ends, place, side="right")
                rows = tf.gather(starts, tf.gather(shards, nth)) + place
                rows -= tf.gather(ends - counts, nth)
                return tf.gather(some, places), rows, number, index

            return records.batch(self.block).enumerate(block).map(shuffled)

        return tf.data.Dataset.counter(first_pass).flat_map(of_pass)

    def _windows(
        self, records: tf.Tensor, rows: tf.Tensor, numbers: tf.Tensor, blocks: tf.Tensor
    ) -> tf.data.Dataset:
        """Returns the windows of the streams' blocks, records and rows [streams, block]."""
        count = -(-tf.shape(rows, tf.int64)[1] // self.window)
        first = blocks[0] * (self.block // self.window)
        return tf.data.Dataset.range(count).map(
            lambda index: (
                records[:, index * self.window : (index + 1) * self.window],
                rows[:, index * self.window : (index + 1) * self.window],
                self._key(numbers[0], first + index),
            )
        )

    def _sorted(
        self, records: tf.Tensor, rows: tf.Tensor, key: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the token ids, lengths, labels and rows of a window, batch by batch."""
        shape = tf.shape(rows)  # [streams, window]
        texts, labels = parse_records(tf.reshape(records, [-1]))
        tokens = self.vectorizer.tokenize(texts)
        ranks = tf.numpy_function(
            lambda *streams: np.stack(list(map(length_ranks, *streams))),
            [tf.reshape(tokens.row_lengths(), shape), tf.reshape(labels, shape)],
            tf.float32,
        )
        by_rank = tf.argsort(ranks, axis=1, stable=True)
        places = by_rank + tf.range(shape[0])[:, tf.newaxis] * shape[1]
        cuts = tf.reshape(places, [shape[0], -1, self.cut])  # [streams, batches, cut]
        batches = tf.transpose(cuts, [1, 0, 2])  # [batches, streams, cut]
        batches = tf.random.experimental.stateless_shuffle(batches, key)
        order = tf.reshape(batches, [-1])
        tokens = tf.gather(tokens, order)
        rows = tf.gather(tf.reshape(rows, [-1]), order)
        return tokens.flat_values, tokens.row_lengths(), tf.gather(labels, order), rows

    def _parts(
        self, ids: tf.Tensor, lengths: tf.Tensor, labels: tf.Tensor, rows: tf.Tensor
    ) -> tf.data.Dataset:
        """Returns the batches' parts of a window that `_sorted` made."""
        part = self.batch_size // self.share.of
        splits = tf.concat([[tf.constant(0, tf.int64)], tf.cumsum(lengths)], axis=0)

        def cut(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            begin, end = index * part, (index + 1) * part
            found = tuple(
                tf.ensure_shape(values[begin:end], [part]) for values in (lengths, labels, rows)
            )
            return ids[splits[begin] : splits[end]], *found

        count = tf.size(labels, out_type=tf.int64) // part
        return tf.data.Dataset.range(count).map(cut)


def _unequal_parts(batch_size: int, shards: int, replicas: int) -> str:
    """Says what to do where the replicas cannot each have streams of their own."""
    advice = []
    if batch_size % replicas:
        advice.append(f"set --batch-size to {-(-batch_size // replicas) * replicas}")
    if shards % replicas:
        more = -(-shards // replicas) * replicas
        advice.append(f"write the data with 'kerasnlp-lab data shard --shards {more}'")
    return (
        f"a batch of {batch_size} rows from {shards} shards cannot be shared equally by "
        f"{replicas} devices; {' and '.join(advice)}"
    )
