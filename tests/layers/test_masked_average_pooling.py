"""MaskedAveragePooling1D equals NumPy's masked mean."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.layers import MaskedAveragePooling1D

MASK = np.array([[1, 1, 1, 0], [0, 1, 0, 1], [1, 0, 0, 0]], bool)


def test_equals_numpy():
    inputs = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    masked = np.ma.array(inputs, mask=~np.repeat(MASK[:, :, np.newaxis], 5, axis=2))
    for mask in (MASK, MASK.astype(np.int32)):
        np.testing.assert_allclose(
            MaskedAveragePooling1D()(inputs, mask=mask), masked.mean(axis=1), atol=1e-6
        )
    np.testing.assert_allclose(MaskedAveragePooling1D()(inputs), inputs.mean(axis=1), atol=1e-6)


def test_a_row_of_padding_gives_zeros():
    inputs = np.ones((2, 4, 5), np.float32)
    outputs = MaskedAveragePooling1D()(inputs, mask=np.array([[1, 0, 0, 0], [0, 0, 0, 0]], bool))
    np.testing.assert_array_equal(outputs, [[1.0] * 5, [0.0] * 5])


def test_sums_in_float32_under_mixed_precision():
    # In float16 the sum of 512 times 200 would be infinite; in bfloat16, sums of ones stop at 256.
    for policy, value in (("mixed_float16", 200.0), ("mixed_bfloat16", 1.0)):
        pool = MaskedAveragePooling1D(dtype=policy)
        inputs = tf.fill([1, 512, 2], value)
        for mask in (None, tf.ones([1, 512], tf.bool)):
            np.testing.assert_array_equal(
                tf.cast(pool(inputs, mask=mask), tf.float32), [[value] * 2]
            )


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf])
def test_numbers_at_padding_reach_neither_the_output_nor_a_gradient(garbage):
    inputs = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    spoilt = np.where(MASK[:, :, np.newaxis], inputs, np.float32(garbage))
    found = []
    for values in (inputs, spoilt):
        x = tf.constant(values)
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = MaskedAveragePooling1D()(x, mask=MASK)
            loss = tf.reduce_sum(outputs**2)
        found.append((outputs.numpy(), tape.gradient(loss, x).numpy()))
    for one, other in zip(*found, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_array_equal(other, one)
