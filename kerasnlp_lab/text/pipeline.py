"""The one input pipeline: every model is trained and evaluated on batches from here.

Texts are tokenized once and kept as token ids: in a temporary file, or where
they are used once, in memory, some thousands at a time. A batch is padded only
to the longest of its own texts, which are of similar length; in training, as
long as each other for their class, so that a batch has all classes (`order`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab.data.row_store import RowStore
from kerasnlp_lab.text.order import evaluation_order, steps_in_pass, training_order
from kerasnlp_lab.text.rows import Rows, RowTargets, label_targets
from kerasnlp_lab.text.threads import cores, in_threads
from kerasnlp_lab.text.vectorizer import Features, TextVectorizer

__all__ = [
    "NO_STEP",
    "MakeBatch",
    "Share",
    "TokenizedTexts",
    "batches_of",
    "evaluation_batches",
    "feature_batches",
    "packed_by",
    "token_batches",
    "tokenize",
    "tokenize_flat",
    "training_batches",
    "unnumbered",
]

# Texts that one call tokenizes: all cores should have a call, and each takes a millisecond more.
SMALLEST_CALL, LARGEST_CALL = 512, 2048
TOKEN_BYTES = 4
NO_STEP = -1  # the number of the step of rows that are not trained on
TEXTS_IN_MEMORY = 8192


class TokenizedTexts:
    """Token ids of many texts, in a temporary file: memory does not grow with them.

    Args:
        batches: Texts some at a time: the token ids of all of them, int32 of shape [tokens],
            and how many are each text's, int64 of shape [texts].
    """

    def __init__(self, batches: Iterable[tuple[np.ndarray, np.ndarray]]):
        self._store = RowStore(
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

    def read_in_graph(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns what `read_flat` does of rows, int32 [batch], within a graph."""
        ids, lengths = tf.numpy_function(self.read_flat, [rows], (tf.int32, tf.int64))
        return tf.ensure_shape(ids, [None]), tf.ensure_shape(lengths, [None])


def tokenize(vectorizer: TextVectorizer, texts: Sequence[str | bytes]) -> TokenizedTexts:
    """Tokenizes texts, in batches, on all cores.

    Args:
        vectorizer: The text half of a classifier.
        texts: The texts.

    Returns:
        Their token ids, in the same order.
    """
    return TokenizedTexts(_tokenized(vectorizer, texts))


def tokenize_flat(
    vectorizer: TextVectorizer, texts: Sequence[str | bytes]
) -> tuple[np.ndarray, np.ndarray]:
    """Does the same in memory.

    Returns:
        The token ids of all texts, int32 of shape [tokens], and how many are each text's,
        int64 of shape [texts].
    """
    none = np.zeros(0, np.int32), np.zeros(0, np.int64)
    ids, lengths = zip(none, *_tokenized(vectorizer, texts), strict=True)
    return np.concatenate(ids), np.concatenate(lengths)


