"""`HubVectorizer`: turns texts into BERT's inputs with a TF Hub preprocessing module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_hub as hub

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.encoder import cannot_rebuild
from kerasnlp_lab.bert.loading import load_hub_layer, load_preprocessing
from kerasnlp_lab.bert.tokenizer_probe import find_fast_tokenizer
from kerasnlp_lab.data.pairs import PAIR_SEPARATOR
from kerasnlp_lab.errors import OptionError, RunError, check_option
from kerasnlp_lab.paths import sha256_of_files
from kerasnlp_lab.text.features import Features, TokensInText
from kerasnlp_lab.text.vectorizer import TextVectorizer
from kerasnlp_lab.text.word_shapes import SHAPES, word_shapes

__all__ = ["HubVectorizer"]

VOCABULARY_FILE = "vocabulary.json"
BOUNDARY = -2
"""Stands among the tokens of a pair for the [SEP] between its texts. No token has this id, so a
[SEP] that a text spells out is never taken for the boundary."""
SHAPE_BITS = 24
"""The bit of a token id from which on it holds the shape of the token's word."""
SHAPE_TYPES = 2 + len(SHAPES) - 1
"""Types of tokens: the two of BERT, the first for words of no shape, and one for each shape."""
SHORTEST_PAIR = 5  # [CLS], a token, [SEP], a token, [SEP]
_PROBE = "The cat, THE CAT; caf\u00e9 \u4f60\u597d \ufb01 a A e E \u00e9 \u00c9"


