"""`TextVectorizer`: what the text half of every classifier can do."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.paths import sha256_of_files

__all__ = ["Features", "TextVectorizer", "in_batches", "valid_utf8", "without_surrogates"]

Features = dict[str, tf.Tensor]
LENGTH_MULTIPLE = 8


def in_batches(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yields the texts so many at a time, the last perhaps fewer."""
    rest = iter(texts)
    while batch := list(islice(rest, size)):
        yield batch


def without_surrogates(text: str) -> str:
    """Returns a text with U+FFFD for half a surrogate pair, which UTF-8 cannot hold.

    json.loads makes such strings, and Python of an argument that is not UTF-8.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def valid_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Returns strings of any bytes, [batch], with U+FFFD for what is not UTF-8."""
    # To look for what is not ASCII takes a tenth of the time that transcoding does.
    others = tf.where(~tf.strings.regex_full_match(texts, r"[\x00-\x7f]*"))
    found = tf.gather_nd(texts, others)
    valid = tf.strings.unicode_transcode(found, "UTF-8", "UTF-8", errors="replace")
    return tf.tensor_scatter_nd_update(texts, others, valid)


class TextVectorizer(keras.layers.Layer):
    """Strings to features, in two steps that the input pipeline runs apart.

    `tokenize` is done once a text, `pack` once a batch, so that a batch is padded
    only to its own longest text. `call` is both in one, for use in a model.

    Any bytes are a text: invalid UTF-8 is replaced by U+FFFD, an empty text has
    no tokens of its own, a text of any length is cut at ``max_length``.

    Args:
        max_length: The longest sequence that `pack` makes, special tokens
            included, in tokens.
    """

    special_tokens = 0
    """How many tokens `pack` adds to those of a text."""

    def __init__(self, max_length: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.max_length = max_length
        self._make_graph()

    def adapt(self, texts: Collection[str]) -> None:
        """Learns from the training texts what the vectorizer has to know of them.

        They may be more than memory holds, and are gone through from first to last.
        """

    def save_assets(self, folder: Path) -> None:
        """Writes into a folder what `adapt` has learned."""

    def load_assets(self, folder: Path) -> None:
        """Reads back what `save_assets` wrote."""

    def fingerprint(self) -> dict[str, Any]:
        """Returns, for JSON, what tells it from those that make other features of a text."""
        with tempfile.TemporaryDirectory() as folder:
            self.save_assets(Path(folder))
            return {"assets": sha256_of_files(Path(folder))}

    def tokenize_clean(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits valid UTF-8 texts, [batch], into token ids, int32 [batch, (tokens)]."""
        raise NotImplementedError

    def pack(self, tokens: tf.RaggedTensor, seq_length: tf.Tensor) -> Features:
        """Pads token ids, int32 [batch, (tokens)], to features of width seq_length."""
        raise NotImplementedError

    def inputs(self) -> dict[str, Any]:
        """Returns the symbolic Keras inputs, by name, of a network fed by this layer."""
        raise NotImplementedError

    def vocabulary(self) -> list[str]:
        """Returns the name of every token id: a word, a piece of one, or one like [UNK]."""
        raise NotImplementedError

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts into token ids, cut to what `pack` has room for.

        Args:
            texts: Strings of shape [batch], any bytes.

        Returns:
            Token ids, int32 of shape [batch, (tokens)].
        """
        ids, lengths = self.ids_and_lengths(texts)
        return tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)

    def ids_and_lengths(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns what `tokenize` does as int32 [tokens] and the number of each, int64 [batch].

        One operation for Python, so that threads do not wait for each other.
        """
        # A call of the tf.function itself warns of many traces where there are many vectorizers.
        return self._graph.get_concrete_function()(texts)

    def _make_graph(self) -> None:
        """Has texts be split by a new graph, made when it is called: of what is known by then."""

        def flat(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            tokens = self.split(texts)
            return tokens.flat_values, tokens.row_lengths()

        texts = tf.TensorSpec([None], tf.string)
        self._graph = tf.function(flat, input_signature=[texts], autograph=False)

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts as `tokenize` does, operation by operation."""
        return self.cut(self.tokenize_clean(valid_utf8(texts)))

    def cut(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Returns of the tokens of each text, int32 [batch, (tokens)], what `pack` has room for."""
        return tokens[:, : self.max_length - self.special_tokens]

    def padded_length(self, longest: tf.Tensor) -> tf.Tensor:
        """Returns the width to pad to when the longest text has so many tokens.

        A multiple of 8, so that few shapes occur, and at most max_length.
        """
        length = longest + self.special_tokens
        rounded = -(-length // LENGTH_MULTIPLE) * LENGTH_MULTIPLE
        return tf.minimum(tf.maximum(rounded, LENGTH_MULTIPLE), self.max_length)

    def pack_flat(self, ids: tf.Tensor, lengths: tf.Tensor) -> Features:
        """Returns features, [batch, seq], no wider than their longest text needs.

        Args:
            ids: The token ids of all texts, int32 of shape [tokens].
            lengths: How many are each text's, int64 of shape [batch].
        """
        tokens = tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)
        # The zero keeps an empty batch from having no longest text.
        longest = tf.reduce_max(tf.concat([[0], tf.cast(lengths, tf.int32)], axis=0))
        return self.pack(tokens, self.padded_length(longest))

    def own_tokens(self, padded: tf.Tensor, lengths: tf.Tensor) -> tf.RaggedTensor:
        """Returns the values at a text's own tokens, without padding and special tokens.

        Args:
            padded: A value a position, [batch, seq, ...].
            lengths: The number of each text's tokens, int64 [batch].

        Returns:
            Ragged, [batch, (tokens), ...].
        """
        first = self.special_tokens // 2
        return tf.RaggedTensor.from_tensor(padded[:, first:], lengths=lengths)

    def call(self, inputs: tf.Tensor) -> Features:
        """Turns strings of shape [batch] into features of shape [batch, seq]."""
        return self.pack_flat(*self.ids_and_lengths(inputs))
