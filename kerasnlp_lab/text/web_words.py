"""Web words: handles, hashtags and addresses, which tokenizers split at each punctuation mark."""

from __future__ import annotations

from collections.abc import Iterator

import regex
import tensorflow as tf
import tensorflow_text

__all__ = ["continue_web_words", "web_words_of"]

# "https://example.org/a", "www.example.org", "ada@example.org"
_ADDRESS = (
    r"[A-Za-z][A-Za-z0-9+.\-]*://[!-~]*[A-Za-z0-9/_=\-]|www\.[!-~]*[A-Za-z0-9/_=\-]"
    r"|[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+"
)
_HANDLE = r"[@#][\p{L}\p{M}\p{N}_]+"
_OTHER_WORD = r"[A-Za-z0-9_][A-Za-z0-9_@#]*"  # such as "C#5", in which there is no hashtag
_IN_PYTHON = regex.compile(rf"({_ADDRESS})|{_OTHER_WORD}|({_HANDLE})")


def web_words_of(text: str) -> Iterator[tuple[int, int]]:
    """Yields the first character of each web word, and the one after its last."""
    return (found.span() for found in _IN_PYTHON.finditer(text) if found[1] or found[2])


def continue_web_words(texts: tf.Tensor, lengths: tf.Tensor, starts: tf.Tensor) -> tf.Tensor:
    """Returns whether tokens lie within a web word and do not begin it, bool [tokens].

    It finds those of `web_words_of`, within a graph.

    Args:
        texts: Texts in valid UTF-8, [batch].
        lengths: The number of tokens of each text, int64 [batch].
        starts: The offset of the first byte of each token, int64 [tokens].
    """
    # The splitter ends a text at NUL. No other character has this byte.
    texts = tf.strings.regex_replace(texts, r"\x00", " ")
    delimiters = f"{_ADDRESS}|{_OTHER_WORD}|{_HANDLE}"
    words, begins, ends = tensorflow_text.regex_split_with_offsets(texts, delimiters, delimiters)
    found = tf.strings.regex_full_match(words.flat_values, f"{_ADDRESS}|{_HANDLE}")
    base = tf.cumsum(tf.cast(tf.strings.length(texts), tf.int64) + 1, exclusive=True)
    of_word = tf.repeat(base, words.row_lengths())
    begins = tf.boolean_mask(begins.flat_values + of_word, found)
    ends = tf.boolean_mask(ends.flat_values + of_word, found)
    # A first one of no length, before all texts, so that there is one before each token.
    begins, ends = (tf.concat([[-1], one], axis=0) for one in (begins, ends))
    places = starts + tf.repeat(base, lengths)
    before = tf.searchsorted(begins, places) - 1  # the last one that begins before a token
    return places < tf.gather(ends, before)
