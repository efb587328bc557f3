"""SelfAttention equals Keras' MultiHeadAttention with the same weights, with gradients."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import SelfAttention

MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)


@pytest.fixture
def inputs():
    return tf.constant(np.random.default_rng(0).normal(size=(2, 5, 8)), tf.float32)


def both(inputs, num_heads, key_dim):
    """Returns our layer and Keras' layer with the same random weights."""
    ours, keras_own = (
        SelfAttention(num_heads, key_dim),
        keras.layers.MultiHeadAttention(num_heads, key_dim),
    )
    ours(inputs)
    keras_own(inputs, inputs)
    rng = np.random.default_rng(1)
    keras_own.set_weights([rng.normal(0, 0.5, one.shape) for one in keras_own.get_weights()])
    ours.set_weights(keras_own.get_weights())
    return ours, keras_own


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("num_heads", "key_dim"), [(1, 8), (3, 5), (2, 16)])
def test_equals_keras(inputs, num_heads, key_dim, masked):
    ours, keras_own = both(inputs, num_heads, key_dim)
    found, scores = ours(inputs, mask=MASK if masked else None, return_attention_scores=True)
    attention_mask = MASK[:, np.newaxis] if masked else None
    expected, keras_scores = keras_own(
        inputs, inputs, attention_mask=attention_mask, return_attention_scores=True
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(scores, keras_scores, rtol=0, atol=1e-6)
    assert np.abs(expected).max() > 1.0


def test_gradients_equal_keras(inputs):
    target = tf.constant(np.random.default_rng(2).normal(size=inputs.shape), tf.float32)
    gradients = []
    for layer, arguments in zip(both(inputs, 3, 5), ((inputs,), (inputs, inputs)), strict=True):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum((layer(*arguments) - target) ** 2)
        gradients.append(tape.gradient(loss, [inputs, *layer.trainable_weights]))
    for found, expected in zip(*gradients, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_a_keys_bias_has_a_gradient_of_zero(inputs):
    """It has no effect, but Keras warns about weights without a gradient."""
    layer, _ = both(inputs, 2, 4)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(inputs) ** 2)
    gradient = tape.gradient(loss, layer.key_bias)
    np.testing.assert_array_equal(gradient, np.zeros([2, 4]))


def test_weights_have_the_names_of_keras(inputs):
    ours, keras_own = both(inputs, 2, 4)
    names = [[one.name.split("/", 1)[1] for one in layer.weights] for layer in (ours, keras_own)]
    assert names[0] == names[1]


def test_masked_positions_get_nothing_in_half_precision(inputs):
    layer = SelfAttention(2, 4, dtype="mixed_float16")
    _, scores = layer(inputs, mask=MASK, return_attention_scores=True)
    assert np.all(scores[1, :, :, 3:] == 0.0)
    np.testing.assert_allclose(tf.reduce_sum(scores, axis=-1), np.ones((2, 2, 5)), atol=2e-3)