def _tokenized(
    vectorizer: TextVectorizer, texts: Sequence[str | bytes]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields ids and lengths of some texts at a time."""

    def of_batch(batch: list[str | bytes]) -> tuple[np.ndarray, np.ndarray]:
        ids, lengths = vectorizer.ids_and_lengths(tf.constant(batch, tf.string))
        return ids.numpy(), lengths.numpy()

    size = min(max(SMALLEST_CALL, math.ceil(len(texts) / cores())), LARGEST_CALL)
    batches = (list(texts[start : start + size]) for start in range(0, len(texts), size))
    return in_threads(of_batch, batches)


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
            batches: The number of a step, int64 [], and its rows, int32 [batch]; a batch is
                divided equally.
        """
        if self.of == 1:
            return batches

        def parts(step: tf.Tensor, rows: tf.Tensor) -> tf.data.Dataset:
            each = tf.reshape(rows, [self.of, -1])  # [replicas, batch / replicas]
            own = tf.data.Dataset.from_tensor_slices(each[self.first :][: self.replicas])
            return own.map(lambda part: (step, part))

        return batches.flat_map(parts)


MakeBatch = Callable[[Rows, tf.Tensor], tuple[Features, Any]]
"""From rows and the number of their step to features and targets, within a graph."""


def packed_by(vectorizer: TextVectorizer) -> MakeBatch:
    """Returns what makes a batch of rows as they are: padded features, and their targets."""
    return lambda rows, step: (vectorizer.pack_flat(rows.ids, rows.lengths), rows.targets)


def training_batches(
    vectorizer: TextVectorizer,
    tokens: TokenizedTexts,
    labels: np.ndarray,
    *,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    share: Share = Share(),
    targets: RowTargets | None = None,
    make_batch: MakeBatch | None = None,
) -> tuple[tf.data.Dataset, int]:
    """Returns endless training batches, in `training_order`, and the steps of a pass.

    Args:
        vectorizer: The text half of a classifier.
        tokens: The training texts, tokenized.
        labels: The class of each row, int64 of shape [rows], for the order.
        batch_size: As in `training_order`.
        seed: As in `training_order`.
        first_step: As in `training_order`.
        share: The part of each batch to return; one element for each of its replicas.
        targets: The targets of rows; None for the labels.
        make_batch: What makes a batch of rows and the number of their step, counted from 0;
            None for `packed_by` the vectorizer.

    Returns:
        A dataset of (features, targets) and the number of steps a pass.

    Raises:
        DataError: There is no row.
    """
    order = training_order(
        tokens.lengths, labels, batch_size=batch_size, seed=seed, first_step=first_step
    )
    numbered = share.of_batches(order.enumerate(first_step))
    load = load_rows(tokens, targets or label_targets(labels), make_batch or packed_by(vectorizer))
    return batches_of(numbered, load), steps_in_pass(len(tokens), batch_size)


def evaluation_batches(
    vectorizer: TextVectorizer,
    tokens: TokenizedTexts,
    labels: np.ndarray,
    *,
    batch_size: int,
    targets: RowTargets | None = None,
    make_batch: MakeBatch | None = None,
) -> tf.data.Dataset:
    """Returns one pass over all rows, as (features, targets), longest texts first.

    `evaluation_order` of the same lengths and batch size says which row is where.

    Args:
        vectorizer: The text half of a classifier.
        tokens: The texts, tokenized.
        labels: The targets of rows, int64 of shape [rows], unless targets are given.
        batch_size: Rows in a batch; the last may be smaller.
        targets: As in `training_batches`.
        make_batch: As in `training_batches`; the number of the step is `NO_STEP`.
    """
    order = np.concatenate([np.zeros(0, np.int32), *evaluation_order(tokens.lengths, batch_size)])
    rows = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
    load = load_rows(tokens, targets or label_targets(labels), make_batch or packed_by(vectorizer))
    return batches_of(unnumbered(rows), load)


def token_batches(
    vectorizer: TextVectorizer, texts: Sequence[str | bytes], *, batch_size: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Tokenizes texts and yields batches of similar length, without a file.

    Some thousands of texts are tokenized at a time, and batched longest first.

    Args:
        vectorizer: The text half of a classifier.
        texts: The texts.
        batch_size: Texts in a batch; some have fewer.

    Yields:
        Which texts they are, int32 [batch], their token ids, int32 [tokens], and how many
        are each text's, int64 [batch].
    """
    for first in range(0, len(texts), TEXTS_IN_MEMORY):
        ids, lengths = tokenize_flat(vectorizer, texts[first : first + TEXTS_IN_MEMORY])
        starts = np.cumsum(lengths) - lengths
        for rows in evaluation_order(lengths, batch_size):
            own = lengths[rows]
            places = np.repeat(starts[rows] - np.cumsum(own) + own, own)
            yield rows + first, ids[places + np.arange(len(places))], own


def feature_batches(
    vectorizer: TextVectorizer, tokens: TokenizedTexts, rows: np.ndarray, *, batch_size: int
) -> Iterator[Features]:
    """Yields the features of the given rows, in their order, a batch at a time.

    Without tf.data: TensorFlow keeps a function that a graph calls, and with it the
    token ids and their open file, until the process ends.
    """
    for start in range(0, len(rows), batch_size):
        yield vectorizer.pack_flat(*tokens.read_flat(rows[start : start + batch_size]))


def load_rows(
    tokens: TokenizedTexts, targets: RowTargets, make_batch: MakeBatch
) -> Callable[[tf.Tensor, tf.Tensor], tuple[Features, Any]]:
    """Returns what turns the number of a step, int64 [], and rows, int32 [batch], into a batch."""

    def load(step: tf.Tensor, rows: tf.Tensor) -> tuple[Features, Any]:
        ids, lengths = tokens.read_in_graph(rows)
        found = Rows(tf.cast(rows, tf.int64), ids, lengths, targets(rows))
        return make_batch(found, step)

    return load


def unnumbered(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the rows of batches that belong to no step: (`NO_STEP`, rows)."""
    return batches.map(lambda rows: (tf.constant(NO_STEP, tf.int64), rows))


def batches_of(
    order: tf.data.Dataset, load: Callable[[tf.Tensor, tf.Tensor], tuple[Features, Any]]
) -> tf.data.Dataset:
    """Returns batches of (features, targets), loaded ahead by TensorFlow's threads.

    Args:
        order: The number of a step, int64 [], and its rows, int32 [batch].
        load: From both to features and targets, within a graph.
    """
    options = tf.data.Options()
    # Rows are already divided into batches; only the batches are to be split.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    loaded = order.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return loaded.prefetch(tf.data.AUTOTUNE).with_options(options)
