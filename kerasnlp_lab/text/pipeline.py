"""The one input pipeline: every model is trained and evaluated on batches from here.

Texts are tokenized once and kept as token ids, in a temporary file. A
batch is padded only to the longest of its own texts, which are of similar
length; in training, as long as each other for their class, so that a batch
has all classes. The order is a pure function of the seed and the pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab.data.row_store import RowStore
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text.threads import in_threads
from kerasnlp_lab.text.vectorizer import Features, TextVectorizer

__all__ = [
    "Share",
    "TokenizedTexts",
    "batches_of",
    "evaluation_batches",
    "evaluation_order",
    "feature_batches",
    "length_ranks",
    "tokenize",
    "training_batches",
    "training_order",
]

TOKENIZE_BATCH = 512
TOKEN_BYTES = 4
WINDOW_BATCHES = 50


class TokenizedTexts:
    """Token ids of many texts, in a temporary file: memory does not grow with them.

    Args:
        batches: Texts some at a time: the token ids of all of them, int32 of shape [tokens],
            and how many are each text's, int64 of shape [texts].
    """

    def __init__(self, batches: Iterable[tuple[np.ndarray, np.ndarray]]):
        self._store = RowStore.of_blocks(
            (np.ascontiguousarray(ids, np.int32).data, lengths * TOKEN_BYTES)
            for ids, lengths in batches
        )

    def __len__(self) -> int:
        return len(self._store)

    @property
    def lengths(self) -> np.ndarray:
        """The number of tokens of each text, int64 of shape [rows]."""
        return self._store.sizes // TOKEN_BYTES

    def read(self, rows: np.ndarray) -> list[np.ndarray]:
        """Returns the token ids of the given texts, in the given order."""
        return [np.frombuffer(row, np.int32) for row in self._store.read(rows)]

    def read_flat(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the same end to end, int32 [tokens], and the number of each, int64 [rows]."""
        found, sizes = self._store.read_block(rows)
        return np.frombuffer(found, np.int32), sizes // TOKEN_BYTES

    def ragged(self, rows: tf.Tensor) -> tf.RaggedTensor:
        """Returns token ids, int32 [batch, (tokens)], of rows, int32 [batch], within a graph."""
        ids, lengths = tf.numpy_function(self.read_flat, [rows], (tf.int32, tf.int64))
        ids.set_shape([None])
        lengths.set_shape([None])
        return tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)


def tokenize(vectorizer: TextVectorizer, texts: Sequence[str | bytes]) -> TokenizedTexts:
    """Tokenizes texts, in batches, on all cores.

    Args:
        vectorizer: The text half of a classifier.
        texts: The texts.

    Returns:
        Their token ids, in the same order.
    """

    def ids_and_lengths(batch: list[str | bytes]) -> tuple[np.ndarray, np.ndarray]:
        ids, lengths = vectorizer.ids_and_lengths(tf.constant(batch, tf.string))
        return ids.numpy(), lengths.numpy()

    batches = (
        list(texts[start : start + TOKENIZE_BATCH])
        for start in range(0, len(texts), TOKENIZE_BATCH)
    )
    return TokenizedTexts(in_threads(ids_and_lengths, batches))


