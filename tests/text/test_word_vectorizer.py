"""WordVectorizer: ids, its vocabulary on disk, widths, and unusual texts."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text import WordVectorizer
from tests.text.corpus import ODD_TEXTS, news_texts


def adapted(texts, max_length=32, vocab_size=1000, **arguments):
    vectorizer = WordVectorizer(max_length, vocab_size, **arguments)
    vectorizer.adapt(texts)
    return vectorizer


def ids_of(vectorizer, texts):
    return vectorizer(tf.constant(texts))["token_ids"].numpy()


def reloaded(vectorizer, folder, **arguments):
    vectorizer.save_files(folder)
    copy = WordVectorizer(vectorizer.max_length, 1000, **arguments)
    copy.load_files(folder)
    return copy


@pytest.fixture(scope="module")
def vectorizer():
    return adapted(["The cat sat.", "the DOG sat, the"])


def test_ids(vectorizer):
    # By frequency: the 3, sat 2, and one each; case and punctuation do not count.
    ids = ids_of(vectorizer, ["The cat; THE (bird) sat!", "the", "sat dog"])
    the, sat = 2, 3
    cat, dog = ids[0, 1], ids[2, 1]
    assert {cat, dog} == {4, 5}
    expected = np.zeros((3, 8), np.int32)
    expected[0, :5] = [the, cat, the, 1, sat]
    expected[1, :1] = [the]
    expected[2, :2] = [sat, dog]
    np.testing.assert_array_equal(ids, expected)
    assert ids.dtype == np.int32


def test_vocabulary_is_the_most_frequent_words():
    texts = news_texts()
    vectorizer = adapted(texts, vocab_size=102, max_length=300)
    punctuation = str.maketrans("", "", "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'")
    words = [text.lower().translate(punctuation).split() for text in texts]
    counts = collections.Counter(word for text in words for word in text)

    ids = vectorizer.tokenize(tf.constant(texts)).to_list()

    assert [len(row) for row in ids] == [len(text) for text in words]
    word_of = {
        i: w
        for row, text in zip(ids, words, strict=True)
        for i, w in zip(row, text, strict=True)
        if i > 1
    }
    assert sorted(word_of) == list(range(2, 102))
    in_order = [counts[word_of[i]] for i in range(2, 102)]
    assert in_order == sorted(counts.values(), reverse=True)[:100]
    known = {word: i for i, word in word_of.items()}
    assert ids == [[known.get(word, 1) for word in text] for text in words]


def test_vocabulary_round_trip(tmp_path):
    odd_words = [
        "naïve", "e\u0301", "Straße", "日本語", "🙂", "👩‍👩‍👧", "مرحبا", "a\u00a0b", "c\u2028d",
        "e\u0085f", "g\x1ch", "\ufeffi", "j\u200bk", "l\x00m", "\u0130", "ſ",
    ]  # fmt: skip
    vectorizer = adapted([*odd_words, *ODD_TEXTS])
    copy = reloaded(vectorizer, tmp_path)
    texts = [*ODD_TEXTS, *odd_words, *(f"unknown {word}" for word in odd_words)]
    np.testing.assert_array_equal(ids_of(copy, texts), ids_of(vectorizer, texts))
    own_ids = ids_of(copy, odd_words)[:, 0]
    assert len(set(own_ids)) == len(odd_words)
    assert own_ids.min() >= 2


def test_it_adapts_again(tmp_path):
    """Its graph holds the old vocabulary, so it must be traced again."""
    vectorizer = adapted(["old words"])
    assert ids_of(vectorizer, ["old new"])[0, :2].tolist() == [3, 1]
    vectorizer.adapt(["new words", "new"])
    assert ids_of(vectorizer, ["old new"])[0, :2].tolist() == [1, 2]
    adapted(["old", "old", "new"]).save_files(tmp_path)
    vectorizer.load_files(tmp_path)
    assert ids_of(vectorizer, ["old new"])[0, :2].tolist() == [2, 3]


def test_fixed_length():
    texts = ["one", "", " ".join(["word"] * 40)]
    vectorizer = adapted(texts, max_length=20, fixed_length=True)
    ids = ids_of(vectorizer, texts)
    assert ids.shape == (3, 20)
    np.testing.assert_array_equal((ids != 0).sum(axis=1), [1, 0, 20])
    assert ids_of(vectorizer, ["one"]).shape == (1, 20)
    assert vectorizer.inputs()["token_ids"].shape == (None, 20)


@pytest.mark.parametrize(
    ("max_length", "words", "width"),
    [(32, 0, 8), (32, 1, 8), (32, 8, 8), (32, 9, 16), (32, 90, 32), (20, 18, 20), (4, 9, 4)],
)
def test_a_batch_is_as_wide_as_its_longest_text(max_length, words, width):
    vectorizer = adapted(["word"], max_length=max_length)
    ids = ids_of(vectorizer, ["word", " ".join(["word"] * words)])
    assert ids.shape == (2, width)
    np.testing.assert_array_equal((ids == 2).sum(axis=1), [1, min(words, max_length)])


def test_invalid_utf8(vectorizer):
    valid = ids_of(vectorizer, ["the \ufffd\ufffd cat", "the ca\ufffdt sat"])
    broken = ids_of(vectorizer, [b"the \xff\xfe cat", b"the ca\xc3t sat"])
    np.testing.assert_array_equal(broken, valid)
    assert broken[0, 1] == 1


def test_empty_texts_and_no_texts(vectorizer):
    np.testing.assert_array_equal(ids_of(vectorizer, ["", "  ", "?!"]), np.zeros((3, 8)))
    assert vectorizer(tf.constant([], tf.string))["token_ids"].shape == (0, 8)


def test_a_very_long_text(vectorizer):
    words = ids_of(vectorizer, ["the cat sat " * 9000, "the"])  # 108,000 characters
    np.testing.assert_array_equal(
        words[0], np.resize(ids_of(vectorizer, ["the cat sat"])[0, :3], 32)
    )
    one_word = ids_of(vectorizer, ["x" * 100_000])
    np.testing.assert_array_equal(one_word, [[1, 0, 0, 0, 0, 0, 0, 0]])


def test_runs_in_a_graph(vectorizer):
    graph = tf.function(vectorizer, input_signature=[tf.TensorSpec([None], tf.string)])
    for texts in (["the cat", "sat " * 12], [""], ["dog"] * 3):
        ids = graph(tf.constant(texts))["token_ids"]
        np.testing.assert_array_equal(ids, ids_of(vectorizer, texts))


@pytest.mark.parametrize("texts", [[], ["...", ""]], ids=["no texts", "no words"])
def test_nothing_to_learn(texts):
    with pytest.raises(DataError, match="no word.* in .*training texts"):
        adapted(texts)


def test_without_a_vocabulary():
    with pytest.raises(DataError, match="no vocabulary yet; call adapt with training texts"):
        WordVectorizer(32, 1000)(tf.constant(["the cat"]))
