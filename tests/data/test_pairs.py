"""Pairs of texts and texts with several labels, in splits and datasets."""

from __future__ import annotations

import numpy as np
import pytest

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.data.pairs import is_pair, join_pair, split_pair
from kerasnlp_lab.errors import DataError


def dataset(texts, *, pair=("premise", "hypothesis"), **labels):
    split = Split(texts, **labels)
    return TextDataset("rte", ("no", "yes"), split, split, split, pair=pair)


def test_a_pair_survives_as_one_string():
    pair = join_pair("a b", " c")
    assert split_pair(pair) == ("a b", " c")
    assert is_pair(pair)
    assert split_pair("alone") == ("alone", "")
    assert not is_pair("alone")
    assert not is_pair(join_pair("a", "  "))


def test_a_text_with_the_separator_makes_no_pair():
    with pytest.raises(DataError, match=r"U\+001F"):
        join_pair("a\x1fb", "c")


def test_a_dataset_of_pairs_refuses_half_a_pair():
    texts = [join_pair("a", "b"), join_pair("c", "d")]
    assert dataset(texts, labels=[0, 1]).pair == ("premise", "hypothesis")
    with pytest.raises(DataError, match="row 1 of the train split is no pair of premise"):
        dataset([texts[0], "c"], labels=[0, 1])


def test_label_sets_are_sorted_taken_and_counted():
    split = Split(["a", "b", "c"], label_sets=[[1, 0, 1], [], [1]])
    assert split.annotation == "label_sets"
    assert split.label_sets == ((0, 1), (), (1,))
    assert split.labels.tolist() == [0, 0, 0]
    assert split.label_counts(2).tolist() == [1, 2]
    assert split.take(np.array([2, 0])).label_sets == ((1,), (0, 1))


def test_label_sets_decide_the_fingerprint():
    sets = [[[0], [1]], [[0], [0, 1]], [[0, 1], []]]
    found = {dataset(["a", "b"], pair=None, label_sets=one).fingerprint for one in sets}
    assert len(found) == 3


@pytest.mark.parametrize(
    ("label_sets", "message"),
    [
        ([[0]], "labels of each of 2 texts, got 1"),
        ([[0], ["1"]], r"row 1: expected a list of label ids, whole numbers, got \['1'\]"),
        ([[0, 2], [1]], r"row 0 of the train split has the labels 0, 2, expected 0 to 1"),
        ([[0], []], "no row to train on for class 'yes'"),
    ],
)
def test_wrong_label_sets_are_named(label_sets, message):
    with pytest.raises(DataError, match=message):
        dataset(["a", "b"], pair=None, label_sets=label_sets)


def test_splits_must_not_differ_in_what_their_texts_have():
    one, many = Split(["a", "b"], [0, 1]), Split(["a"], label_sets=[[0]])
    with pytest.raises(DataError, match="some splits have labels and others label_sets"):
        TextDataset("x", ("no", "yes"), one, many, one)
