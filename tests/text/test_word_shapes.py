"""`word_shapes`: the capitals of each token's word, in any script and at any length."""

import unicodedata

import numpy as np
import pytest
import regex
import tensorflow as tf

from kerasnlp_lab.text.features import TokensInText
from kerasnlp_lab.text.word_shapes import SHAPES, word_shapes
from tests.bert.hard_texts import HARD_TEXTS


def in_python(word):
    """The specification, a word at a time."""
    cases = [unicodedata.category(one) for one in word]
    upper = sum(one in ("Lu", "Lt") for one in cases)
    if not upper:
        return "other"
    if upper == 1 and cases[0] in ("Lu", "Lt"):
        return "Capitalized"
    return "mixedCase" if "Ll" in cases else "CAPITALS"


def tokens_of(texts, pieces=3):
    """Words at spaces, in pieces of some characters: bytes, and whether a piece continues."""
    starts, ends, continues, lengths, words = [], [], [], [], []
    for text in texts:
        count = 0
        for found in regex.finditer(r"\S+", text):
            for place in range(0, len(found[0]), pieces):
                begin = found.start() + place
                piece = text[begin : min(begin + pieces, found.end())]
                starts.append(len(text[:begin].encode()))
                ends.append(starts[-1] + len(piece.encode()))
                continues.append(place > 0)
                words.append(found[0])
                count += 1
        lengths.append(count)
    arrays = (np.array(one, np.int64) for one in (lengths, starts, ends))
    lengths, starts, ends = arrays
    found = TokensInText(
        np.zeros(len(starts), np.int32), lengths, starts, ends, np.array(continues, bool)
    )
    return found, words


def shapes_of(texts):
    tokens, words = tokens_of(texts)
    found = word_shapes(tf.constant(texts, tf.string), TokensInText(*map(tf.constant, tokens[:5])))
    return [SHAPES[one] for one in found.numpy()], words


@pytest.mark.parametrize(
    "word, shape",
    [
        ("paris", "other"),
        ("Paris", "Capitalized"),
        ("I", "Capitalized"),
        ("NASA", "CAPITALS"),
        ("COVID-19", "CAPITALS"),
        ("iPhone", "mixedCase"),
        ("McDonald", "mixedCase"),
        ("2026", "other"),
        ("東京", "other"),
        ("ÉCOLE", "CAPITALS"),
        ("Москва", "Capitalized"),
        ("Ǆungla", "Capitalized"),  # a digraph with one code point
        ("𐐀𐐨", "Capitalized"),  # Deseret, behind the first 65,536 code points
        ("😀", "other"),
    ],
)
def test_shapes(word, shape):
    assert in_python(word) == shape
    found, _ = shapes_of([f"a {word} b"])
    assert found == ["other", *[shape] * (len(found) - 2), "other"]


def test_all_pieces_of_words_of_all_languages():
    hard = (one if isinstance(one, str) else one.decode("utf-8", "replace") for one in HARD_TEXTS)
    hard = [one.encode("utf-8", "replace").decode() for one in hard]
    texts = ["", *hard, "", "x" * 5000 + " Y" * 2000]
    found, words = shapes_of(texts)
    assert found == list(map(in_python, words))
    assert len(set(found)) > 2


def test_no_text_has_no_shapes():
    assert shapes_of([]) == ([], [])
    assert shapes_of([""]) == ([], [])
