"""`cut_into_windows`: cuts long texts into windows that overlap, and joins what is found there.

A text that fits the model is one window. A longer one is cut at word limits. Every token is in
one window or more, and it is read from the one where it has the most text on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from kerasnlp_lab.text.masking import row_keys, uniform
from kerasnlp_lab.text.order import evaluation_order, items_of

if TYPE_CHECKING:
    from kerasnlp_lab.text.features import TokensInText
    from kerasnlp_lab.text.rows import Rows
    from kerasnlp_lab.text.vectorizer import TextVectorizer

__all__ = [
    "WindowBounds",
    "Windows",
    "cut_into_windows",
    "draw_starts",
    "overlapping_windows",
    "some_windows",
    "window_batches",
]

WINDOW = 8  # a kind of draws; see `masking`


class Windows(NamedTuple):
    """The windows of some texts.

    Args:
        tokens: The index of the token at each place of the windows, end to end, int64 [places].
        lengths: The number of tokens in each window, int64 [windows].
        places: The place from which each token is read, int64 [tokens].
    """

    tokens: tf.Tensor
    lengths: tf.Tensor
    places: tf.Tensor


class WindowBounds(NamedTuple):
    """The windows of some texts, as integers, int64 [windows] each but for `counts`.

    Args:
        counts: The number of windows of each text, 1 or more, [batch].
        text: The text of each window.
        number: The number of each window in its text.
        first: The index of the first token of the window's text, among the tokens of all texts.
        starts: The index of the window's first token.
        ends: The index after its last token.
    """

    counts: tf.Tensor
    text: tf.Tensor
    number: tf.Tensor
    first: tf.Tensor
    starts: tf.Tensor
    ends: tf.Tensor


def overlapping_windows(
    lengths: tf.Tensor, continues: tf.Tensor, room: int, slack: int
) -> WindowBounds:
    """Cuts texts into windows, within a graph.

    Neighbours share at least twice `slack` tokens. A window begins with a word, unless a word is
    longer than `slack`.

    Args:
        lengths: The number of tokens of each text, int64 [batch].
        continues: Whether a token continues the word before it, bool [tokens].
        room: The most tokens in a window.
        slack: The most tokens by which a window begins earlier, to begin with a word.
    """
    stride = room - 3 * slack
    more = tf.maximum(lengths - (room - slack), 0)  # tokens that the first window may not cover
    counts = tf.where(lengths <= room, tf.ones_like(lengths), 1 - (-more // stride))
    text = tf.repeat(tf.range(tf.size(lengths, tf.int64)), counts)  # of each window
    number = tf.range(tf.size(text, tf.int64)) - tf.gather(tf.cumsum(counts, exclusive=True), text)
    length = tf.gather(lengths, text)
    first = tf.gather(tf.cumsum(lengths, exclusive=True), text)  # the text's first token
    starts = first + _at_word(number * stride, first, continues, slack)
    last = number == tf.gather(counts, text) - 1
    ends = tf.where(last, first + length, tf.minimum(starts + room, first + length))
    return WindowBounds(counts, text, number, first, starts, ends)


def cut_into_windows(lengths: tf.Tensor, continues: tf.Tensor, room: int) -> Windows:
    """Cuts texts into windows, within a graph, and says where each token is read.

    Neighbours share at least a quarter of `room`. A window begins with a word and is read to the
    end of a word, unless a word is longer than an eighth of `room`.

    Args:
        lengths: The number of tokens of each text, int64 [batch].
        continues: Whether a token continues the word before it, bool [tokens].
        room: The most tokens in a window.
    """
    slack = room // 8
    found = overlapping_windows(lengths, continues, room, slack)
    text, first, starts, ends = found.text, found.first, found.starts, found.ends
    last = found.number == tf.gather(found.counts, text) - 1

    # Two neighbours divide their overlap in the middle, between two words.
    joined = tf.where(last[:-1], ends[:-1], (starts[1:] + ends[:-1]) // 2)
    joined = tf.concat([joined, ends[-1:]], axis=0)  # where to read on from the next window
    middle = tf.where(last, joined, first + _at_word(joined - first, first, continues, slack // 2))
    read_from = tf.concat([tf.zeros_like(middle[:1]), middle[:-1]], axis=0)
    sizes = ends - starts
    begins = tf.cumsum(sizes, exclusive=True)  # of each window among the places
    places = tf.ragged.range(read_from, middle).flat_values
    window = tf.repeat(tf.range(tf.size(text, tf.int64)), middle - read_from)
    return Windows(
        tf.ragged.range(starts, ends).flat_values,
        sizes,
        places + tf.gather(begins - starts, window),
    )


def some_windows(counts: tf.Tensor, most: int, starts: tf.Tensor) -> tf.Tensor:
    """Returns the indices of at most `most` windows of each text, spread over it, int64 [chosen].

    Args:
        counts: The number of windows of each text, int64 [batch].
        most: The most windows of a text.
        starts: Where to start in a text with more windows, from 0 to below 1, float64 [batch].
            With uniform numbers each window is as likely as any other.
    """
    chosen = tf.minimum(counts, most)
    number = tf.ragged.range(chosen)  # of each chosen window among those of its text
    text = number.value_rowids()
    count = tf.gather(counts, text)
    shift = tf.gather(tf.where(counts > most, starts, 0.0), text)
    spread = tf.cast(count, tf.float64) / tf.cast(tf.gather(chosen, text), tf.float64)
    place = tf.cast((tf.cast(number.flat_values, tf.float64) + shift) * spread, tf.int64)
    place = tf.minimum(place, count - 1)  # a sum may be rounded up
    return place + tf.gather(tf.cumsum(counts, exclusive=True), text)


def draw_starts(rows: Rows, seed: int, step: tf.Tensor) -> tf.Tensor:
    """Draws a number from 0 to below 1 for each row, float64 [batch], within a graph.

    It depends on the seed, the step and the row alone. So training can resume at any step, and
    rows are read alike however they are divided among devices.
    """

    def draw(step: np.ndarray, index: np.ndarray) -> np.ndarray:
        return uniform(row_keys(seed, int(step), index), WINDOW)

    drawn = tf.numpy_function(draw, [step, rows.index], tf.float64)
    return tf.ensure_shape(drawn, [None])


def _at_word(places: tf.Tensor, first: tf.Tensor, continues: tf.Tensor, slack: int) -> tf.Tensor:
    """Moves places in texts back to the start of a word, unless that is too far.

    Args:
        places: Token numbers within a text, int64 [windows].
        first: The index of that text's first token, int64 [windows].
        continues: As in `cut_into_windows`.
        slack: The most tokens to move.
    """
    whole = ~tf.concat([continues, [False]], axis=0)  # with one for the end of the last text
    word_starts = tf.where(whole)[:, 0]
    word = tf.cumsum(tf.cast(whole, tf.int64)) - 1  # of each token
    moved = tf.gather(word_starts, tf.gather(word, first + places)) - first
    return tf.where(places - moved <= slack, moved, places)


def window_batches(
    vectorizer: TextVectorizer, found: TokensInText, windows: Windows, batch_size: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields batches of windows of similar length, longest first.

    Args:
        vectorizer: The text half of a classifier.
        found: The tokens of texts, as NumPy arrays.
        windows: The windows of these texts, as NumPy arrays.
        batch_size: The most windows in a batch.

    Yields:
        The places of the batch's tokens, int64 [tokens], their ids, int32
        [tokens * ids_per_token], and the number of ids of each window, int64 [batch].
    """
    k = vectorizer.ids_per_token
    for rows in evaluation_order(windows.lengths, batch_size):
        places = items_of(rows, windows.lengths)
        ids = found.ids.reshape(-1, k)[windows.tokens[places]]
        yield places, ids.reshape(-1), windows.lengths[rows] * k
