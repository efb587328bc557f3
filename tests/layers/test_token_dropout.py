"""TokenDropout hides the right share of tokens, never padding, and only in training."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.layers import TokenDropout


@pytest.fixture
def ids():
    ids = np.random.default_rng(0).integers(2, 1000, (200, 100)).astype(np.int32)
    ids[:, 60:] = 0
    return ids


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.9])
def test_rate_lies_within_a_binomial_bound(ids, rate):
    tf.random.set_seed(0)
    outputs = TokenDropout(rate, replacement_id=1)(ids, training=True).numpy()
    tokens = ids[ids != 0]
    hidden = outputs[ids != 0] == 1
    bound = 5 * np.sqrt(rate * (1 - rate) / len(tokens))
    assert abs(hidden.mean() - rate) < bound
    np.testing.assert_array_equal(outputs[ids != 0][~hidden], tokens[~hidden])


def test_padding_stays_padding(ids):
    outputs = TokenDropout(1.0, replacement_id=7)(ids, training=True)
    np.testing.assert_array_equal(outputs, np.where(ids == 0, 0, 7))


def test_every_call_hides_others(ids):
    layer = TokenDropout(0.5)
    first, second = layer(ids, training=True).numpy(), layer(ids, training=True).numpy()
    agreement = (first == second)[ids != 0].mean()
    assert 0.4 < agreement < 0.6


def test_off_at_inference(ids):
    layer = TokenDropout(1.0)
    np.testing.assert_array_equal(layer(ids), ids)
    np.testing.assert_array_equal(layer(ids, training=False), ids)
    np.testing.assert_array_equal(TokenDropout(0.0)(ids, training=True), ids)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_keeps_the_dtype(ids, dtype):
    outputs = TokenDropout(0.5)(ids.astype(dtype), training=True)
    assert outputs.dtype == dtype
