"""`WordVectorizer`: turns texts into ids of the most frequent words."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data.inputs import as_texts
from kerasnlp_lab.errors import DataError, KerasnlpLabError
from kerasnlp_lab.machine import give_back_memory
from kerasnlp_lab.text.features import Features
from kerasnlp_lab.text.raw_texts import in_batches
from kerasnlp_lab.text.vectorizer import TextVectorizer

__all__ = ["WordVectorizer"]

VOCABULARY_FILE = "vocabulary.txt"
ADAPT_BATCH = 1024
SPECIAL_IDS = 2  # padding and unknown


def _no_files(folder: str) -> None:
    """Takes the place of a layer's save_assets and load_assets."""


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class WordVectorizer(TextVectorizer):
    """Lower-cased words without punctuation, found by Keras' TextVectorization.

    Id 0 is padding; id 1 stands for every word that is not in the vocabulary.

    Args:
        max_length: The length of the longest sequence, in words.
        vocab_size: The largest number of ids, the two special ones included.
        fixed_length: Whether to pad every batch to max_length, as the Keras tutorial
            does, instead of to its own longest text.

    Features:
        token_ids: int32 of shape [batch, seq].

    Example:
        >>> vectorizer = WordVectorizer(max_length=256, vocab_size=20000)
        >>> vectorizer.adapt(["The cat sat.", "The dog sat."])
        >>> vectorizer(tf.constant(["The dog, the bird"]))["token_ids"].numpy()
        array([[2, 4, 2, 1, 0, 0, 0, 0]], dtype=int32)
    """

    splits_at_spaces = True

    def __init__(self, max_length: int, vocab_size: int, fixed_length: bool = False, **kwargs: Any):
        super().__init__(max_length, **kwargs)
        self.vocab_size, self.fixed_length = vocab_size, fixed_length
        self._adapted = False
        self._words = keras.layers.TextVectorization(
            max_tokens=vocab_size, ragged=True, name="words"
        )
        # The configuration has the vocabulary, so Keras needs no file for it in a .keras archive.
        # Python 3.13.0 and 3.13.1 could not read such a file beside the weights (gh-127847).
        for layer in (self._words, self._words._lookup_layer):
            layer.save_assets = layer.load_assets = _no_files

    def adapt(self, texts: Collection[str | bytes]) -> None:
        # TensorFlow would turn an error of ours into one of its own, so it is kept here.
        errors: list[KerasnlpLabError] = []

        def batches() -> Iterator[list[str | bytes]]:
            try:
                yield from in_batches(texts, ADAPT_BATCH)
            except KerasnlpLabError as error:
                errors.append(error)

        texts = as_texts(texts)
        if len(texts):
            self._words.adapt(
                tf.data.Dataset.from_generator(
                    batches, output_signature=tf.TensorSpec([None], tf.string)
                ).map(self.joined_by_space)
            )
        give_back_memory()  # that held the counts of words that are not in the vocabulary
        if errors:
            raise errors[0]
        if self._words.vocabulary_size() <= SPECIAL_IDS:
            raise DataError(
                "no word occurs in the training texts; there is nothing to learn: this model drops "
                "punctuation, which a BERT reads"
            )
        self._adapted = True
        self._make_graph()

    def get_config(self) -> dict[str, Any]:
        own = {"vocab_size": self.vocab_size, "fixed_length": self.fixed_length}
        return {**super().get_config(), **own}

    def save_files(self, folder: Path) -> None:
        words = self._words.get_vocabulary(include_special_tokens=False)
        (folder / VOCABULARY_FILE).write_text("\n".join(words), encoding="utf-8", newline="\n")

    def load_files(self, folder: Path) -> None:
        with open(folder / VOCABULARY_FILE, encoding="utf-8", newline="\n") as file:
            self._words.set_vocabulary(file.read().split("\n"))
        self._adapted = True
        self._make_graph()

    def tokenize_clean(self, texts: tf.Tensor) -> tf.RaggedTensor:
        if not self._adapted:
            raise DataError("the vectorizer has no vocabulary yet; call adapt with training texts")
        return tf.cast(self._words(texts), tf.int32)

    def vocabulary(self) -> list[str]:
        return list(map(str, self._words.get_vocabulary()))

    def pack(self, tokens: tf.RaggedTensor, seq_length: tf.Tensor) -> Features:
        if self.fixed_length:
            return {"token_ids": tokens.to_tensor(0, shape=[None, self.max_length])}
        return super().pack(tokens, seq_length)

    def inputs(self) -> dict[str, Any]:
        width = self.max_length if self.fixed_length else None
        return {"token_ids": keras.Input((width,), dtype=tf.int32, name="token_ids")}
