"""`AdditiveAttention` against Keras' own, the paper's formula, and padding."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import AdditiveAttention

RNG = np.random.default_rng(0)
STATES = RNG.normal(size=(3, 5, 4)).astype(np.float32)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 1, 0]], bool)


def layer_with(query_size=None, units=4):
    """Returns a layer with random weights."""
    layer = AdditiveAttention(units)
    query = None if query_size is None else tf.zeros([1, query_size])
    layer(tf.constant(STATES), query=query)
    values = [RNG.normal(0, 0.7, w.shape).astype(np.float32) for w in layer.get_weights()]
    layer.set_weights(values)
    return layer


@pytest.mark.parametrize("mask", [None, MASK], ids=["no mask", "mask"])
def test_the_same_as_keras_where_both_apply(mask):
    """Keras' layer adds queries and keys as they are, so both projections are the identity."""
    queries = RNG.normal(size=(3, 2, 4)).astype(np.float32)
    layer = AdditiveAttention(4)
    layer(STATES, query=queries)
    scale = RNG.normal(size=4).astype(np.float32)
    layer.key_projection.set_weights([np.eye(4), np.zeros(4)])
    layer.query_projection.set_weights([np.eye(4)])
    layer.score_kernel.assign(scale)
    theirs = keras.layers.AdditiveAttention()
    theirs.build([(3, 2, 4), (3, 5, 4)])
    theirs.scale.assign(scale)
    masks = None if mask is None else [None, tf.constant(mask)]
    expected, scores = theirs([queries, STATES], mask=masks, return_attention_scores=True)
    found, weights = layer(STATES, query=queries, mask=mask, return_attention_scores=True)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(weights, scores, rtol=0, atol=1e-5)


@pytest.mark.parametrize("query_size", [None, 6])
def test_the_formula_of_the_paper(query_size):
    layer = layer_with(query_size)
    query = None if query_size is None else RNG.normal(size=(3, query_size)).astype(np.float32)
    kernel, bias = layer.key_projection.get_weights()
    compared = STATES @ kernel + bias  # [batch, seq, units]
    if query is not None:
        compared += (query @ layer.query_projection.get_weights()[0])[:, np.newaxis]
    scores = np.where(MASK, np.tanh(compared) @ layer.score_kernel.numpy(), -np.inf)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    found, weights = layer(STATES, query=query, mask=MASK, return_attention_scores=True)
    np.testing.assert_allclose(weights, shares, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found, np.einsum("bs,bsh->bh", shares, STATES), rtol=0, atol=1e-5)


def test_keys_may_be_projected_once():
    layer = layer_with(6)
    query = RNG.normal(size=(3, 6)).astype(np.float32)
    keys = layer.key_projection(STATES)
    np.testing.assert_array_equal(
        layer.attend(STATES, keys, query, mask=MASK), layer(STATES, query=query, mask=MASK)
    )


def test_padding_is_never_read():
    layer = layer_with()
    poisoned = tf.constant(np.where(MASK[..., np.newaxis], STATES, np.nan))
    with tf.GradientTape() as tape:
        found = layer(poisoned, mask=MASK)
        loss = tf.reduce_sum(tf.sin(found))
    np.testing.assert_array_equal(found, layer(STATES, mask=MASK))
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert all(np.isfinite(one.numpy()).all() for one in gradients)


def test_a_sequence_of_padding_alone_gives_zeros():
    layer = layer_with()
    found, weights = layer(STATES[:1], mask=np.zeros((1, 5)), return_attention_scores=True)
    np.testing.assert_array_equal(found, np.zeros((1, 4)))
    np.testing.assert_array_equal(weights, np.zeros((1, 5)))
