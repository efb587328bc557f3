"""`HashedWords`: words with their capitals, ends and shape, as hashes, without a vocabulary."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_text

from kerasnlp_lab._keras import keras
from kerasnlp_lab.text.features import Features, TokensInText
from kerasnlp_lab.text.vectorizer import TextVectorizer

__all__ = ["FEATURE_NAMES", "HashedWords"]

FEATURE_NAMES = ("words", "prefixes", "suffixes", "shapes")
PREFIX, SUFFIX = 2, 3  # characters
# Every punctuation mark and symbol is a word, and every character of a script without spaces, or
# where endings follow a name without one.
_ALONE = (
    r"[\p{P}\p{S}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\p{Tibetan}]"
)
_SHAPES = ((r"\p{Lu}", "X"), (r"\p{Nd}", "d"), (r"[^Xd\p{P}\p{S}]", "x"))
_RUNS = tuple((rf"{letter}{{4,}}", letter * 4) for letter in "Xdx")


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class HashedWords(TextVectorizer):
    """Words and punctuation marks. Each is four hashes: in lower case, its first two characters,
    its last three, and its shape ("Xxxx" for "Paris", "dddd" for "2026").

    Id 0 is padding.

    Args:
        max_length: The length of the longest sequence, in words.
        buckets: The number of ids of each kind, padding included. Words of the same hash share
            their embedding.

    Features:
        words, prefixes, suffixes, shapes: int32 of shape [batch, seq].

    Source: the features of spaCy's MultiHashEmbed, https://spacy.io/api/architectures.
    """

    ids_per_token = len(FEATURE_NAMES)

    def __init__(self, max_length: int, buckets: int, **kwargs: Any):
        super().__init__(max_length, **kwargs)
        self.buckets = buckets
        self.keep_offsets()

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "buckets": self.buckets}

    def find_tokens(self, texts: tf.Tensor) -> TokensInText:
        # The splitter ends a text at NUL. No other character has this byte.
        texts = tf.strings.regex_replace(texts, r"\x00", " ")
        words, starts, ends = tensorflow_text.regex_split_with_offsets(
            texts, rf"[\s\p{{Z}}\p{{Cc}}]+|{_ALONE}", _ALONE
        )
        flat = words.flat_values
        length = tf.strings.length(flat, "UTF8_CHAR")
        shape = flat
        for pattern, letter in (*_SHAPES, *_RUNS):
            shape = tf.strings.regex_replace(shape, pattern, letter)
        kinds = (
            tf.strings.lower(flat, "utf-8"),
            _part(flat, tf.zeros_like(length), PREFIX),
            _part(flat, tf.maximum(length - SUFFIX, 0), SUFFIX),
            shape,
        )
        hashes = [tf.strings.to_hash_bucket_fast(one, self.buckets - 1) + 1 for one in kinds]
        ids = tf.reshape(tf.cast(tf.stack(hashes, axis=1), tf.int32), [-1])
        return TokensInText(
            ids,
            words.row_lengths(),
            starts.flat_values,
            ends.flat_values,
            tf.zeros(tf.shape(flat), tf.bool),
        )

    def pack(self, tokens: tf.RaggedTensor, seq_length: tf.Tensor) -> Features:
        columns = tf.unstack(tf.reshape(tokens.flat_values, [-1, self.ids_per_token]), axis=1)
        lengths = tokens.row_lengths() // self.ids_per_token
        shape = tf.stack([tokens.nrows(out_type=tf.int32), seq_length])
        return {
            name: tf.RaggedTensor.from_row_lengths(one, lengths, validate=False).to_tensor(
                0, shape=tf.cast(shape, tf.int64)
            )
            for name, one in zip(FEATURE_NAMES, columns, strict=True)
        }

    def inputs(self) -> dict[str, Any]:
        return {name: keras.Input((None,), dtype=tf.int32, name=name) for name in FEATURE_NAMES}


def _part(words: tf.Tensor, first: tf.Tensor, characters: int) -> tf.Tensor:
    """Returns some characters of each word, strings [words], from the first of them on."""
    counts = tf.fill(tf.shape(first), characters)
    return tf.strings.substr(words, first, counts, "UTF8_CHAR")
