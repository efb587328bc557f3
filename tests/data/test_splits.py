"""The validation split: shares, order, seed and impossible splits."""

import numpy as np
import pytest

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.splits import split_off_validation, stratified_order
from kerasnlp_lab.errors import DataError, OptionError

LABELS = np.random.default_rng(0).choice(3, size=500, p=[0.7, 0.25, 0.05])
ROWS = Split(tuple(f"text {row}" for row in range(500)), LABELS)


def row_numbers(split):
    return [int(text.split()[1]) for text in split.texts]


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5])
def test_every_row_in_one_part_with_the_same_share_of_each_class(fraction):
    train, validation = split_off_validation(ROWS, fraction, seed=1)
    kept, held_out = row_numbers(train), row_numbers(validation)
    assert sorted(kept + held_out) == list(range(500))
    assert len(held_out) == round(500 * fraction)
    counts = np.bincount(validation.labels, minlength=3)
    assert np.abs(counts - np.bincount(LABELS) * fraction).max() <= 1


def test_rows_keep_their_order_and_their_labels():
    for part in split_off_validation(ROWS, 0.2, seed=1):
        assert row_numbers(part) == sorted(row_numbers(part))
        np.testing.assert_array_equal(part.labels, LABELS[row_numbers(part)])


def test_seed_decides_which_rows():
    def held_out(seed):
        return row_numbers(split_off_validation(ROWS, 0.2, seed)[1])

    np.random.seed(3)
    first = held_out(1)
    np.random.seed(4)
    assert held_out(1) == first
    assert 5 < len(set(held_out(2)) & set(first)) < 50  # of 100, by chance


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 15, float("nan")])
def test_fraction_out_of_range(fraction):
    message = f"validation fraction must lie between 0 and 1, got {fraction}"
    with pytest.raises(OptionError, match=message):
        split_off_validation(ROWS, fraction, seed=0)


@pytest.mark.parametrize(
    ("labels", "counts"),
    [([0, 0, 0, 1], r"\[3, 1\]"), ([0, 1, 2, 0, 1, 2], r"\[2, 2, 2\]"), ([], r"\[\]")],
)
def test_too_few_rows_of_a_class(labels, counts):
    rows = Split(tuple("abcdef"[: len(labels)]), np.array(labels, int))
    message = (
        rf"cannot take 20% of {len(labels)} training rows .*rows a class: {counts}\); add rows"
    )
    with pytest.raises(DataError, match=message):
        split_off_validation(rows, 0.2, seed=0)


def test_seed_below_zero():
    with pytest.raises(OptionError, match="seed.*-1"):
        split_off_validation(ROWS, 0.2, seed=-1)


@pytest.mark.parametrize("labels", [LABELS, np.arange(90) % 3, np.array([0] * 99 + [1])])
def test_every_beginning_of_an_order_has_the_same_share_of_each_class(labels):
    order = stratified_order(labels, seed=5)
    assert sorted(order) == list(range(len(labels)))
    shares = np.bincount(labels) / len(labels)
    for rows in range(1, len(labels) + 1):
        counts = np.bincount(labels[order[:rows]], minlength=len(shares))
        assert np.abs(counts - rows * shares).max() <= 1


def test_the_seed_decides_the_order():
    orders = [stratified_order(LABELS, seed).tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    # Chance decides, not the order of the rows.
    first = [row for row in orders[0] if LABELS[row] == 0]
    assert np.corrcoef(first, np.arange(len(first)))[0, 1] < 0.2
