"""The input pipeline: tokenizes texts and makes the batches for training and evaluation.

Texts are tokenized once. Their token ids stay in a temporary file, or in memory if they are
needed only once. A batch holds texts of similar length and is padded to the longest of them. In
training, the lengths are compared within each class, so that a batch has all classes (`order`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab.data.inputs import as_texts
from kerasnlp_lab.data.row_store import RowStore
from kerasnlp_lab.text.features import Features, TokensInText
from kerasnlp_lab.text.order import evaluation_order, items_of, steps_in_pass, training_order
from kerasnlp_lab.text.raw_texts import in_batches
from kerasnlp_lab.text.rows import Rows, RowTargets, label_targets
from kerasnlp_lab.text.threads import cores, in_threads
from kerasnlp_lab.text.vectorizer import TextVectorizer

__all__ = [
    "NO_STEP",
    "MakeBatch",
    "Share",
    "TokenizedTexts",
    "batches_of",
    "cut_tokenized",
    "evaluation_batches",
    "feature_batches",
    "find_tokens",
    "packed_by",
    "token_batches",
    "tokenize",
    "tokenize_flat",
    "training_batches",
    "unnumbered",
]

# The number of texts in one call of the tokenizer. A call costs an extra millisecond, but every
# core should have one.
SMALLEST_CALL, LARGEST_CALL = 512, 2048
TOKEN_BYTES = 4
NO_STEP = -1  # the step number of rows outside training
TEXTS_IN_MEMORY = 8192


class TokenizedTexts:
    """The token ids of many texts, in a temporary file, so that they do not fill memory.

    Args:
        batches: For some texts at a time, the token ids of all of them end to end, int32
            [tokens], and the number of tokens in each text, int64 [texts].
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
        """The number of tokens in each text, int64 [rows]."""
        return self._store.sizes // TOKEN_BYTES

    def read(self, rows: np.ndarray) -> list[np.ndarray]:
        """Returns the token ids of some texts, int32 [tokens] each, in the order of `rows`."""
        return [np.frombuffer(row, np.int32) for row in self._store.read(rows)]

    def read_flat(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the same token ids end to end, and the number of tokens in each text.

        Args:
            rows: The numbers of the texts, integers [rows].

        Returns:
            Token ids, int32 [tokens], and lengths, int64 [rows].
        """
        found, sizes = self._store.read_block(rows)
        return np.frombuffer(found, np.int32), sizes // TOKEN_BYTES

    def read_in_graph(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Does the same as `read_flat` within a graph, for rows, int32 [batch]."""
        ids, lengths = tf.numpy_function(self.read_flat, [rows], (tf.int32, tf.int64))
        return tf.ensure_shape(ids, [None]), tf.ensure_shape(lengths, [None])


def tokenize(vectorizer: TextVectorizer, texts: Iterable[str | bytes]) -> TokenizedTexts:
    """Tokenizes texts in batches on all cores, into a temporary file.

    Args:
        vectorizer: The text half of a classifier.
        texts: The texts.

    Returns:
        The token ids of the texts, in the same order.

    Raises:
        DataError: A text is missing or is no string.
    """
    return TokenizedTexts(_tokenized(vectorizer, as_texts(texts)))


def tokenize_flat(
    vectorizer: TextVectorizer, texts: Sequence[str | bytes]
) -> tuple[np.ndarray, np.ndarray]:
    """Tokenizes texts in batches on all cores, in memory.

    Args:
        vectorizer: The text half of a classifier.
        texts: The texts.

    Returns:
        The token ids of all texts end to end, int32 [tokens], and the number of tokens in each
        text, int64 [texts].
    """
    none = np.zeros(0, np.int32), np.zeros(0, np.int64)
    ids, lengths = zip(none, *_tokenized(vectorizer, texts), strict=True)
    return np.concatenate(ids), np.concatenate(lengths)


def cut_tokenized(
    vectorizer: TextVectorizer, tokens: TokenizedTexts
) -> tuple[TokenizedTexts, np.ndarray]:
    """Cuts texts into windows, into a temporary file.

    Args:
        vectorizer: The text half of a classifier.
        tokens: The texts, tokenized.

    Returns:
        The token ids of the windows of all texts, in order, and the number of windows of each
        text, int64 [texts].
    """
    counts = [np.zeros(0, np.int64)]

    def windows() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for rows in in_batches(range(len(tokens)), SMALLEST_CALL):
            ids, lengths = tokens.read_flat(np.array(rows))
            found = vectorizer.windows(tf.constant(ids), tf.constant(lengths))
            counts.append(found.counts.numpy())
            places = tf.ragged.range(found.starts, found.ends)
            yield ids[places.flat_values.numpy()], places.row_lengths().numpy()

    return TokenizedTexts(windows()), np.concatenate(counts)


def find_tokens(vectorizer: TextVectorizer, texts: Sequence[str | bytes]) -> TokensInText:
    """Finds all tokens of texts and their offsets, in batches on all cores, in memory.

    Args:
        vectorizer: The text half of a classifier for a task that needs offsets.
        texts: The texts, without lone surrogates.

    Returns:
        The tokens of all texts, as NumPy arrays.
    """
    found = _in_batches(vectorizer.tokens_in_text, texts)
    columns = zip(*([*found] or [vectorizer.tokens_in_text(tf.zeros(0, tf.string))]), strict=True)
    return TokensInText(*map(np.concatenate, columns))


def _tokenized(
    vectorizer: TextVectorizer, texts: Collection[str | bytes]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the token ids and lengths of some texts at a time."""
    return _in_batches(vectorizer.ids_and_lengths, texts)


def _in_batches(
    tokenize: Callable[[tf.Tensor], Any], texts: Collection[str | bytes]
) -> Iterator[Any]:
    """Yields what a vectorizer finds in some texts at a time, as NumPy arrays."""

    def of_batch(batch: list[str | bytes]) -> tuple[np.ndarray, ...]:
        return tuple(one.numpy() for one in tokenize(tf.constant(batch, tf.string)))

    size = min(max(SMALLEST_CALL, math.ceil(len(texts) / cores())), LARGEST_CALL)
    return in_threads(of_batch, in_batches(texts, size))


@dataclass(frozen=True)
class Share:
    """The part of each global batch that one process reads for its own replicas.

    Args:
        first: The process' first replica, counted from 0 over all processes.
        replicas: The number of replicas in this process.
        of: The number of replicas in all processes.
    """

    first: int = 0
    replicas: int = 1
    of: int = 1

    def of_batches(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Returns the rows for this process, one element for each of its replicas.

        Args:
            batches: Pairs of a step number, int64 [], and the rows of its global batch, int32
                [batch]. The rows are divided equally among all replicas.

        Returns:
            Pairs of the step number and one replica's rows, int32 [batch / replicas].
        """
        if self.of == 1:
            return batches

        def parts(step: tf.Tensor, rows: tf.Tensor) -> tf.data.Dataset:
            each = tf.reshape(rows, [self.of, -1])  # [replicas, batch / replicas]
            own = tf.data.Dataset.from_tensor_slices(each[self.first :][: self.replicas])
            return own.map(lambda part: (step, part))

        return batches.flat_map(parts)


MakeBatch = Callable[[Rows, tf.Tensor], tuple[Features, Any]]
"""A function within a graph that takes rows and their step and returns features and targets."""


def packed_by(vectorizer: TextVectorizer) -> MakeBatch:
    """Returns the default `MakeBatch`, which pads the features and keeps the targets."""
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
    similar_lengths: bool = True,
    targets: RowTargets | None = None,
    make_batch: MakeBatch | None = None,
) -> tuple[tf.data.Dataset, int]:
    """Returns endless training batches in `training_order`, and the number of steps in a pass.

    Args:
        vectorizer: The text half of a classifier.
        tokens: The training texts, tokenized.
        labels: The class of each row, int64 [rows], for the order.
        batch_size: As in `training_order`.
        seed: As in `training_order`.
        first_step: As in `training_order`.
        share: The part of each global batch that this process reads.
        similar_lengths: Whether the texts of a batch have similar lengths.
        targets: The lookup of targets; None for the labels.
        make_batch: Makes a batch from rows and their step, counted from 0; None for
            `packed_by(vectorizer)`.

    Returns:
        A dataset of (features, targets), and the number of steps in a pass.

    Raises:
        DataError: There are no rows.
    """
    lengths = tokens.lengths * similar_lengths
    order = training_order(lengths, labels, batch_size=batch_size, seed=seed, first_step=first_step)
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
    """Returns one pass over all rows as (features, targets), longest texts first.

    The rows are in the order of `evaluation_order` for the same lengths and batch size.

    Args:
        vectorizer: The text half of a classifier.
        tokens: The texts, tokenized.
        labels: The label ids, int64 [rows], which are the targets by default.
        batch_size: Rows in a batch; the last may be smaller.
        targets: As in `training_batches`.
        make_batch: As in `training_batches`; the step is always `NO_STEP`.
    """
    order = np.concatenate([np.zeros(0, np.int32), *evaluation_order(tokens.lengths, batch_size)])
    rows = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
    load = load_rows(tokens, targets or label_targets(labels), make_batch or packed_by(vectorizer))
    return batches_of(unnumbered(rows), load)


def token_batches(
    vectorizer: TextVectorizer, texts: Collection[str | bytes], *, batch_size: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Tokenizes texts and yields batches of similar length, without a temporary file.

    It tokenizes some thousands of texts at a time, and yields their batches longest first.

    Args:
        vectorizer: The text half of a classifier.
        texts: The texts.
        batch_size: The most texts in a batch.

    Yields:
        The numbers of the texts, int32 [batch], their token ids end to end, int32 [tokens], and
        the number of tokens in each, int64 [batch].
    """
    for number, some in enumerate(in_batches(texts, TEXTS_IN_MEMORY)):
        first = number * TEXTS_IN_MEMORY
        ids, lengths = tokenize_flat(vectorizer, some)
        for rows in evaluation_order(lengths, batch_size):
            yield rows + first, ids[items_of(rows, lengths)], lengths[rows]


def feature_batches(
    vectorizer: TextVectorizer, tokens: TokenizedTexts, rows: np.ndarray, *, batch_size: int
) -> Iterator[Features]:
    """Yields batches of the features of some rows, in the order of `rows`.

    It does not use tf.data. TensorFlow keeps every Python function that a graph calls until the
    process ends, and so would keep the token ids and their open file.
    """
    for start in range(0, len(rows), batch_size):
        yield vectorizer.pack_padded(*tokens.read_flat(rows[start : start + batch_size]))


def load_rows(
    tokens: TokenizedTexts, targets: RowTargets, make_batch: MakeBatch
) -> Callable[[tf.Tensor, tf.Tensor], tuple[Features, Any]]:
    """Returns a function from a step, int64 [], and rows, int32 [batch], to a batch."""

    def load(step: tf.Tensor, rows: tf.Tensor) -> tuple[Features, Any]:
        ids, lengths = tokens.read_in_graph(rows)
        found = Rows(tf.cast(rows, tf.int64), ids, lengths, targets(rows))
        return make_batch(found, step)

    return load


def unnumbered(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Returns batches of rows outside training, as pairs (`NO_STEP`, rows)."""
    return batches.map(lambda rows: (tf.constant(NO_STEP, tf.int64), rows))


def batches_of(
    order: tf.data.Dataset, load: Callable[[tf.Tensor, tf.Tensor], tuple[Features, Any]]
) -> tf.data.Dataset:
    """Returns batches of (features, targets), which TensorFlow's threads prefetch.

    Args:
        order: Pairs of a step, int64 [], and its rows, int32 [batch].
        load: Takes such a pair within a graph and returns features and targets.
    """
    options = tf.data.Options()
    # `Share` has already divided the batches among processes.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    loaded = order.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return loaded.prefetch(tf.data.AUTOTUNE).with_options(options)
