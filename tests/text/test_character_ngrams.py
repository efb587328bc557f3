"""TfidfVectorizer on characters equals scikit-learn's, and its vocabulary is bounded."""

from collections import Counter

import numpy as np
import pytest
import regex
import tensorflow as tf
from sklearn.feature_extraction.text import TfidfVectorizer as SklearnTfidfVectorizer

from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text import TfidfVectorizer, tfidf_vectorizer
from kerasnlp_lab.text.tfidf_vectorizer import document_counts
from tests.text.corpus import ODD_TEXTS, news_texts
from tests.text.languages import CHINESE, JAPANESE, THAI, mixed_scripts, unspaced
from tests.text.test_tfidf_vectorizer import as_matrix

TEXTS = [
    *news_texts()[:15],
    *ODD_TEXTS,
    *(text for language in (CHINESE, JAPANESE, THAI) for text in unspaced(language, 20)[0]),
]


def with_edges(text):
    """Returns a text with one space for white space and at both ends, for scikit-learn."""
    words = regex.sub(r"[\p{Z}\p{Cc}]+", " ", text).strip(" ").lower()
    return f" {words} " if words else ""


@pytest.mark.parametrize(("ngram_range", "min_df"), [((1, 3), 1), ((1, 4), 2), ((2, 2), 3)])
def test_equals_scikit_learn(ngram_range, min_df):
    ours = TfidfVectorizer(ngram_range=ngram_range, min_df=min_df, tokens="characters")
    ours.adapt(TEXTS)
    theirs = SklearnTfidfVectorizer(
        analyzer="char",
        preprocessor=with_edges,
        sublinear_tf=True,
        ngram_range=ngram_range,
        min_df=min_df,
    ).fit(TEXTS)
    assert ours.vocab_size == len(theirs.vocabulary_)
    np.testing.assert_array_equal(ours.idf, theirs.idf_.astype(np.float32))
    for texts in (TEXTS, mixed_scripts(200)):
        assert abs(as_matrix(ours, texts) - theirs.transform(texts)).max() < 1e-5


@pytest.mark.parametrize("text", ["ที่นี่", "नमस्ते", "مُحَمَّد", "e\u0301", "👩‍👩‍👧", "❤️", "각"])
def test_combining_marks_and_joiners_stay(text):
    [ngrams] = TfidfVectorizer(ngram_range=(1, 2), tokens="characters").ngrams([text])
    found = Counter(ngram.decode() for ngram in ngrams)
    assert found == Counter([*f" {text} ", *map("".join, zip(f" {text}", f"{text} ", strict=True))])


def test_a_round_trip_gives_the_same_features(tmp_path):
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), tokens="characters", min_df=1)
    vectorizer.adapt(TEXTS)
    vectorizer.save_files(tmp_path)
    saved = TfidfVectorizer(ngram_range=(1, 2), tokens="characters")
    saved.load_files(tmp_path)
    copy = TfidfVectorizer.from_config(vectorizer.get_config())
    assert copy.tokens == "characters" and not copy.splits_at_spaces
    texts = tf.constant(mixed_scripts(100))
    for name, expected in vectorizer(texts).items():
        np.testing.assert_array_equal(saved(texts)[name], expected)
        np.testing.assert_array_equal(copy(texts)[name], expected)


@pytest.mark.parametrize("tokens", ["words", "characters"])
def test_a_limit_raises_the_least_frequency(tokens):
    free = TfidfVectorizer(tokens=tokens, min_df=1)
    free.adapt(TEXTS)
    limit = free.vocab_size // 10
    limited = TfidfVectorizer(tokens=tokens, min_df=1, max_ngrams=limit)
    limited.adapt(TEXTS)
    assert 0 < limited.vocab_size <= limit
    rarest = limited.idf.max()
    assert limited.vocab_size == np.sum(free.idf <= rarest)  # all of a frequency, or none
    assert np.sum(free.idf <= np.unique(free.idf[free.idf > rarest])[0]) > limit


def test_a_limit_below_the_most_frequent_ones_keeps_some():
    vectorizer = TfidfVectorizer(tokens="characters", min_df=1, ngram_range=(1, 1), max_ngrams=2)
    vectorizer.adapt(["ab", "ab"])
    assert vectorizer.vocab_size == 2


def test_counting_takes_bounded_memory(monkeypatch):
    monkeypatch.setattr(tfidf_vectorizer, "MOST_COUNTED", 50)
    documents = [[b"often", b"often", b"%d" % row, b"%d" % (row // 100)] for row in range(1000)]
    counts, rows = document_counts(documents)
    assert rows == 1000 and len(counts) <= 50
    assert counts[b"often"] == 1000


@pytest.mark.parametrize("text", ["😀😀", "?!...", "a b", "👍🏽 :-)"])
def test_texts_without_a_word_are_read(text):
    vectorizer = TfidfVectorizer(tokens="characters")
    vectorizer.adapt([text, text])
    assert vectorizer.vocab_size > 2
    with pytest.raises(DataError, match="tokens=characters also reads emoji and punctuation"):
        TfidfVectorizer().adapt([text, text])


@pytest.mark.parametrize("texts", [[], ["", "  \n"]], ids=["none", "empty"])
def test_no_character_to_learn(texts):
    with pytest.raises(DataError, match="no n-gram occurs in 1 training texts; more or longer"):
        TfidfVectorizer(tokens="characters", min_df=1).adapt(texts)
