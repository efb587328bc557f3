"""`TfidfVectorizer`: turns texts into TF-IDF weighted n-grams of words or characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data.inputs import iter_texts
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text.features import Features
from kerasnlp_lab.text.raw_texts import in_batches
from kerasnlp_lab.text.unspaced import note_on_unspaced
from kerasnlp_lab.text.vectorizer import TextVectorizer

__all__ = ["NGRAMS_OF", "TfidfVectorizer"]

VOCABULARY_FILE = "ngrams.txt"
IDF_FILE = "idf.npy"
MOST_COUNTED = 3_000_000  # n-grams, which take about 400 MB


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class TfidfVectorizer(TextVectorizer):
    """scikit-learn's TF-IDF of n-grams of words or of characters, as TensorFlow ops.

    The graph finds and weights the n-grams, so that a model can be exported with it. The
    weights of a text are ``(1 + log count) * idf``, scaled to a Euclidean norm of 1.

    The words are those of two or more letters and digits. The characters are all of the text,
    in lower case, with one space for each run of white space and at both ends: n-grams that
    begin or end with a space tell where a word begins or ends, and others reach across words.

    Args:
        max_length: The largest number of n-grams to read from a text.
        ngram_range: The shortest and the longest n-gram, in words or characters.
        min_df: The number of training texts in which an n-gram must occur.
        tokens: "words" or "characters".
        max_ngrams: The largest vocabulary, for which `min_df` is raised; 0 for no limit.

    Features:
        ngram_ids: int32 of shape [batch, ngrams], distinct within a row, padded with 0.
        ngram_weights: float32 of the same shape, padded with 0.

    Source: sklearn.feature_extraction.text.TfidfVectorizer with sublinear_tf, and for characters
    ``analyzer="char"``.
    """

    def __init__(
        self,
        max_length: int = 100_000,
        ngram_range: tuple[int, int] = (1, 2),
        min_df: int = 2,
        tokens: str = "words",
        max_ngrams: int = 0,
        **kwargs: Any,
    ):
        super().__init__(max_length, **kwargs)
        self.tokens, self.max_ngrams = tokens, max_ngrams
        self.splits_at_spaces = tokens == "words"
        self.ngram_widths = tuple(range(ngram_range[0], ngram_range[1] + 1))
        self.min_df = min_df
        self.idf = np.zeros(0, np.float32)
        self._lookup: keras.layers.StringLookup | None = None

    @property
    def vocab_size(self) -> int:
        """The number of n-grams."""
        return len(self.idf)

    def adapt(self, texts: Collection[str | bytes]) -> None:
        counts, rows = document_counts(self.ngrams(texts))
        frequent = {one: n for one, n in counts.items() if n >= min(self.min_df, rows)}
        if not frequent:
            raise DataError(self._nothing_to_learn(texts, bool(counts)))
        if 0 < self.max_ngrams < len(frequent):
            # The least frequency that few enough n-grams exceed: a cut within the n-grams of one
            # frequency would have to prefer some of them for no reason.
            limit = sorted(frequent.values(), reverse=True)[self.max_ngrams]
            above = {one: n for one, n in frequent.items() if n > limit}
            frequent = above or {one: frequent[one] for one in sorted(frequent)[: self.max_ngrams]}
        names = sorted(frequent)
        found_in = np.array([frequent[name] for name in names], np.float64)
        self._set(names, np.log((1.0 + rows) / (1.0 + found_in)) + 1.0)

    def _nothing_to_learn(self, texts: Collection[str | bytes], has_ngrams: bool) -> str:
        wordless = next((text for text in texts if text.strip()), None)
        if self.tokens == "words" and wordless is not None and not has_ngrams:
            return (
                f"no training text has a word; {wordless[:40]!r} has none; with tokens=words this "
                "model reads only words of two or more letters or digits; tokens=characters also "
                "reads emoji and punctuation"
            )
        advice = note_on_unspaced(texts) if self.tokens == "words" else ""
        advice = advice or "more or longer texts are needed"
        return f"no n-gram occurs in {self.min_df} training texts; {advice}"

    def get_config(self) -> dict[str, Any]:
        widths = self.ngram_widths
        own = {"ngram_range": (widths[0], widths[-1]), "min_df": self.min_df}
        own |= {"tokens": self.tokens, "max_ngrams": self.max_ngrams}
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
        ngrams = NGRAMS_OF[self.tokens](texts, self.ngram_widths)
        ids = tf.cast(self._lookup(ngrams), tf.int32) - 1  # unknown: -1
        return tf.ragged.boolean_mask(ids, ids >= 0)

    def ngrams(self, texts: Iterable[str | bytes]) -> Iterator[list[bytes]]:
        """Yields the n-grams of each text, known or not, before `max_length` applies."""
        for batch in in_batches(iter_texts(texts), 1024):
            found = NGRAMS_OF[self.tokens](tf.constant(batch), self.ngram_widths)
            flat, ends = found.flat_values.numpy(), found.row_splits.numpy()
            yield from (flat[a:b].tolist() for a, b in zip(ends, ends[1:], strict=False))

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


def document_counts(documents: Iterable[Iterable[bytes]]) -> tuple[Counter[bytes], int]:
    """Returns in how many documents each n-gram occurs, and the number of documents.

    The memory is bounded. Where there are more than `MOST_COUNTED` n-grams, it drops the rarest
    so far and goes on, and counts of rare n-grams may be too small (Manku and Motwani 2002,
    "Approximate Frequency Counts over Data Streams").
    """
    counts: Counter[bytes] = Counter()
    rows = 0
    for ngrams in documents:
        counts.update(set(ngrams))
        rows += 1
        rarest = 1
        while len(counts) > MOST_COUNTED:
            counts = Counter({one: n for one, n in counts.items() if n > rarest})
            rarest += 1
    return counts, rows


def _lower(texts: tf.Tensor) -> tf.Tensor:
    # tf.strings.lower drops what follows a NUL.
    without_nul = tf.strings.regex_replace(texts, r"\x00", " ")
    # ASCII first: with encoding="utf-8", TensorFlow follows the locale, and a Turkish locale
    # turns I into a dotless i.
    return tf.strings.lower(tf.strings.lower(without_nul), encoding="utf-8")


def _word_ngrams(texts: tf.Tensor, widths: Sequence[int]) -> tf.RaggedTensor:
    """Returns the words of two or more characters, and their n-grams, [batch, (ngrams)]."""
    words = tf.strings.split(tf.strings.regex_replace(_lower(texts), r"[^\p{L}\p{N}_]+", " "))
    words = tf.ragged.boolean_mask(words, tf.strings.length(words, unit="UTF8_CHAR") > 1)
    return tf.concat([tf.strings.ngrams(words, width, separator=" ") for width in widths], axis=1)


def _character_ngrams(texts: tf.Tensor, widths: Sequence[int]) -> tf.RaggedTensor:
    """Returns all characters, with a space at both ends, and their n-grams, [batch, (ngrams)]."""
    spaced = tf.strings.regex_replace(_lower(texts), r"[\p{Z}\p{Cc}]+", " ")
    padded = tf.strings.join([" ", tf.strings.strip(spaced), " "])
    padded = tf.strings.regex_replace(padded, "^  $", "")  # a text without characters has none
    characters = tf.strings.unicode_split(padded, "UTF-8")
    return tf.concat(
        [tf.strings.ngrams(characters, width, separator="") for width in widths], axis=1
    )


NGRAMS_OF = {"words": _word_ngrams, "characters": _character_ngrams}
