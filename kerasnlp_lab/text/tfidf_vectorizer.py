"""`TfidfVectorizer`: turns texts into TF-IDF weighted word n-grams."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.feature_extraction import text as sklearn_text

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data.inputs import iter_texts
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text.unspaced import note_on_unspaced
from kerasnlp_lab.text.vectorizer import Features, TextVectorizer, in_batches

__all__ = ["TfidfVectorizer"]

VOCABULARY_FILE = "ngrams.txt"
IDF_FILE = "idf.npy"


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class TfidfVectorizer(TextVectorizer):
    """scikit-learn's TF-IDF of words and word pairs, as TensorFlow ops.

    scikit-learn computes the vocabulary and the inverse document frequencies. The
    graph finds and weights the words, so that a model can be exported with it. The
    weights of a text are ``(1 + log count) * idf``, scaled to a Euclidean norm of 1.

    Args:
        max_length: The largest number of n-grams to read from a text.
        ngram_range: The shortest and the longest n-gram, in words.
        min_df: The number of training texts in which an n-gram must occur.

    Features:
        ngram_ids: int32 of shape [batch, ngrams], distinct within a row, padded with 0.
        ngram_weights: float32 of the same shape, padded with 0.

    Source: sklearn.feature_extraction.text.TfidfVectorizer with sublinear_tf.
    """

    splits_at_spaces = True

    def __init__(
        self,
        max_length: int = 100_000,
        ngram_range: tuple[int, int] = (1, 2),
        min_df: int = 2,
        **kwargs: Any,
    ):
        super().__init__(max_length, **kwargs)
        self.ngram_widths = tuple(range(ngram_range[0], ngram_range[1] + 1))
        self.min_df = min_df
        self.idf = np.zeros(0, np.float32)
        self._lookup: keras.layers.StringLookup | None = None

    @property
    def vocab_size(self) -> int:
        """The number of n-grams."""
        return len(self.idf)

    def adapt(self, texts: Collection[str | bytes]) -> None:
        documents: list[list[str]] = []
        for batch in in_batches(iter_texts(texts), 1024):
            documents += self._ngrams(tf.constant(batch)).to_list()
        counted = sklearn_text.TfidfVectorizer(
            analyzer=lambda document: document, min_df=min(self.min_df, len(documents))
        )
        try:
            counted.fit(documents)
        except ValueError as error:
            reason = f"no n-gram occurs in {self.min_df} training texts"
            advice = note_on_unspaced(texts) or "more or longer texts are needed"
            wordless = next((text for text in texts if text.strip()), None)
            if wordless is not None and not any(documents):
                reason = f"no training text has a word; {wordless[:40]!r} has none"
                advice = (
                    "this model reads only words of two or more letters or digits; transformer "
                    "also reads emoji, and a BERT punctuation too"
                )
            raise DataError(f"{reason}; {advice}") from error
        self._set(counted.get_feature_names_out().tolist(), counted.idf_)

    def get_config(self) -> dict[str, Any]:
        widths = self.ngram_widths
        own = {"ngram_range": (widths[0], widths[-1]), "min_df": self.min_df}
        return {**super().get_config(), **own}

    def save_files(self, folder: Path) -> None:
        assert self._lookup is not None
        ngrams = self._lookup.get_vocabulary(include_special_tokens=False)
        (folder / VOCABULARY_FILE).write_text("\n".join(ngrams), encoding="utf-8", newline="\n")
        np.save(folder / IDF_FILE, self.idf, allow_pickle=False)

    def load_files(self, folder: Path) -> None:
        with open(folder / VOCABULARY_FILE, encoding="utf-8", newline="\n") as file:
            ngrams = file.read().split("\n")
        self._set(ngrams, np.load(folder / IDF_FILE, allow_pickle=False))

    def _set(self, ngrams: Sequence[str | bytes], idf: np.ndarray) -> None:
        names = [ngram.decode() if isinstance(ngram, bytes) else ngram for ngram in ngrams]
        self._lookup = keras.layers.StringLookup(vocabulary=names, name="ngrams")
        self.idf = np.asarray(idf, np.float32)
        self._make_graph()

    def tokenize_clean(self, texts: tf.Tensor) -> tf.RaggedTensor:
        if self._lookup is None:
            raise DataError("the vectorizer has no vocabulary yet; call adapt with training texts")
        ids = tf.cast(self._lookup(self._ngrams(texts)), tf.int32) - 1  # unknown: -1
        return tf.ragged.boolean_mask(ids, ids >= 0)

    def _ngrams(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the words of two or more characters, and their n-grams, [batch, (ngrams)]."""
        # tf.strings.lower drops what follows a NUL.
        without_nul = tf.strings.regex_replace(texts, r"\x00", " ")
        # ASCII first: with encoding="utf-8", TensorFlow follows the locale, and a Turkish locale
        # turns I into a dotless i.
        lowered = tf.strings.lower(tf.strings.lower(without_nul), encoding="utf-8")
        words = tf.strings.split(tf.strings.regex_replace(lowered, r"[^\p{L}\p{N}_]+", " "))
        words = tf.ragged.boolean_mask(words, tf.strings.length(words, unit="UTF8_CHAR") > 1)
        return tf.concat(
            [tf.strings.ngrams(words, width, separator=" ") for width in self.ngram_widths], axis=1
        )

    def pack(self, tokens: tf.RaggedTensor, seq_length: tf.Tensor) -> Features:
        # Count each id within its row. One number encodes the pair of row and id.
        keys = tokens.value_rowids() * self.vocab_size + tf.cast(tokens.flat_values, tf.int64)
        distinct, _, counts = tf.unique_with_counts(tf.sort(keys))
        rows, ids = distinct // self.vocab_size, distinct % self.vocab_size
        weights = (1.0 + tf.math.log(tf.cast(counts, tf.float32))) * tf.gather(self.idf, ids)
        norms = tf.sqrt(tf.math.unsorted_segment_sum(weights**2, rows, tokens.nrows()))
        weights /= tf.gather(norms, rows)

        def to_rows(values: tf.Tensor) -> tf.Tensor:
            ragged = tf.RaggedTensor.from_value_rowids(values, rows, tokens.nrows(), validate=False)
            return ragged.to_tensor()  # [batch, ngrams]

        return {"ngram_ids": to_rows(tf.cast(ids, tf.int32)), "ngram_weights": to_rows(weights)}

    def inputs(self) -> dict[str, Any]:
        return {
            "ngram_ids": keras.Input((None,), dtype=tf.int32, name="ngram_ids"),
            "ngram_weights": keras.Input((None,), dtype=tf.float32, name="ngram_weights"),
        }
