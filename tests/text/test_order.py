"""The order of training batches: all classes in a batch, little padding."""

import numpy as np
import pytest

from kerasnlp_lab.text.order import length_ranks, steps_in_pass, training_order
from tests.text.padding import padding_share

ROWS = 1003
LENGTHS = np.random.default_rng(0).lognormal(3, 0.7, ROWS).astype(int).clip(1, 200)


def test_length_ranks():
    lengths, labels = np.array([7, 5, 90, 80, 5, 6]), np.array([0, 0, 3, 3, 0, 0])
    expected = [7 / 8, 1 / 8, 3 / 4, 1 / 4, 3 / 8, 5 / 8]
    np.testing.assert_array_equal(length_ranks(lengths, labels), expected)
    assert length_ranks(np.array([3]), np.array([2])).tolist() == [0.5]


@pytest.mark.parametrize("batch_size", [8, 16])  # three windows of 50 batches; two
def test_batches_have_all_classes_and_little_padding(batch_size):
    """A quarter of the texts have one class and are longer than all others."""
    labels = np.arange(ROWS) % 4 // 3
    lengths = np.where(labels, LENGTHS + 200, LENGTHS // 2)
    order = training_order(lengths, labels, batch_size=batch_size, seed=5)
    steps = steps_in_pass(ROWS, batch_size)
    rows = np.stack(list(order.take(steps).as_numpy_iterator()))
    share = labels[rows].mean(axis=1)
    assert abs(share.mean() - 0.25) < 0.01
    shuffled = np.random.default_rng(0).permutation(ROWS)[: rows.size].reshape(rows.shape)
    # Sorting by length alone would give 0.4. Random batches have 0.15 or 0.11.
    assert share.std() < labels[shuffled].mean(axis=1).std()

    def padding(rows, label):
        own = [lengths[batch[labels[batch] == label]] for batch in rows]
        own = [found for found in own if len(found)]
        return padding_share([found.max() for found in own], own)

    for label in (0, 1):
        assert padding(rows, label) < padding(shuffled, label) / 3


def test_steps_in_pass():
    assert [steps_in_pass(rows, 8) for rows in (1, 7, 8, 15, 16)] == [1, 1, 1, 1, 2]
