"""TfidfVectorizer equals scikit-learn's, on real and on unusual texts."""

import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf
from sklearn.feature_extraction.text import TfidfVectorizer as SklearnTfidfVectorizer

from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text import TfidfVectorizer
from tests.text.corpus import ODD_TEXTS, news_texts

TRAINING_TEXTS = news_texts()[:400] + ODD_TEXTS * 2
OTHER_TEXTS = [
    *news_texts()[400:],
    *ODD_TEXTS,
    "İstanbul'da Fußgänger naïve 日本語の文章, Привет МИР; ΟΔΥΣΣΕΥΣ!",
    "none of these: qwertz asdfgh",
]


def as_matrix(vectorizer, texts):
    features = vectorizer(tf.constant(texts))
    ids, weights = features["ngram_ids"].numpy(), features["ngram_weights"].numpy()
    assert ids.dtype == np.int32 and weights.dtype == np.float32
    rows = np.repeat(np.arange(len(texts)), ids.shape[1])
    shape = (len(texts), vectorizer.vocab_size)
    return scipy.sparse.csr_matrix((weights.ravel(), (rows, ids.ravel())), shape)


@pytest.fixture(scope="module")
def vectorizer():
    vectorizer = TfidfVectorizer()
    vectorizer.adapt(TRAINING_TEXTS)
    return vectorizer


@pytest.fixture(scope="module")
def reference():
    return SklearnTfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2).fit(
        TRAINING_TEXTS
    )


@pytest.mark.parametrize("texts", [TRAINING_TEXTS, OTHER_TEXTS], ids=["training", "other"])
def test_equals_scikit_learn(vectorizer, reference, texts):
    # Columns match because both number the n-grams in the order of their code points.
    assert vectorizer.vocab_size == len(reference.vocabulary_)
    expected = reference.transform(texts)
    assert abs(as_matrix(vectorizer, texts) - expected).max() < 1e-5


def test_most_odd_texts_have_ngrams_to_compare(reference):
    ngrams = np.diff(reference.transform(ODD_TEXTS).indptr)
    assert (ngrams > 0).sum() == len(ODD_TEXTS) - 4  # four of them have no words


def test_a_nul_byte_does_not_hide_what_follows(vectorizer, reference):
    texts = ["oil prices\x00rose in the third quarter", "\x00oil"]
    assert abs(as_matrix(vectorizer, texts) - reference.transform(texts)).max() < 1e-5


@pytest.mark.parametrize(("ngram_range", "min_df"), [((1, 1), 1), ((1, 3), 3), ((2, 2), 2)])
def test_other_settings_equal_scikit_learn(ngram_range, min_df):
    texts = TRAINING_TEXTS[300:]
    ours = TfidfVectorizer(ngram_range=ngram_range, min_df=min_df)
    ours.adapt(texts)
    theirs = SklearnTfidfVectorizer(sublinear_tf=True, ngram_range=ngram_range, min_df=min_df)
    expected = theirs.fit_transform(texts)
    assert abs(as_matrix(ours, texts) - expected).max() < 1e-5


def test_ids_are_distinct_and_padding_is_zero(vectorizer):
    features = vectorizer(tf.constant(["the the the of of a the", "", TRAINING_TEXTS[0]]))
    ids, weights = features["ngram_ids"].numpy(), features["ngram_weights"].numpy()
    for row_ids, row_weights in zip(ids, weights, strict=True):
        real = row_ids[row_weights > 0]
        assert len(set(real)) == len(real)
        assert not row_ids[row_weights == 0].any()
    np.testing.assert_allclose(np.linalg.norm(weights, axis=1), [1, 0, 1], atol=1e-6)


def test_assets_round_trip(vectorizer, tmp_path):
    vectorizer.save_files(tmp_path)
    copy = TfidfVectorizer()
    copy.load_files(tmp_path)
    texts = [*OTHER_TEXTS, *ODD_TEXTS]
    for name, expected in vectorizer(tf.constant(texts)).items():
        np.testing.assert_array_equal(copy(tf.constant(texts))[name], expected)


def test_invalid_utf8_and_long_texts(vectorizer):
    long = " ".join(TRAINING_TEXTS[:300])[:100_000]
    expected = as_matrix(vectorizer, ["the \ufffd oil", long])
    assert (
        abs(as_matrix(vectorizer, [b"the \xff oil", long.encode() + b"\xff"]) - expected).max()
        < 1e-6
    )


def test_no_texts_and_no_known_ngrams(vectorizer):
    for texts in ([], ["", "qwertz asdfgh"]):
        features = vectorizer(tf.constant(texts, tf.string))
        assert features["ngram_ids"].shape == (len(texts), 0)
        assert features["ngram_weights"].shape == (len(texts), 0)


def test_max_length_truncates_the_ngrams(vectorizer, tmp_path):
    vectorizer.save_files(tmp_path)
    short = TfidfVectorizer(max_length=5)
    short.load_files(tmp_path)
    assert short(tf.constant([TRAINING_TEXTS[0]]))["ngram_ids"].shape[1] <= 5


@pytest.mark.parametrize(
    "texts", [[], [""], ["cat sat", "dog ran"]], ids=["none", "empty", "all rare"]
)
def test_nothing_to_learn(texts):
    with pytest.raises(DataError, match="no n-gram occurs in 2 training texts; more or longer"):
        TfidfVectorizer().adapt(texts)


@pytest.mark.parametrize("text", ["😀😀", "?!...", "a b", "👍🏽 :-)"])
def test_texts_without_a_word_are_refused_by_that_name(text):
    with pytest.raises(
        DataError, match="no training text has a word; .* only words of two or more"
    ):
        TfidfVectorizer().adapt([text, text])


def test_texts_without_spaces_are_refused_by_that_name():
    with pytest.raises(DataError, match="Han is written without: a text has 1.0 words of 6.0"):
        TfidfVectorizer().adapt(["足球比赛结果", "今天股市大涨"])


def test_without_a_vocabulary():
    with pytest.raises(DataError, match="no vocabulary yet; call adapt with training texts"):
        TfidfVectorizer()(tf.constant(["the cat"]))