@dataclass(frozen=True)
class Share:
    """The part of each global batch that one process reads: that of its own replicas.

    Args:
        first: The first of its replicas, counted from 0 over all processes.
        replicas: How many it has.
        of: How many there are in all.
    """

    first: int = 0
    replicas: int = 1
    of: int = 1

    def of_batches(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Returns the rows of each replica here, one after the other, from those of batches.

        Args:
            batches: Rows, int32 [batch]; a batch is divided equally.
        """
        if self.of == 1:
            return batches

        def parts(rows: tf.Tensor) -> tf.data.Dataset:
            each = tf.reshape(rows, [self.of, -1])  # [replicas, batch / replicas]
            return tf.data.Dataset.from_tensor_slices(each[self.first :][: self.replicas])

        return batches.flat_map(parts)


def length_ranks(lengths: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns which share of its class' texts each text is longer than, float32 of shape [rows].

    Texts of the same length and class are ranked in their order.

    Args:
        lengths: The number of tokens of each text, int64 of shape [rows].
        labels: Their label ids, int64 of shape [rows].
    """
    in_order = np.lexsort((lengths, labels))
    ranks = np.empty(len(lengths), np.float32)
    begin = 0
    for count in np.bincount(labels):
        ranks[in_order[begin : begin + count]] = (np.arange(count) + 0.5) / count
        begin += count
    return ranks


def training_order(
    lengths: np.ndarray, labels: np.ndarray, *, batch_size: int, seed: int, first_step: int = 0
) -> tuple[tf.data.Dataset, int]:
    """Returns the rows of endless training batches, and how many batches make a pass.

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

    Returns:
        A dataset of rows, int32 [batch], and the number of steps a pass.

    Raises:
        DataError: There is no row.
    """
    rows = len(lengths)
    if not rows:
        raise DataError("there is no row to train on")
    batch_size = min(batch_size, rows)
    steps = rows // batch_size
    windows = -(-steps // WINDOW_BATCHES)
    lengths, labels = lengths.astype(np.int32), labels.astype(np.int32)

    def in_batches(used: np.ndarray) -> np.ndarray:
        ranks = length_ranks(lengths[used], labels[used])
        # Texts of the same length and class are ranked in this order: every window gets of all.
        window = np.repeat(np.arange(steps, dtype=np.int32) % windows, batch_size)
        return used[np.lexsort((ranks, window))].reshape(steps, batch_size)

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
    return tf.data.Dataset.counter(first_pass).flat_map(epoch_order).skip(done), steps


def training_batches(
    vectorizer: TextVectorizer,
    tokens: TokenizedTexts,
    labels: np.ndarray,
    *,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    share: Share = Share(),
) -> tuple[tf.data.Dataset, int]:
    """Returns endless training batches, in `training_order`, and the steps of a pass.

    Args:
        vectorizer: The text half of a classifier.
        tokens: The training texts, tokenized.
        labels: Their label ids, int64 of shape [rows].
        batch_size: As in `training_order`.
        seed: As in `training_order`.
        first_step: As in `training_order`.
        share: Which part of each batch; another element for each of its replicas.

    Returns:
        A dataset of (features, labels [batch]) and the number of steps a pass.

    Raises:
        DataError: There is no row.
    """
    order, steps = training_order(
        tokens.lengths, labels, batch_size=batch_size, seed=seed, first_step=first_step
    )
    return batches_of(share.of_batches(order), _packed(vectorizer, tokens), labels), steps


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


def evaluation_batches(
    vectorizer: TextVectorizer, tokens: TokenizedTexts, labels: np.ndarray, *, batch_size: int
) -> tf.data.Dataset:
    """Returns one pass over all rows, as (features, labels [batch]), longest texts first.

    `evaluation_order` of the same lengths and batch size tells which row is where.
    """
    order = np.concatenate([np.zeros(0, np.int32), *evaluation_order(tokens.lengths, batch_size)])
    rows = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
    return batches_of(rows, _packed(vectorizer, tokens), labels)


def feature_batches(
    vectorizer: TextVectorizer, tokens: TokenizedTexts, rows: np.ndarray, *, batch_size: int
) -> Iterator[Features]:
    """Yields the features of the given rows, in their order, a batch at a time.

    Without tf.data: TensorFlow keeps a function that a graph calls, and with it the
    token ids and their open file, until the process ends.
    """
    for start in range(0, len(rows), batch_size):
        ids, lengths = tokens.read_flat(rows[start : start + batch_size])
        batch = tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)
        longest = tf.constant(lengths.max(), tf.int32)
        yield vectorizer.pack(batch, vectorizer.padded_length(longest))


def batches_of(
    batch_rows: tf.data.Dataset, load: Callable[[tf.Tensor], Any], labels: np.ndarray
) -> tf.data.Dataset:
    """Returns batches of (features, labels [batch]) from the rows of each.

    Args:
        batch_rows: Rows, int32 [batch].
        load: From rows to their features, within a graph.
        labels: The label ids of all rows, int64 of shape [rows].
    """
    all_labels = tf.constant(labels, tf.int64)
    options = tf.data.Options()
    # Rows are already divided into batches; only the batches are to be split.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    loaded = batch_rows.map(
        lambda rows: (load(rows), tf.gather(all_labels, rows)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return loaded.prefetch(tf.data.AUTOTUNE).with_options(options)


def _packed(vectorizer: TextVectorizer, tokens: TokenizedTexts) -> Callable[[tf.Tensor], Features]:
    def load(rows: tf.Tensor) -> Features:
        batch = tokens.ragged(rows)  # [batch, (tokens)]
        longest = tf.cast(tf.reduce_max(batch.row_lengths()), tf.int32)
        return vectorizer.pack(batch, vectorizer.padded_length(longest))

    return load
