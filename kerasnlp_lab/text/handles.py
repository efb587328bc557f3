"""Handles and hashtags: "@ada_l" and "#oslo", which tokenizers split after the first character."""

from __future__ import annotations

from collections.abc import Iterator

import regex
import tensorflow as tf
import tensorflow_text

__all__ = ["continue_handles", "handles_of"]

_HANDLE = r"[@#][\p{L}\p{M}\p{N}_]+"
# An address such as "ada@example.org" has no handle: it is a word with other characters in it.
_WORD = r"[\p{L}\p{N}_][\p{L}\p{M}\p{N}_@#]*"
_IN_PYTHON = regex.compile(rf"{_WORD}|({_HANDLE})")


def handles_of(text: str) -> Iterator[tuple[int, int]]:
    """Yields the first character of each handle and hashtag, and the one after its last."""
    return (found.span() for found in _IN_PYTHON.finditer(text) if found[1])


def continue_handles(texts: tf.Tensor, lengths: tf.Tensor, starts: tf.Tensor) -> tf.Tensor:
    """Returns whether tokens lie within a handle or hashtag and do not begin it, bool [tokens].

    It finds those of `handles_of`, within a graph.

    Args:
        texts: Texts in valid UTF-8, [batch].
        lengths: The number of tokens of each text, int64 [batch].
        starts: The offset of the first byte of each token, int64 [tokens].
    """
    # The splitter ends a text at NUL. No other character has this byte.
    texts = tf.strings.regex_replace(texts, r"\x00", " ")
    delimiters = f"{_WORD}|{_HANDLE}"
    words, begins, ends = tensorflow_text.regex_split_with_offsets(texts, delimiters, delimiters)
    is_handle = tf.strings.regex_full_match(words.flat_values, _HANDLE)
    base = tf.cumsum(tf.cast(tf.strings.length(texts), tf.int64) + 1, exclusive=True)
    of_word = tf.repeat(base, words.row_lengths())
    begins = tf.boolean_mask(begins.flat_values + of_word, is_handle)
    ends = tf.boolean_mask(ends.flat_values + of_word, is_handle)
    # A first handle of no length, before all texts, so that there is one before each token.
    begins, ends = (tf.concat([[-1], one], axis=0) for one in (begins, ends))
    places = starts + tf.repeat(base, lengths)
    before = tf.searchsorted(begins, places) - 1  # the last handle that begins before a token
    return places < tf.gather(ends, before)
