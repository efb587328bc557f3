"""Dropout depends on the step alone during training, and is Keras' own afterwards."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import TokenDropout, TransformerBlock
from kerasnlp_lab.training.step_randomness import random_by_step


@pytest.fixture
def step():
    return tf.Variable(0, dtype=tf.int64, trainable=False)


def dropped(network, seed, step, steps, inputs):
    """Returns a network's outputs for the same inputs at some steps."""
    with random_by_step(network, seed, step):
        call = tf.function(lambda x: network(x, training=True))
        outputs = []
        for number in steps:
            step.assign(number)
            outputs.append(call(inputs).numpy())
    return outputs


def block_network():
    inputs = keras.Input((None, 16))
    block = TransformerBlock(embed_dim=16, num_heads=2, ff_dim=16, rate=0.5)
    outputs = keras.layers.Dropout(0.5)(block(inputs))
    return keras.Model(inputs, outputs)


def test_a_step_has_its_own_numbers_whatever_came_before(step):
    network = block_network()
    inputs = tf.random.normal([4, 5, 16])
    first = dropped(network, "0", step, [0, 1, 2, 1], inputs)
    tf.random.set_seed(7)
    again = dropped(network, "0", step, [2, 0], inputs)  # a new trace, in another order
    np.testing.assert_array_equal(first[1], first[3])
    np.testing.assert_array_equal(first[2], again[0])
    np.testing.assert_array_equal(first[0], again[1])
    assert np.abs(first[0] - first[1]).max() > 0.1
    other = dropped(network, "1", step, [0], inputs)
    assert np.abs(first[0] - other[0]).max() > 0.1


def test_layers_and_repeated_calls_of_one_layer_differ(step):
    """ALBERT calls one layer many times."""
    layer, other = keras.layers.Dropout(0.5), keras.layers.Dropout(0.5)
    inputs = keras.Input((1000,))
    network = keras.Model(inputs, tf.stack([layer(inputs), layer(inputs), other(inputs)]))
    (masks,) = dropped(network, "0", step, [3], tf.ones([2, 1000]))
    shares = [(masks[a] == masks[b]).mean() for a, b in ((0, 1), (0, 2), (1, 2))]
    assert all(0.45 < share < 0.55 for share in shares)
    assert (masks == 0).mean() == pytest.approx(0.5, abs=0.03)


def test_hidden_tokens_are_by_the_step_too(step):
    inputs = keras.Input((None,), dtype=tf.int32)
    network = keras.Model(inputs, TokenDropout(0.3)(inputs))
    ids = tf.fill([20, 50], 9)
    masks = dropped(network, "0", step, [0, 1, 0], ids)
    np.testing.assert_array_equal(masks[0], masks[2])
    assert (masks[0] == masks[1]).mean() < 0.7
    assert (masks[0] == 1).mean() == pytest.approx(0.3, abs=0.05)


def test_after_the_block_keras_draws_its_own(step):
    network = block_network()
    inputs = tf.random.normal([4, 5, 16])
    dropped(network, "0", step, [0], inputs)
    one, other = (network(inputs, training=True).numpy() for _ in range(2))
    assert np.abs(one - other).max() > 0.1


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
@pytest.mark.parametrize("shape", [[1], [3, 5], [2, 3, 5000]])
def test_the_share_that_is_dropped_and_what_the_rest_is_multiplied_by(step, rate, shape):
    inputs = keras.Input(shape[1:])
    network = keras.Model(inputs, keras.layers.Dropout(rate)(inputs))
    kept = np.array(dropped(network, "0", step, range(40), tf.fill(shape, 3.0))) / 3.0
    values = np.unique(kept)
    multiples = {np.floor(256 * rate), np.ceil(256 * rate)}  # a call has one of the two
    np.testing.assert_allclose(
        values[values != 0], sorted(256 / (256 - one) for one in multiples), rtol=1e-4
    )
    spread = (rate * (1 - rate) / kept.size) ** 0.5
    spread += 0.5 / 256 / 40**0.5
    assert (kept == 0).mean() == pytest.approx(rate, abs=5 * spread)
    if kept[0].size > 1000:  # neighbours, drawn as parts of one number, differ
        flat = (kept != 0).reshape(40, -1)
        for distance in (1, 2, 4, 8):
            alike = (flat[:, distance:] == flat[:, :-distance]).mean()
            assert alike == pytest.approx(rate**2 + (1 - rate) ** 2, abs=0.01)


def test_dropout_of_whole_channels_and_in_bfloat16(step):
    inputs = keras.Input((None, 6), dtype=tf.bfloat16)
    whole = keras.layers.SpatialDropout1D(0.5, dtype="mixed_bfloat16")
    each = keras.layers.Dropout(0.5, dtype="mixed_bfloat16")
    network = keras.Model(inputs, [whole(inputs), each(inputs)])
    with random_by_step(network, "0", step):
        by_channel, by_number = network(tf.ones([8, 9, 6], tf.bfloat16), training=True)
    assert by_channel.dtype == by_number.dtype == tf.bfloat16
    shares = (by_channel == 0).numpy().mean(axis=1)
    assert set(shares.ravel()) == {0.0, 1.0}
    assert not set((by_number == 0).numpy().mean(axis=1).ravel()) <= {0.0, 1.0}


def test_gradients_pass_what_is_kept(step):
    inputs = keras.Input((50,))
    network = keras.Model(inputs, keras.layers.Dropout(0.5)(inputs))
    ones = tf.ones([4, 50])
    with random_by_step(network, "0", step), tf.GradientTape() as tape:
        tape.watch(ones)
        outputs = network(ones, training=True)
    np.testing.assert_array_equal(tape.gradient(outputs, ones), outputs)
