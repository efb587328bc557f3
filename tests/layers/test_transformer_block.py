"""TransformerBlock: size, values, attention scores and dropout."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import TransformerBlock
from tests.layers import tutorial

MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)


@pytest.fixture
def inputs():
    return np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)


def test_parameter_count():
    block = TransformerBlock(32, 2, 32)
    block(tf.zeros([1, 4, 32]))
    assert block.count_params() == 10_656


def test_equals_the_tutorial():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(4, 256, 32)).astype(np.float32)
    ours, theirs = TransformerBlock(32, 2, 32), tutorial.TransformerBlock(32, 2, 32)
    theirs(inputs, training=False)
    theirs.set_weights([rng.normal(0, 0.3, w.shape) for w in theirs.get_weights()])
    ours(inputs)
    ours.set_weights(theirs.get_weights())
    expected = theirs(inputs, training=False)
    # Not bit-equal, because our attention multiplies in another order.
    np.testing.assert_allclose(ours(inputs, training=False), expected, rtol=0, atol=1e-5)


def test_attention_scores(inputs):
    block = TransformerBlock(8, 3, 16)
    outputs, scores = block(inputs, mask=MASK, return_attention_scores=True)
    assert scores.shape == [2, 3, 5, 5]
    np.testing.assert_allclose(tf.reduce_sum(scores, axis=-1), np.ones((2, 3, 5)), atol=1e-6)
    assert np.all(scores[1, :, :, 3:] == 0.0)
    assert np.all(scores[1, :, :, :3] > 0.0)
    assert np.all(scores[0] > 0.0)
    np.testing.assert_array_equal(outputs, block(inputs, mask=MASK))


def test_attention_scores_by_numpy(inputs):
    block = TransformerBlock(8, 2, 16)
    _, scores = block(inputs, return_attention_scores=True)
    weights = {w.name.split("attn/")[1]: w.numpy() for w in block.att.weights}
    query, key = (
        np.einsum("bse,ehk->bshk", inputs, weights[f"{part}/kernel:0"]) + weights[f"{part}/bias:0"]
        for part in ("query", "key")
    )
    logits = np.einsum("bqhk,bshk->bhqs", query, key) / np.sqrt(8)  # key_dim = embed_dim
    expected = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_padding_is_not_attended_to(inputs):
    block = TransformerBlock(8, 2, 16)
    other_padding = np.where(MASK[:, :, np.newaxis], inputs, 100.0).astype(np.float32)
    np.testing.assert_allclose(
        block(inputs, mask=MASK)[MASK], block(other_padding, mask=MASK)[MASK], atol=1e-6
    )
    assert np.abs(block(inputs)[MASK] - block(other_padding)[MASK]).max() > 0.01


def test_mask_that_comes_with_the_inputs(inputs):
    block = TransformerBlock(8, 2, 16)
    inputs[~MASK] = 0.0
    implicit = block(keras.layers.Masking()(inputs))
    np.testing.assert_allclose(implicit[MASK], block(inputs, mask=MASK)[MASK], atol=1e-6)


def test_dropout_only_in_training(inputs):
    block = TransformerBlock(8, 2, 16, rate=0.5)
    rest = block(inputs, training=False)
    np.testing.assert_array_equal(rest, block(inputs))
    assert not np.allclose(rest, block(inputs, training=True))
    unhidden = TransformerBlock(8, 2, 16, rate=0.0)
    np.testing.assert_array_equal(unhidden(inputs, training=True), unhidden(inputs))


def test_every_weight_learns(inputs):
    block = TransformerBlock(8, 2, 16)
    target = np.random.default_rng(1).normal(size=inputs.shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((block(inputs) - target) ** 2)
    for weight, gradient in zip(
        block.trainable_weights, tape.gradient(loss, block.trainable_weights), strict=True
    ):
        if "key/bias" not in weight.name:  # shifts a whole row, which the softmax cancels
            assert np.abs(gradient).max() > 1e-6, weight.name


def test_wrong_width_is_refused():
    block = TransformerBlock(8, 2, 16)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        block(tf.zeros([2, 5, 7]))
