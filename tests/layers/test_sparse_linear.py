"""SparseLinear equals a scipy.sparse matrix product, forward and backward."""

import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf

from kerasnlp_lab.layers import SparseLinear

NUM_FEATURES, UNITS = 50, 4


@pytest.fixture
def layer():
    layer = SparseLinear(NUM_FEATURES, UNITS)
    layer.build(None)
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=(NUM_FEATURES, UNITS)), rng.normal(size=UNITS)])
    return layer


@pytest.fixture
def matrix():
    matrix = scipy.sparse.random(20, NUM_FEATURES, density=0.1, format="lil", rng=1)
    matrix[3] = 0.0  # a row with no entry
    return matrix.tocsr()


def padded(matrix):
    """Returns the ids and values of a sparse matrix's rows, padded with 0."""
    entries = np.diff(matrix.indptr)
    place = np.arange(entries.max()) < entries[:, np.newaxis]
    ids, values = np.zeros(place.shape, np.int32), np.zeros(place.shape, np.float32)
    ids[place], values[place] = matrix.indices, matrix.data
    return ids, values


def test_equals_scipy(layer, matrix):
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(layer(padded(matrix)), matrix @ kernel + bias, atol=1e-5)


def test_entries_of_the_same_id_add_up(layer):
    kernel, bias = layer.get_weights()
    outputs = layer((np.array([[7, 7, 2]]), np.array([[0.5, 1.0, -1.0]], np.float32)))
    np.testing.assert_allclose(outputs, [1.5 * kernel[7] - kernel[2] + bias], atol=1e-6)


def test_gradient_equals_scipy(layer, matrix):
    upstream = np.random.default_rng(2).normal(size=(20, UNITS)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(padded(matrix)) * upstream)
    kernel_gradient, bias_gradient = tape.gradient(loss, layer.trainable_weights)
    dense = tf.convert_to_tensor(kernel_gradient)
    np.testing.assert_allclose(dense, matrix.T @ upstream, atol=1e-5)
    np.testing.assert_allclose(bias_gradient, upstream.sum(axis=0), atol=1e-5)


def test_zero_values_need_no_mask(layer):
    ids, values = np.array([[3, 9, 41]]), np.array([[2.0, 0.0, 0.0]], np.float32)
    expected = layer((ids[:, :1], values[:, :1]))
    np.testing.assert_array_equal(layer((ids, values)), expected)


def test_no_entries_give_the_bias(layer):
    outputs = layer((np.zeros((2, 0), np.int32), np.zeros((2, 0), np.float32)))
    np.testing.assert_array_equal(outputs, [layer.get_weights()[1]] * 2)
