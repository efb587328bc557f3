"""A learned WordPiece vocabulary: which pieces, how many, and the same ones every time."""

from collections import Counter

import pytest
import tensorflow as tf

from kerasnlp_lab.text.wordpiece import (
    SPECIAL_TOKENS,
    count_words,
    learn_pieces,
    wordpiece_tokenizer,
)
from tests.text.corpus import news_texts

NEWS = Counter(" ".join(news_texts()).lower().split())
WORDS = {"lower": 5, "lowest": 2, "newer": 6, "wider": 3, "日": 4, "本": 1}


def test_the_same_counts_give_the_same_pieces():
    """The library alone gives other pieces each time: it breaks ties by a hash map's order."""
    first = learn_pieces(NEWS, 2000)
    backwards = learn_pieces(dict(reversed(NEWS.items())), 2000)
    assert first == backwards == learn_pieces(NEWS, 2000)
    assert len(first) == len(set(first)) == 2000
    assert first[:5] == list(SPECIAL_TOKENS)


def test_frequent_pairs_are_joined():
    pieces = learn_pieces(WORDS, 100)
    assert {"日", "本", "l", "##w", "##er", "newer", "lower", "wider", "lowest"} <= set(pieces)
    assert len(pieces) < 100  # there are no more
    assert "##est" not in learn_pieces(WORDS, 100, min_count=3)


def test_a_character_that_does_not_fit_or_is_rare_is_left_out():
    assert "本" not in learn_pieces(WORDS, 100, min_character_count=2)
    few = learn_pieces(WORDS, 7)
    assert few == [*SPECIAL_TOKENS, "##e", "##r"]  # the most frequent: 22 and 14 times
    assert learn_pieces(WORDS, 3, ("[PAD]", "[UNK]")) == ["[PAD]", "[UNK]", "##e"]


def test_a_very_long_word_gives_characters_alone():
    pieces = learn_pieces({"x" * 101: 9, "yz": 2}, 50, ("[UNK]",))
    assert pieces == ["[UNK]", "x", "y", "##x", "##z", "yz"]
    pieces = learn_pieces({"\u0e01" * 100: 9}, 500)  # 300 bytes, more than tensorflow_text accepts
    assert len(pieces) > 8
    wordpiece_tokenizer(pieces, 400)


def test_words_are_counted_as_the_texts_come():
    def texts():
        yield from ["a b\u00a0c", b"a \xff"]
        yield "a\x1cb\x85c\n"

    counts = count_words(texts(), tf.identity)
    assert counts == {"a": 2, "b\u00a0c": 1, "\ufffd": 1, "a\x1cb\x85c": 1}


@pytest.mark.parametrize("texts", [[], ["", " "]])
def test_no_words(texts):
    assert not count_words(texts, tf.identity)
