"""CharacterVectorizer: every character is kept, and files hold all of them."""

import pytest
import tensorflow as tf

from kerasnlp_lab.data.pairs import join_pair
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text import CharacterVectorizer

TEXTS = ["May 3\n", "Ａ🎈 é", "a\tb"]


def adapted(texts=TEXTS, max_length=32, vocab_size=100):
    vectorizer = CharacterVectorizer(max_length, vocab_size)
    vectorizer.adapt(texts)
    return vectorizer


def read(vectorizer, text):
    [ids] = vectorizer.tokenize(tf.constant([text])).to_list()
    return [vectorizer.vocabulary()[one] for one in ids]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_all_characters_are_read_as_they_are(text):
    assert "".join(read(adapted(), text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("e\u0301", ["\u00e9"]),
        ("Mz\U0010ffffa", ["M", "[UNK]", "[UNK]", "a"]),
        (b"a\xffb", ["a", "[UNK]", "b"]),
        ("", []),
    ],
    ids=["decomposed", "unseen", "invalid", "empty"],
)
def test_other_texts(text, expected):
    assert read(adapted(), text) == expected


def test_the_most_frequent_characters_have_ids():
    vectorizer = adapted(["aaa bb c", "aab"], vocab_size=4)
    assert vectorizer.vocabulary() == ["[PAD]", "[UNK]", "a", "b"]


def test_a_longer_text_is_cut():
    assert "".join(read(adapted(max_length=3), "May 3")) == "May"


def test_files_and_configuration_restore_it(tmp_path):
    vectorizer = adapted()
    vectorizer.save_files(tmp_path)
    loaded = CharacterVectorizer(32, 100)
    loaded.load_files(tmp_path)
    copy = CharacterVectorizer.from_config(vectorizer.get_config())
    assert loaded.vocabulary() == copy.vocabulary() == vectorizer.vocabulary()
    assert read(loaded, "May\n") == ["M", "a", "y", "\n"]


def test_nothing_to_learn():
    with pytest.raises(DataError, match="hold no characters"):
        adapted(["", ""])
    with pytest.raises(DataError, match="no vocabulary yet"):
        CharacterVectorizer(8, 8).tokenize(tf.constant(["a"]))


def test_the_space_between_the_texts_of_a_pair_is_known():
    vectorizer = CharacterVectorizer(16, 100)
    vectorizer.read_pairs()
    pair = join_pair("ab", "c")
    vectorizer.adapt([pair])
    assert read(vectorizer, pair) == [*"ab c"]
