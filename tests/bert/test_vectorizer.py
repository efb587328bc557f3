"""HubVectorizer gives the ids of the module's root, with less padding, for any bytes."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from kerasnlp_lab.bert import HubVectorizer
from kerasnlp_lab.errors import RunError
from tests.tiny_bert import TINY_VOCABULARY

CLS, SEP, UNK, CAT, DOG = map(TINY_VOCABULARY.index, ("[CLS]", "[SEP]", "[UNK]", "cat", "dog"))
TEXTS = [
    "The cat sat.",
    "",
    "   \t\n ",
    "Cats, dogs' CHIPS: oil-stocks!",
    "Ünïcödé çàt 猫 cat \U0001f408",
    "goal " * 300,
]


@pytest.fixture(scope="module")
def root(tiny_modules):
    return hub.KerasLayer(str(tiny_modules / "preprocess"))


@pytest.fixture(scope="module")
def width(root):
    """The width to which the module's root pads every text."""
    return root(tf.constant([""]))["input_word_ids"].shape[1]


@pytest.fixture(scope="module")
def vectorizer(tiny_modules, width):
    return HubVectorizer(str(tiny_modules / "preprocess"), max_length=width)


def test_the_same_features_as_the_module_itself(vectorizer, root, width):
    expected = root(tf.constant(TEXTS))
    found = vectorizer.pack(vectorizer.tokenize(tf.constant(TEXTS)), tf.constant(width))
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_a_batch_is_padded_to_its_own_longest_text(vectorizer, root):
    texts = tf.constant(["the cat", "a dog ran. a dog sat."])  # 8 pieces, [CLS] and [SEP]
    found, expected = vectorizer(texts), root(texts)
    for name, value in found.items():
        assert value.shape == (2, 16)  # 10, rounded up to a multiple of 8
        np.testing.assert_array_equal(value, expected[name][:, :16])


def test_a_long_text_keeps_its_beginning_and_the_end_mark(vectorizer, width):
    ids = vectorizer(tf.constant(["cat " + "dog " * 200]))["input_word_ids"].numpy()
    assert ids.tolist() == [[CLS, CAT, *[DOG] * (width - 3), SEP]]


def test_an_empty_text_has_the_two_marks_only(vectorizer):
    features = vectorizer(tf.constant([""]))
    assert features["input_word_ids"].numpy().tolist() == [[CLS, SEP, 0, 0, 0, 0, 0, 0]]
    assert features["input_mask"].numpy().tolist() == [[1, 1, 0, 0, 0, 0, 0, 0]]


def test_an_empty_batch(vectorizer):
    features = vectorizer(tf.constant([], tf.string))
    assert {value.shape[0] for value in features.values()} == {0}


def test_invalid_utf8_is_read_as_the_replacement_character(vectorizer, root):
    found = vectorizer(tf.constant([b"the cat \xff\xfe dog", b"\xc3", b"ca\xe9t dog"]))
    texts = ["the cat \ufffd\ufffd dog", "\ufffd", "ca\ufffdt dog"]
    expected = root(tf.constant(texts))["input_word_ids"][:, : found["input_word_ids"].shape[1]]
    np.testing.assert_array_equal(found["input_word_ids"], expected)


def test_a_hundred_thousand_characters(vectorizer, width):
    texts = ["cat " * 25_000, "x" * 100_000]
    ids = vectorizer(tf.constant(texts))["input_word_ids"].numpy()
    assert ids[0].tolist() == [CLS, *[CAT] * (width - 2), SEP]
    assert ids[1, :4].tolist() == [CLS, UNK, SEP, 0]


def test_another_vocabulary_than_that_of_the_training_is_refused(tiny_modules, tmp_path):
    modules = shutil.copytree(tiny_modules / "preprocess", tmp_path / "preprocess")
    (tmp_path / "assets").mkdir()
    HubVectorizer(str(modules), 16).save_files(tmp_path / "assets")
    HubVectorizer(str(modules), 16).load_files(tmp_path / "assets")
    vocabulary = (modules / "assets" / "vocab.txt").read_text()
    (modules / "assets" / "vocab.txt").write_text(vocabulary.replace("cat\ndog", "dog\ncat"))
    with pytest.raises(RunError, match="another vocabulary, or other capitals"):
        HubVectorizer(str(modules), 16).load_files(tmp_path / "assets")
