"""`without_leaks` equals a comparison of every pair of texts."""

import unicodedata

import numpy as np
import pytest

from kerasnlp_lab.data import LeaksLeftOut, PythonRows, Split, TextDataset, without_leaks
from kerasnlp_lab.errors import DataError

SOURCE = PythonRows("mine", "a program")


def same(a, b):
    """Returns whether two texts differ only in case, white space or composed characters."""
    words = [unicodedata.normalize("NFC", text.casefold()).split() for text in (a, b)]
    return words[0] == words[1]


def dataset(train, validation, test, labels=("a", "b")):
    """Returns a dataset whose rows alternate between the classes."""

    def split(texts, path):
        lines = np.arange(len(texts)) + 2
        return Split(texts, np.arange(len(texts)) % 2, path, lines)

    parts = split(train, "train.csv"), split(validation, "v.csv"), split(test, "test.csv")
    return TextDataset("mine", labels, *parts, SOURCE)


def varied(count, seed):
    """Returns texts of one or two common words, with random case, spacing and composition."""
    rng = np.random.default_rng(seed)
    words = ["cat", "dog", "café", "straße", "ǅ", "ÅNGSTRÖM", "猫", "ham"]
    change = [str.upper, str.lower, str.title]
    texts = []
    for _ in range(count):
        chosen = [change[rng.integers(3)](rng.choice(words)) for _ in range(rng.integers(1, 3))]
        text = rng.choice([" ", "  ", "\t", "\u00a0", "\n "]).join(chosen)
        text = unicodedata.normalize(rng.choice(["NFC", "NFD"]), text)
        texts.append(rng.choice(["", " ", "\n"]) + text + rng.choice(["", "  "]))
    return texts


@pytest.mark.parametrize("seed", range(4))
def test_no_text_is_left_that_is_tested_on(seed):
    train, validation, test = varied(60, seed), varied(12, seed + 10), varied(8, seed + 20)
    data = dataset(train, validation, test)
    clean = without_leaks(data)
    kept = [
        row for row, text in enumerate(train) if not any(same(text, o) for o in validation + test)
    ]
    kept_too = [row for row, text in enumerate(validation) if not any(same(text, o) for o in test)]
    assert 0 < len(kept) < 60 and len(kept_too) < 12
    for part, texts, rows in (("train", train, kept), ("validation", validation, kept_too)):
        left = getattr(clean, part)
        assert list(left.texts) == [texts[row] for row in rows]
        assert left.labels.tolist() == [row % 2 for row in rows]
        assert left.lines.tolist() == [row + 2 for row in rows]
    assert clean.leaks_left_out == LeaksLeftOut(60 - len(kept), 12 - len(kept_too))
    assert clean.source == SOURCE
    assert list(clean.test.texts) == test
    np.testing.assert_array_equal(clean.test.labels, data.test.labels)


@pytest.mark.parametrize(
    "a, b",
    [
        ("The Cat", "the cat"),
        ("the  cat ", "the cat"),
        ("the\ncat", "the\u00a0cat"),
        ("caf\u00e9", "cafe\u0301"),
        ("STRASSE", "straße"),
    ],
)
def test_texts_that_are_the_same(a, b):
    clean = without_leaks(dataset(["x", "y", a], ["v", b], ["t"]))
    assert list(clean.train.texts) == ["x", "y"]
    clean = without_leaks(dataset(["x", "y"], ["v", a], [b]))
    assert list(clean.validation.texts) == ["v"]


@pytest.mark.parametrize("a, b", [("the cat", "thecat"), ("cafe", "café"), ("a!", "a"), ("1", "l")])
def test_texts_that_are_not(a, b):
    clean = without_leaks(dataset(["x", "y", a], ["v", b], ["t"]))
    assert list(clean.train.texts) == ["x", "y", a]
    assert clean.leaks_left_out == LeaksLeftOut(0, 0)


def test_twins_within_a_split_stay():
    """They are not leaks, and they count in the share of their class."""
    clean = without_leaks(dataset(["x", "y", "x", "X"], ["v", "v"], ["t", "T"]))
    assert list(clean.train.texts) == ["x", "y", "x", "X"]
    assert list(clean.validation.texts) == ["v", "v"]


def test_what_only_a_dropped_validation_row_has_is_dropped_too():
    """Its text is in the test split, so the training split must not have it either."""
    clean = without_leaks(dataset(["x", "y", "T"], ["v", "t"], [" t "]))
    assert list(clean.train.texts) == ["x", "y"]
    assert clean.leaks_left_out == LeaksLeftOut(1, 1)


def test_a_class_without_a_row_left_is_an_error():
    with pytest.raises(DataError, match="mine: no row to train on for class 'b'"):
        without_leaks(dataset(["x", "leak", "y", "Leak"], ["v"], ["LEAK"]))
