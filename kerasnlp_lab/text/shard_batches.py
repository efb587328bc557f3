"""`shard_batches`: reads training batches straight from TFRecord files, in bounded memory.

The contract is that of `training_batches`: a batch is a pure function of the seed and the step,
however many processes read the rows.

    stream     some of the shards, dealt anew in each pass, read one after the other
    block      rows of a stream that are in memory together, shuffled
    window     rows of a block for 50 batches, sorted by `length_ranks`
    slice      consecutive rows of a window: a stream's share of a batch
    batch      a slice of each stream; the batches of a window are shuffled

So a replica that reads some of the streams opens only their files. `order_specification` writes
the same order down in plain NumPy.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from kerasnlp_lab.data.sharded_split import ShardedSplit, parse_records
from kerasnlp_lab.errors import DataError, OptionError, check_option
from kerasnlp_lab.text.features import Features
from kerasnlp_lab.text.order import WINDOW_BATCHES, length_ranks
from kerasnlp_lab.text.pipeline import MakeBatch, Share, packed_by
from kerasnlp_lab.text.rows import Rows
from kerasnlp_lab.text.vectorizer import TextVectorizer

__all__ = ["shard_batches", "shard_rows"]

BUFFER_ROWS = 65_536
NO_BLOCK = -1  # the key of a random number for a stream's whole pass
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
    """Returns endless training batches of sharded rows, and the steps in a pass.

    Every batch is full. Its texts have similar lengths, compared within their class. Each pass
    leaves out the few rows that do not fill a batch, drawn anew each time.

    Args:
        vectorizer: The text half of a classifier.
        split: The training rows.
        batch_size: Rows in a (global) batch.
        seed: Determines the order.
        first_step: How many batches to skip; may lie in any pass. Shards that are needed only
            before it are not opened.
        share: The part of each batch to read; each of its replicas gets an element of its own.
        buffer_rows: About how many rows all processes together hold in memory to shuffle them.
        make_batch: As in `training_batches`; the targets of rows are their label ids.

    Returns:
        A dataset of (features, targets) and the number of steps in a pass.

    Raises:
        OptionError: The shards cannot be divided equally among the replicas.
        DataError: There are fewer rows than a batch needs.
    """
    order = _ShardOrder(vectorizer, split, batch_size, seed, share, buffer_rows)
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
    return batches.prefetch(tf.data.AUTOTUNE).with_options(options), order.steps_per_pass


def shard_rows(
    vectorizer: TextVectorizer,
    split: ShardedSplit,
    *,
    batch_size: int,
    seed: int,
    step: int,
    buffer_rows: int = BUFFER_ROWS,
) -> list[str]:
    """Returns where each row of a global batch of `shard_batches` is stored: file and record.

    Args:
        vectorizer: As in `shard_batches`.
        split: As in `shard_batches`.
        batch_size: As in `shard_batches`.
        seed: As in `shard_batches`.
        step: The number of the batch, counted from 0.
        buffer_rows: As in `shard_batches`.
    """
    order = _ShardOrder(vectorizer, split, batch_size, seed, ALL, buffer_rows)
    *_, rows = next(iter(order.batches(step)))
    return [split.where(row) for row in rows.numpy().tolist()]


class _Ring(NamedTuple):
    """The shards of a stream in one pass, listed twice, and the place where the pass starts.

    A pass starts at a random row and continues in a ring, so that any row may be left over.
    A place is the number of a row in the ring, counted from 0.

    Args:
        shards: The number of each shard, int64 [2 * shards per stream].
        begins: The place of each shard's first row, int64 of the same shape.
        ends: The place after each shard's last row, int64 of the same shape.
        start: The place of the pass's first row, int64.
    """

    shards: tf.Tensor
    begins: tf.Tensor
    ends: tf.Tensor
    start: tf.Tensor


class _ShardOrder:
    """Decides which row comes when, and reads and tokenizes the rows in this order."""

    def __init__(
        self,
        vectorizer: TextVectorizer,
        split: ShardedSplit,
        batch_size: int,
        seed: int,
        share: Share,
        buffer_rows: int,
    ):
        shard_count = len(split.files)
        check_option("batch_size", batch_size, batch_size >= 1, "1 or more")
        self.vectorizer, self.split, self.seed = vectorizer, split, seed
        self.stream_count = math.gcd(batch_size, shard_count)
        self.replica_count, self.own_replicas = share.of, share.replicas
        if self.stream_count % self.replica_count:
            raise OptionError(_unequal_parts(batch_size, shard_count, self.replica_count))
        streams_per_replica = self.stream_count // self.replica_count
        self.own_stream_count = streams_per_replica * share.replicas
        self.first_own_stream = streams_per_replica * share.first
        self.replica_rows = batch_size // self.replica_count  # of each batch
        self.slice_rows = batch_size // self.stream_count
        self.shards_per_stream = shard_count // self.stream_count
        self.steps_per_pass = self.shards_per_stream * int(split.rows.min()) // self.slice_rows
        if not self.steps_per_pass:
            raise DataError(
                f"{len(split)} rows in {shard_count} shards are too few for a batch of "
                f"{batch_size} rows; set --batch-size lower"
            )
        self.window_rows = WINDOW_BATCHES * self.slice_rows
        self.windows_per_block = max(1, buffer_rows // (self.stream_count * self.window_rows))
        self.block_rows = self.windows_per_block * self.window_rows

    def batches(self, first_step: int) -> tf.data.Dataset:
        """Returns endless batches; with several replicas in the share, the part of each in turn.

        Returns:
            A dataset of the token ids of all texts, int32 [tokens], the number of tokens of
            each text, int64 [part], the labels, int64 [part], and the rows, int64 [part].
        """
        first_pass, step_in_pass = divmod(first_step, self.steps_per_pass)
        first_block, step_in_block = divmod(step_in_pass, self.block_rows // self.slice_rows)
        first_window, step_in_window = divmod(step_in_block, WINDOW_BATCHES)
        own_streams = tf.data.Dataset.range(
            self.first_own_stream, self.first_own_stream + self.own_stream_count
        )
        blocks = own_streams.interleave(
            lambda stream: self._stream_blocks(stream, first_pass, first_block),
            cycle_length=self.own_stream_count,
            block_length=1,
        )
        return (
            blocks.batch(self.own_stream_count)
            .flat_map(self._cut_into_windows)
            .skip(first_window)
            .map(self._sort_window, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
            .flat_map(self._cut_into_parts)
            .skip(step_in_window * self.own_replicas)
        )

    def _key(self, pass_number: tf.Tensor, *more: tf.Tensor | int) -> tf.Tensor:
        """Returns a key for TensorFlow's stateless random functions, int64 [2]."""
        key = tf.stack([tf.constant(self.seed, tf.int64), pass_number])
        for number in more:
            key = tf.random.experimental.stateless_fold_in(key, tf.cast(number, tf.int64))
        return key

    def _stream_blocks(
        self, stream: tf.Tensor, first_pass: int, first_block: int
    ) -> tf.data.Dataset:
        """Returns a stream's endless shuffled blocks.

        Returns:
            A dataset of records, string [block], rows, int64 [block], the number of the pass,
            and the number of the block in it.
        """

        def blocks_of_pass(pass_number: tf.Tensor) -> tf.data.Dataset:
            block = tf.where(pass_number == first_pass, tf.constant(first_block, tf.int64), 0)
            ring = self._ring(stream, pass_number)

            def shuffle(
                block: tf.Tensor, records: tf.Tensor
            ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
                shuffled = tf.random.experimental.stateless_shuffle(
                    tf.range(tf.size(records, out_type=tf.int64)),
                    self._key(pass_number, stream, block),
                )
                rows = self._rows_at(ring, ring.start + block * self.block_rows + shuffled)
                return tf.gather(records, shuffled), rows, pass_number, block

            records = self._read_ring(ring, block)
            return records.batch(self.block_rows).enumerate(block).map(shuffle)

        return tf.data.Dataset.counter(first_pass).flat_map(blocks_of_pass)

    def _ring(self, stream: tf.Tensor, pass_number: tf.Tensor) -> _Ring:
        """Deals the shards of a pass and returns those of a stream."""
        all_shards = tf.range(len(self.split.files), dtype=tf.int64)
        dealt = tf.random.experimental.stateless_shuffle(all_shards, self._key(pass_number))
        own = dealt[stream * self.shards_per_stream :][: self.shards_per_stream]
        shards = tf.tile(own, [2])
        sizes = tf.gather(tf.constant(self.split.rows), shards)
        ends = tf.cumsum(sizes)
        round_rows = ends[self.shards_per_stream - 1]
        key = self._key(pass_number, stream, NO_BLOCK)
        start = tf.random.stateless_uniform([], key, 0, round_rows, tf.int64)
        return _Ring(shards, ends - sizes, ends, start)

    def _read_ring(self, ring: _Ring, first_block: tf.Tensor) -> tf.data.Dataset:
        """Returns the records of a pass from a block on; opens only the shards that have some."""
        begin = ring.start + first_block * self.block_rows
        end = ring.start + self.steps_per_pass * self.slice_rows
        opened = (ring.ends > begin) & (ring.begins < end)
        files = tf.constant([str(file) for file in self.split.files])
        records = tf.data.TFRecordDataset(tf.gather(files, tf.boolean_mask(ring.shards, opened)))
        first_place = tf.reduce_min(tf.boolean_mask(ring.begins, opened))
        return records.skip(begin - first_place).take(end - begin)

    def _rows_at(self, ring: _Ring, places: tf.Tensor) -> tf.Tensor:
        """Returns which rows of the split are at places in a ring, int64."""
        first_rows = tf.constant(np.cumsum(self.split.rows) - self.split.rows)  # of each shard
        which = tf.searchsorted(ring.ends, places, side="right")
        row_in_shard = places - tf.gather(ring.begins, which)
        return tf.gather(first_rows, tf.gather(ring.shards, which)) + row_in_shard

    def _cut_into_windows(
        self, records: tf.Tensor, rows: tf.Tensor, pass_numbers: tf.Tensor, blocks: tf.Tensor
    ) -> tf.data.Dataset:
        """Cuts a block of each stream into windows.

        Args:
            records: string [streams, block].
            rows: int64 [streams, block].
            pass_numbers: int64 [streams], all the same.
            blocks: The number of the block in the pass, int64 [streams], all the same.

        Returns:
            A dataset of records and rows, [streams, window], and the key of each window.
        """
        count = -(-tf.shape(rows, tf.int64)[1] // self.window_rows)
        first_window = blocks[0] * self.windows_per_block

        def window(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            begin, end = index * self.window_rows, (index + 1) * self.window_rows
            key = self._key(pass_numbers[0], first_window + index)
            return records[:, begin:end], rows[:, begin:end], key

        return tf.data.Dataset.range(count).map(window)

    def _sort_window(
        self, records: tf.Tensor, rows: tf.Tensor, key: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Tokenizes a window and puts its rows in the order of its batches.

        Args:
            records: string [streams, window].
            rows: int64 [streams, window].
            key: Seeds the shuffle of the batches.

        Returns:
            What `batches` returns, for all batches of the window.
        """
        shape = tf.shape(rows)  # [streams, window]
        texts, labels = parse_records(tf.reshape(records, [-1]))
        tokens = self.vectorizer.tokenize(texts)
        ranks = tf.numpy_function(
            lambda *streams: np.stack(list(map(length_ranks, *streams))),
            [tf.reshape(tokens.row_lengths(), shape), tf.reshape(labels, shape)],
            tf.float32,
        )
        by_rank = tf.argsort(ranks, axis=1, stable=True)
        places = by_rank + tf.range(shape[0])[:, tf.newaxis] * shape[1]  # in the flat window
        slices = tf.reshape(places, [shape[0], -1, self.slice_rows])  # [streams, batches, slice]
        batches = tf.transpose(slices, [1, 0, 2])  # [batches, streams, slice]
        batches = tf.random.experimental.stateless_shuffle(batches, key)
        order = tf.reshape(batches, [-1])
        tokens = tf.gather(tokens, order)
        rows = tf.gather(tf.reshape(rows, [-1]), order)
        return tokens.flat_values, tokens.row_lengths(), tf.gather(labels, order), rows

    def _cut_into_parts(
        self, ids: tf.Tensor, lengths: tf.Tensor, labels: tf.Tensor, rows: tf.Tensor
    ) -> tf.data.Dataset:
        """Cuts a window from `_sort_window` into the replicas' parts of its batches."""
        splits = tf.concat([[tf.constant(0, tf.int64)], tf.cumsum(lengths)], axis=0)

        def part(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            begin, end = index * self.replica_rows, (index + 1) * self.replica_rows
            own = tuple(
                tf.ensure_shape(values[begin:end], [self.replica_rows])
                for values in (lengths, labels, rows)
            )
            return ids[splits[begin] : splits[end]], *own

        count = tf.size(labels, out_type=tf.int64) // self.replica_rows
        return tf.data.Dataset.range(count).map(part)


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
