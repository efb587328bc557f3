"""`TextVectorizer`: the base class of the text half of every classifier."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import regex
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data.pairs import PAIR_SEPARATOR
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.paths import sha256_of_files
from kerasnlp_lab.text.features import WINDOW_OF, Features, TokensInText
from kerasnlp_lab.text.raw_texts import replace_invalid_utf8
from kerasnlp_lab.text.rows import Rows
from kerasnlp_lab.text.web_words import continue_web_words
from kerasnlp_lab.text.windows import (
    WindowBounds,
    draw_starts,
    overlapping_windows,
    some_windows,
)

__all__ = [
    "LONG_TEXTS",
    "TextVectorizer",
]

LENGTH_MULTIPLE = 8
WINDOW_SLACK = 16  # the share of a window by which it may begin earlier, at a word
LONG_TEXTS = ("head", "tail", "head_tail", "windows")
_MARK = r"\p{P}\p{Han}!-/:-@\[-`{-~"


class TextVectorizer(keras.layers.Layer):
    """Turns strings into features, in two steps that the input pipeline runs separately.

    `tokenize` runs once for each text and `pack` once for each batch, so that a batch is
    padded only to its own longest text. `call` does both, for use in a model.

    Any bytes are a text: invalid UTF-8 is replaced with U+FFFD, an empty text has no
    tokens of its own, and a longer text is truncated to ``max_length``.

    Args:
        max_length: The length of the longest sequence that `pack` makes, in tokens,
            special tokens included.
        long_texts: Which tokens of a longer text are read: its "head", its "tail", or a quarter
            from its head and the rest from its tail ("head_tail"; Sun et al. 2019,
            https://arxiv.org/abs/1905.05583). With "windows" all are, in windows that overlap:
            features are then those of windows, and the feature ``window_of``, int64 [windows],
            is the number in the batch of each window's text.
        windows_in_training: The most windows of a text in a batch of `pack_rows`.
    """

    splits_at_spaces = False
    """Whether words are found by the spaces between them, which not every script has."""

    special_tokens = 0
    """How many tokens `pack` adds to each text."""

    # As BERT splits words: every punctuation mark and every Chinese character is a word of its own.
    word_pattern = regex.compile(rf"[{_MARK}]|[^\s{_MARK}]+")
    """The words of a text between two blanks, as far as a pattern can find them."""

    ids_per_token = 1
    """How many integers describe a token."""

    separates_pairs = False
    """Whether the model can tell the two texts of a pair from each other."""

    def __init__(
        self,
        max_length: int,
        long_texts: str = "head",
        windows_in_training: int = 4,
        *,
        pairs: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.max_length, self.pairs = max_length, pairs
        self.long_texts, self.windows_in_training = long_texts, windows_in_training
        self.with_offsets = False
        self._make_graph()

    def adapt(self, texts: Collection[str | bytes]) -> None:
        """Learns from the training texts, for example a vocabulary.

        The texts may not fit in memory; they are read once, from first to last.
        """

    def save_files(self, folder: Path) -> None:
        """Writes to a folder what `adapt` has learned."""

    def load_files(self, folder: Path) -> None:
        """Restores what `save_files` has written."""

    def get_config(self) -> dict[str, Any]:
        """Returns arguments and files, so that a model in a .keras file has its vocabulary."""
        with tempfile.TemporaryDirectory() as folder:
            self.save_files(Path(folder))
            content = {file.name: file.read_bytes() for file in Path(folder).iterdir()}
        files = {name: base64.b64encode(content[name]).decode() for name in sorted(content)}
        own = ("max_length", "long_texts", "windows_in_training")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            **({"pairs": True} if self.pairs else {}),
            "files": files,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TextVectorizer:
        files = config.pop("files")
        vectorizer = cls(**config)
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                Path(folder, name).write_bytes(base64.b64decode(content))
            vectorizer.load_files(Path(folder))
        return vectorizer

    @property
    def non_trainable_weights(self) -> list[Any]:
        """None: Keras counts a vocabulary as a weight, which HDF5 files of weights cannot hold."""
        return []

    def fingerprint(self) -> dict[str, Any]:
        """Returns a JSON-compatible identity: equal ones make the same features of a text."""
        with tempfile.TemporaryDirectory() as folder:
            self.save_files(Path(folder))
            return {"assets": sha256_of_files(Path(folder))}

    def tokenize_clean(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts in valid UTF-8, [batch], into token ids, int32 [batch, (tokens)]."""
        raise NotImplementedError

    def pack(self, tokens: tf.RaggedTensor, seq_length: tf.Tensor) -> Features:
        """Pads token ids, int32 [batch, (tokens)], and returns features of width seq_length."""
        shape = tf.stack([tokens.nrows(out_type=tf.int32), seq_length])
        return {"token_ids": tokens.to_tensor(0, shape=tf.cast(shape, tokens.row_splits.dtype))}

    def inputs(self) -> dict[str, Any]:
        """Returns the symbolic Keras inputs, by name, of a network that this layer feeds."""
        return {"token_ids": keras.Input((None,), dtype=tf.int32, name="token_ids")}

    def vocabulary(self) -> list[str]:
        """Returns the name of every token id: a word, a word piece, or a token such as [UNK]."""
        raise NotImplementedError

    def vocabulary_ids(self, ids: Any) -> Any:
        """Returns the places in `vocabulary` of token ids, which may hold more than that."""
        return ids

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts into token ids, truncated to what `pack` has room for.

        Args:
            texts: Strings of shape [batch], any bytes.

        Returns:
            Token ids, int32 of shape [batch, (tokens)].
        """
        ids, lengths = self.ids_and_lengths(texts)
        return tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)

    def ids_and_lengths(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the tokens of `tokenize` end to end, int32 [tokens], and lengths, int64 [batch].

        Python calls a single operation, so that threads do not wait for each other.
        """
        # Calling the tf.function itself would warn of retracing if there are many vectorizers.
        return self._graph.get_concrete_function()(texts)

    def _make_graph(self) -> None:
        """Discards the tokenizing graph; the next call traces one with the current vocabulary."""

        def flat(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            read = self.split_pairs if self.pairs else self.split_whole
            tokens = self.truncate(read(texts))
            return tokens.flat_values, tokens.row_lengths()

        def with_offsets(texts: tf.Tensor) -> TokensInText:
            texts = replace_invalid_utf8(texts)
            found = self.find_tokens(texts)
            in_web_word = continue_web_words(texts, found.lengths, found.starts)
            return found._replace(in_web_word=in_web_word)

        signature = [tf.TensorSpec([None], tf.string)]
        self._graph = tf.function(flat, input_signature=signature, autograph=False)
        # Keras saves every function of a layer, so one that not all layers have is made on demand.
        self._graph_with_offsets = (
            tf.function(with_offsets, input_signature=signature, autograph=False)
            if self.with_offsets
            else None
        )

    # Pairs

    def read_pairs(self) -> None:
        """Makes `tokenize` read pairs of texts, each a string from `join_pair`.

        Raises:
            OptionError: There is no room for two texts.
        """
        self.pairs = True
        self._make_graph()

    def split_pairs(self, texts: tf.Tensor, *, whole: bool = False) -> tf.RaggedTensor:
        """Splits pairs into token ids, [batch, (tokens)].

        By default the two texts are read as one, whole. A vectorizer that separates them leaves
        the tokens of both that `pack` has room for, or with `whole` all.
        """
        return self.split(self.joined_by_space(texts))

    def joined_by_space(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns pairs, strings [batch], as one text each; other texts as they are."""
        return tf.strings.regex_replace(texts, PAIR_SEPARATOR, " ") if self.pairs else texts

    # Long texts

    def read_long_texts(self, long_texts: str, windows_in_training: int) -> None:
        """Sets `long_texts` and `windows_in_training`."""
        self.long_texts, self.windows_in_training = long_texts, windows_in_training
        self._make_graph()

    # Offsets

    def keep_offsets(self) -> None:
        """Makes `tokenize` find the token ids of `tokens_in_text`, for a task that needs offsets.

        Raises:
            OptionError: The vectorizer cannot tell where its tokens are in a text.
        """
        if type(self).find_tokens is TextVectorizer.find_tokens:
            raise OptionError(
                "entities need the place of each token in its text, which this model does not "
                "know; use hash_embed_cnn or a BERT"
            )
        self.with_offsets = True
        self._make_graph()

    def find_tokens(self, texts: tf.Tensor) -> TokensInText:
        """Finds all tokens of texts in valid UTF-8, [batch], within a graph."""
        raise NotImplementedError

    def tokens_in_text(self, texts: tf.Tensor) -> TokensInText:
        """Finds all tokens of texts, strings [batch], any bytes, with one operation.

        It needs `keep_offsets`.
        """
        assert self._graph_with_offsets is not None
        return TokensInText(*self._graph_with_offsets.get_concrete_function()(texts))

    def _split_with_offsets(self, texts: tf.Tensor) -> tf.RaggedTensor:
        found = self.find_tokens(replace_invalid_utf8(texts))
        lengths = found.lengths * self.ids_per_token
        return tf.RaggedTensor.from_row_lengths(found.ids, lengths, validate=False)

    # Batches

    def split_whole(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts, as in `tokenize`, into all their token ids, int32 [batch, (tokens)]."""
        if self.with_offsets:
            return self._split_with_offsets(texts)
        return self.split(self.joined_by_space(texts))

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Does what `split_whole` does, for a task that needs no offsets."""
        return self.tokenize_clean(replace_invalid_utf8(texts))

    def truncate(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Truncates each text, [batch, (tokens)], to the tokens that `long_texts` reads of it."""
        room = self.room * self.ids_per_token
        if self.long_texts == "head":
            return tokens[:, :room]
        if self.long_texts == "windows":
            return tokens
        head = self.max_length // 4 * self.ids_per_token if self.long_texts == "head_tail" else 0
        return tf.concat([tokens[:, :head], tokens[:, head:][:, head - room :]], axis=1)

    def continue_words(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns which token ids continue the word of the token before, bool [tokens].

        The boundary of a pair, which is below 0, begins no word and so continues one.
        """
        if self.splits_at_spaces:
            return tf.zeros_like(ids, tf.bool)
        try:
            names = self.vocabulary()
        except FileNotFoundError:  # of a module with SentencePiece, whose windows begin anywhere
            return tf.zeros_like(ids, tf.bool)
        continues = tf.constant([name.startswith("##") for name in names])
        return (ids < 0) | tf.gather(continues, tf.maximum(ids, 0))

    @property
    def room(self) -> int:
        """The number of a text's own tokens that `pack` has room for."""
        return self.max_length - self.special_tokens

    def padded_length(self, longest: tf.Tensor) -> tf.Tensor:
        """Returns the width to pad to if the longest text has this many tokens.

        It is a multiple of 8, so that few different shapes occur, and at most max_length.
        """
        length = longest + self.special_tokens
        rounded = -(-length // LENGTH_MULTIPLE) * LENGTH_MULTIPLE
        return tf.minimum(tf.maximum(rounded, LENGTH_MULTIPLE), self.max_length)

    def pack_flat(self, ids: tf.Tensor, lengths: tf.Tensor) -> Features:
        """Returns features, [batch, seq], no wider than their longest text needs.

        With ``long_texts="windows"`` they are those of all windows, [windows, seq].

        Args:
            ids: The token ids of all texts, int32 of shape [tokens].
            lengths: The number of token ids of each text, int64 of shape [batch].
        """
        if self.long_texts == "windows":
            return self._pack_windows(ids, lengths)
        return self.pack_padded(ids, lengths)

    def pack_rows(self, rows: Rows, seed: int, step: tf.Tensor) -> Features:
        """Does what `pack_flat` does, in training with some windows of a text, drawn each time.

        Args:
            rows: The rows.
            seed: The seed of the training.
            step: The number of the step, int64 []; -1 for all windows.
        """
        if self.long_texts != "windows":
            return self.pack_flat(rows.ids, rows.lengths)
        most = tf.where(step < 0, tf.int64.max, self.windows_in_training)
        return self._pack_windows(rows.ids, rows.lengths, most, draw_starts(rows, seed, step))

    def _pack_windows(
        self, ids: tf.Tensor, lengths: tf.Tensor, most: Any = None, starts: Any = None
    ) -> Features:
        """Returns the features of windows; `most` and `starts` are as in `some_windows`."""
        found = self.windows(ids, lengths)
        text, begins, ends = found.text, found.starts, found.ends
        if most is not None:
            chosen = some_windows(found.counts, most, starts)
            text, begins, ends = (tf.gather(one, chosen) for one in (text, begins, ends))
        ids = tf.gather(ids, tf.ragged.range(begins, ends).flat_values)
        return {**self.pack_padded(ids, ends - begins), WINDOW_OF: text}

    def windows(self, ids: tf.Tensor, lengths: tf.Tensor) -> WindowBounds:
        """Cuts texts, given as in `pack_flat`, into windows that `pack_padded` has room for."""
        slack = self.room // WINDOW_SLACK
        return overlapping_windows(lengths, self.continue_words(ids), self.room, slack)

    def pack_padded(self, ids: tf.Tensor, lengths: tf.Tensor) -> Features:
        """Returns the features of texts, given as in `pack_flat`, that are not too long."""
        tokens = tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)
        # The zero is the longest length of an empty batch.
        longest = tf.reduce_max(tf.concat([[0], tf.cast(lengths, tf.int32)], axis=0))
        return self.pack(tokens, self.padded_length(longest // self.ids_per_token))

    def own_tokens(self, padded: tf.Tensor, lengths: tf.Tensor) -> tf.RaggedTensor:
        """Returns the values at a text's own tokens, without padding and special tokens.

        Args:
            padded: A value a position, [batch, seq, ...].
            lengths: The number of each text's token ids, int64 [batch].

        Returns:
            Ragged, [batch, (tokens), ...].
        """
        first, lengths = self.special_tokens // 2, lengths // self.ids_per_token
        return tf.RaggedTensor.from_tensor(padded[:, first:], lengths=lengths)

    def at_own_tokens(
        self, values: tf.RaggedTensor, features: Features, fill: Any = 0
    ) -> tf.Tensor:
        """Places a value a token where `pack` put that token: the inverse of `own_tokens`.

        Args:
            values: A value a token, ragged [batch, (tokens)].
            features: The features that `pack` made of the same texts.
            fill: The value at padding and special tokens.

        Returns:
            [batch, seq].
        """
        first = self.special_tokens // 2
        width = tf.shape(next(iter(features.values())))[1]
        batch = values.nrows(out_type=tf.int32)
        padded = values.to_tensor(fill, shape=tf.cast(tf.stack([batch, width - first]), tf.int64))
        return tf.pad(padded, [[0, 0], [first, 0]], constant_values=fill)

    def call(self, inputs: tf.Tensor) -> Features:
        """Turns strings of shape [batch] into features of shape [batch, seq]."""
        return self.pack_flat(*self.ids_and_lengths(inputs))