class HubVectorizer(TextVectorizer):
    """Splits texts into word pieces with the module that the encoder was trained with.

    It calls the module's ``tokenize`` and ``bert_pack_inputs``, so that a batch can be
    padded to its longest text; the module as a whole always pads to 128. A
    `FastTokenizer` handles texts of common characters if it gives the module's ids.

    A pair of texts becomes [CLS] first [SEP] second [SEP], with 1 as the type of the second text
    and of the last [SEP]. If it is too long, the longer text is cut first, then both equally. This
    is what ``bert_pack_inputs`` makes of two texts.

    For entities, a token's type is the shape of its word, from `word_shapes`, if `reads_shapes`.
    A BERT in lower case would not see capitals otherwise.

    Args:
        handle: The preprocessing module: a tfhub.dev address or a folder.
        max_length: The longest sequence, [CLS] and [SEP] included, in word pieces.
        reads_shapes: Whether the encoder has a type for each shape of a word.

    Features:
        input_word_ids, input_mask, input_type_ids: int32 of shape [batch, seq].

    Source: https://www.tensorflow.org/hub/common_saved_model_apis/text.
    """

    special_tokens = 2  # [CLS] and the last [SEP]
    separates_pairs = True

    def __init__(self, handle: str, max_length: int, *, reads_shapes: bool = False, **kwargs: Any):
        super().__init__(max_length, **kwargs)
        self.handle, self.reads_shapes = handle, reads_shapes
        self._preprocess = load_hub_layer(load_preprocessing(handle), name="preprocess")
        self._tokenize = load_hub_layer(self._preprocess.resolved_object.tokenize)
        self._pack = self._preprocess.resolved_object.bert_pack_inputs
        self._vocab_file = Path(hub.resolve(handle), "assets", "vocab.txt")
        self._fast = find_fast_tokenizer(self._vocab_file, self.tokenize_clean)

    get_config = cannot_rebuild

    def save_files(self, folder: Path) -> None:
        (folder / VOCABULARY_FILE).write_text(json.dumps(self.fingerprint()))

    def load_files(self, folder: Path) -> None:
        """Checks that the module splits texts as it did when `save_files` was called.

        Raises:
            RunError: It splits them differently.
        """
        if json.loads((folder / VOCABULARY_FILE).read_text()) != self.fingerprint():
            raise RunError(
                f"{self.handle} has another vocabulary, or other capitals and accents, than the "
                "one that the model was trained with; bring the old one back, or train again"
            )

    def fingerprint(self) -> dict[str, Any]:
        """Returns the vocabulary's hash, and the ids of a text with a bit of everything."""
        hashes = sha256_of_files(Path(hub.resolve(self.handle), "assets"))
        pieces = self._tokenize(tf.constant([_PROBE])).merge_dims(1, -1)
        return {"assets": hashes, "probe": pieces.to_list()[0]}

    def tokenize_clean(self, texts: tf.Tensor) -> tf.RaggedTensor:
        # [batch, (words), (pieces)] before, or from SentencePiece [batch, (pieces)]
        return self._tokenize(texts).merge_dims(1, -1)

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        if self._fast is None:
            return super().split(texts)
        return self._fast.tokenize(texts, super().split)

    def keep_offsets(self) -> None:
        """Makes `tokenize` find its word pieces by operations that have offsets; see `find_tokens`.

        Raises:
            OptionError: The module has no word pieces, or keeps accents of texts in lower case.
        """
        if self._fast is None or not self._fast.extended:
            raise OptionError(
                f"entities need word pieces whose places in a text are known; {self.handle} has "
                "other pieces, or other rules for capitals and accents; choose another BERT"
            )
        super().keep_offsets()

    def find_tokens(self, texts: tf.Tensor) -> TokensInText:
        assert self._fast is not None  # as `keep_offsets` checks
        found = self._fast.find_tokens(texts)
        if not self.reads_shapes:
            return found
        shapes = tf.bitwise.left_shift(word_shapes(texts, found), SHAPE_BITS)
        return found._replace(ids=tf.bitwise.bitwise_or(found.ids, shapes))

    def read_pairs(self) -> None:
        fits = self.max_length >= SHORTEST_PAIR
        check_option("max_length", self.max_length, fits, f"{SHORTEST_PAIR} or more for pairs")
        empty = tf.RaggedTensor.from_row_lengths(tf.zeros(0, tf.int32), [0])
        packed = self._pack([empty], seq_length=tf.constant(2))  # [CLS] and [SEP]
        self._separator = int(packed["input_word_ids"][0, 1])
        super().read_pairs()

    def split_pairs(self, texts: tf.Tensor, *, whole: bool = False) -> tf.RaggedTensor:
        """Returns the tokens of both texts with `BOUNDARY` between them, int32 [batch, (tokens)].

        A string that is no pair is read as one text, without a boundary.
        """
        own = tf.constant(tf.int32.max, tf.int64) if whole else self.room  # of both, with boundary
        sides = tf.strings.split(texts, PAIR_SEPARATOR, maxsplit=1)
        is_pair = sides.row_lengths() > 1
        tokens = self.split(tf.reshape(sides.to_tensor(shape=[None, 2]), [-1]))
        starts = tf.reshape(tokens.row_starts(), [-1, 2])
        first, second = tf.unstack(tf.reshape(tokens.row_lengths(), [-1, 2]), axis=1)
        # As tensorflow_text's RoundRobinTrimmer, by which `bert_pack_inputs` truncates.
        room = own - 1
        most = tf.where(is_pair, tf.maximum(room - second, (room + 1) // 2), own)
        first = tf.minimum(first, most)
        second = tf.minimum(second, tf.maximum(room - first, 0))
        # The parts of each text: places in the tokens of all sides, and behind them in a boundary.
        values = tf.concat([tokens.flat_values, [BOUNDARY]], axis=0)
        boundary = tf.fill(tf.shape(first), tf.size(values, tf.int64) - 1)
        starts = tf.stack([starts[:, 0], boundary, starts[:, 1]], axis=1)
        lengths = tf.stack([first, tf.cast(is_pair, tf.int64), second], axis=1)
        places = tf.ragged.range(tf.reshape(starts, [-1]), tf.reshape(starts + lengths, [-1]))
        return tf.RaggedTensor.from_row_lengths(
            tf.gather(values, places.flat_values), tf.reduce_sum(lengths, axis=1), validate=False
        )

    def vocabulary(self) -> list[str]:
        return self._vocab_file.read_text(encoding="utf-8").removesuffix("\n").split("\n")

    def pack(self, tokens: tf.RaggedTensor, seq_length: tf.Tensor) -> Features:
        seq_length = tf.cast(seq_length, tf.int32)
        if self.reads_shapes and self.with_offsets:
            return self._pack_with_shapes(tokens, seq_length)
        if not self.pairs:
            return self._pack([tokens], seq_length=seq_length)
        is_boundary = tokens.flat_values == BOUNDARY
        ids = tf.where(is_boundary, self._separator, tokens.flat_values)
        features = self._pack([tokens.with_flat_values(ids)], seq_length=seq_length)
        # `bert_pack_inputs` took both texts for one. The second begins after the boundary.
        boundary = tokens.with_flat_values(tf.cast(is_boundary, tf.int32))
        behind = tf.cumsum(self.at_own_tokens(boundary, features), axis=1, exclusive=True)
        return {**features, "input_type_ids": behind * features["input_mask"]}

    def vocabulary_ids(self, ids: Any) -> Any:
        return ids % 2**SHAPE_BITS if self.reads_shapes and self.with_offsets else ids

    def _pack_with_shapes(self, tokens: tf.RaggedTensor, seq_length: tf.Tensor) -> Features:
        shapes = tf.bitwise.right_shift(tokens.flat_values, SHAPE_BITS)
        ids = self.vocabulary_ids(tokens.flat_values)
        features = self._pack([tokens.with_flat_values(ids)], seq_length=seq_length)
        types = tokens.with_flat_values(tf.where(shapes > 0, shapes + 1, 0))
        return {**features, "input_type_ids": self.at_own_tokens(types, features)}

    def inputs(self) -> dict[str, Any]:
        names = ("input_word_ids", "input_mask", "input_type_ids")
        return {name: keras.Input((None,), dtype=tf.int32, name=name) for name in names}
