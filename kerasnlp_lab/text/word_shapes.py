"""`word_shapes`: how the words of texts are written in capitals, within a graph."""

from __future__ import annotations

import functools
import unicodedata

import numpy as np
import tensorflow as tf

from kerasnlp_lab.text.features import TokensInText

__all__ = ["SHAPES", "word_shapes"]

SHAPES = ("other", "Capitalized", "CAPITALS", "mixedCase")
_UPPER, _LOWER = 1, 2
_CODE_POINTS = 0x20000  # no letter behind them has a case


def word_shapes(texts: tf.Tensor, tokens: TokensInText) -> tf.Tensor:
    """Returns the shape of the word that each token belongs to, int32 [tokens], as in `SHAPES`.

    A word without capitals, and one of a script without them, is "other". A single capital is
    "Capitalized".

    Args:
        texts: Texts in valid UTF-8, strings [batch].
        tokens: Their tokens.
    """
    points, offsets = tf.strings.unicode_decode_with_offsets(texts, "UTF-8")
    case = tf.gather(tf.constant(_cases()), tf.minimum(points.flat_values, _CODE_POINTS))
    # The bytes of all texts count on from text to text, with one between them.
    base = tf.cumsum(tf.cast(tf.strings.length(texts), tf.int64) + 1, exclusive=True)
    places = offsets.flat_values + tf.repeat(base, points.row_lengths())
    of_token = tf.repeat(base, tokens.lengths)
    begins = tf.logical_not(tokens.continues)
    word = tf.cumsum(tf.cast(begins, tf.int32)) - 1
    starts = tf.boolean_mask(tokens.starts + of_token, begins)
    ends = tf.math.segment_max(tokens.ends + of_token, word)
    first, after = (tf.searchsorted(places, one) for one in (starts, ends))  # characters
    upper, lower = (_counts(case == kind, first, after) for kind in (_UPPER, _LOWER))
    begins_upper = tf.gather(tf.concat([case, [0]], axis=0), first) == _UPPER
    shape = tf.where(begins_upper & (upper == 1), 1, tf.where(lower == 0, 2, 3))
    return tf.gather(tf.where(upper == 0, 0, shape), word)


def _counts(true: tf.Tensor, first: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """Returns how many of some values between two places are true, int32."""
    sums = tf.concat([[0], tf.cumsum(tf.cast(true, tf.int32))], axis=0)
    return tf.gather(sums, after) - tf.gather(sums, first)


@functools.cache
def _cases() -> np.ndarray:
    """Returns the case of each code point, int32; the last one is that of all others."""
    kinds = {"Lu": _UPPER, "Lt": _UPPER, "Ll": _LOWER}
    found = [kinds.get(unicodedata.category(chr(one)), 0) for one in range(_CODE_POINTS)]
    return np.array([*found, 0], np.int32)
