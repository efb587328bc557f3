"""`CharacterVectorizer`: turns texts into ids of their characters, and drops none of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import regex
import tensorflow as tf
import tensorflow_text

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text.raw_texts import in_batches, replace_invalid_utf8
from kerasnlp_lab.text.vectorizer import TextVectorizer

__all__ = ["CharacterVectorizer"]

VOCABULARY_FILE = "characters.json"
SPECIAL_TOKENS = ("[PAD]", "[UNK]")
ADAPT_BATCH = 1024  # texts
CODE_POINTS = 0x110000


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class CharacterVectorizer(TextVectorizer):
    """The characters (code points) of texts, with capitals, spaces and line ends.

    Texts are brought into Unicode's form NFC, in which an accented letter is one character where
    Unicode has one. Nothing else changes, so a model can copy a text exactly. Id 0 is padding, and
    id 1, [UNK], a character that is not in the vocabulary.

    Args:
        max_length: The length of the longest sequence, in characters.
        vocab_size: The largest number of ids, the two special ones included. The most frequent
            characters have ids.

    Features:
        token_ids: int32 of shape [batch, seq].

    Example:
        >>> vectorizer = CharacterVectorizer(max_length=256, vocab_size=5000)
        >>> vectorizer.adapt(["May 3", "3 mai"])
        >>> [vectorizer.vocabulary()[i] for i in vectorizer.tokenize(["3 Mai!"]).to_list()[0]]
        ['3', ' ', 'M', 'a', 'i', '[UNK]']
    """

    word_pattern = regex.compile(r"\S")

    def __init__(self, max_length: int, vocab_size: int, **kwargs: Any):
        super().__init__(max_length, **kwargs)
        self.vocab_size = vocab_size
        self._characters: list[str] = []

    def adapt(self, texts: Collection[str | bytes]) -> None:
        counts: Counter[int] = Counter()
        for batch in in_batches(texts, ADAPT_BATCH):
            clean = self.joined_by_space(replace_invalid_utf8(tf.constant(batch, tf.string)))
            found, times = np.unique(self._code_points(clean).flat_values, return_counts=True)
            counts.update(dict(zip(found.tolist(), times.tolist(), strict=True)))
        if not counts:
            raise DataError("the training texts hold no characters; there is nothing to learn")
        ranked = sorted(counts, key=lambda one: (-counts[one], one))
        self._set([chr(one) for one in ranked[: self.vocab_size - len(SPECIAL_TOKENS)]])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocab_size": self.vocab_size}

    def save_files(self, folder: Path) -> None:
        content = json.dumps(self._characters)  # in JSON, as one of them may be a line end
        (folder / VOCABULARY_FILE).write_text(content, encoding="utf-8")

    def load_files(self, folder: Path) -> None:
        self._set(json.loads((folder / VOCABULARY_FILE).read_text(encoding="utf-8")))

    def _set(self, characters: list[str]) -> None:
        self._characters = characters
        ids = np.ones(CODE_POINTS, np.int32)  # [UNK]
        for place, character in enumerate(characters):
            ids[ord(character)] = len(SPECIAL_TOKENS) + place
        self._id_of = tf.constant(ids[: max(map(ord, characters)) + 2])
        self._make_graph()

    def vocabulary(self) -> list[str]:
        return [*SPECIAL_TOKENS, *self._characters]

    def tokenize_clean(self, texts: tf.Tensor) -> tf.RaggedTensor:
        if not self._characters:
            raise DataError("the vectorizer has no vocabulary yet; call adapt with training texts")
        last = tf.size(self._id_of) - 1  # of [UNK], as are all characters after it
        points = self._code_points(texts)
        return points.with_flat_values(tf.gather(self._id_of, tf.minimum(points.flat_values, last)))

    def _code_points(self, texts: tf.Tensor) -> tf.RaggedTensor:
        composed = tensorflow_text.normalize_utf8(texts, "NFC")
        return tf.strings.unicode_decode(composed, "UTF-8")

    def continue_words(self, ids: tf.Tensor) -> tf.Tensor:
        return tf.zeros_like(ids, tf.bool)
