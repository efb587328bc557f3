"""TokenAndPositionEmbedding: size, values, short and overlong sequences."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import SequenceTooLongError
from kerasnlp_lab.layers import TokenAndPositionEmbedding
from tests.layers import tutorial

# TensorFlow escapes the apostrophe in an assertion's message.
TOO_LONG = r"longer than this layer\\*'s maxlen of 4: truncate the texts, or build the layer"


def test_parameter_count():
    layer = TokenAndPositionEmbedding(256, 20000, 32)
    layer.build((None, 256))
    assert layer.count_params() == 648_192


def test_equals_the_tutorial():
    ours = TokenAndPositionEmbedding(256, 20000, 32)
    theirs = tutorial.TokenAndPositionEmbedding(256, 20000, 32)
    ids = np.random.default_rng(0).integers(0, 20000, (4, 256))
    expected = theirs(ids)
    ours.build(ids.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(ids), expected, rtol=0, atol=1e-6)


def test_sums_the_rows_of_both_tables():
    layer = TokenAndPositionEmbedding(maxlen=6, vocab_size=11, embed_dim=4)
    ids = np.array([[7, 3, 0], [5, 5, 10]])  # shorter than maxlen, from position 0 on
    outputs = layer(ids)
    token_table, position_table = layer.token_emb.embeddings, layer.pos_emb.embeddings
    expected = token_table.numpy()[ids] + position_table.numpy()[:3]
    np.testing.assert_array_equal(outputs, expected)


def test_every_length_up_to_maxlen():
    layer = TokenAndPositionEmbedding(maxlen=4, vocab_size=11, embed_dim=2)
    full = layer(np.array([[1, 2, 3, 4]]))
    for length in range(5):
        shorter = layer(np.array([[1, 2, 3, 4]])[:, :length])
        np.testing.assert_array_equal(shorter, full[:, :length])


def test_too_long_when_called():
    layer = TokenAndPositionEmbedding(maxlen=4, vocab_size=11, embed_dim=2)
    with pytest.raises(SequenceTooLongError, match="a sequence of 5 tokens is " + TOO_LONG):
        layer(np.ones((2, 5), np.int32))


def test_too_long_when_a_model_is_built():
    layer = TokenAndPositionEmbedding(maxlen=4, vocab_size=11, embed_dim=2)
    with pytest.raises(SequenceTooLongError, match="a sequence of 5 tokens is " + TOO_LONG):
        layer(keras.Input((5,), dtype="int32"))


def test_too_long_with_unknown_length():
    layer = TokenAndPositionEmbedding(maxlen=4, vocab_size=11, embed_dim=2)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def embed(ids):
        return layer(ids)

    assert embed(tf.ones([2, 4], tf.int32)).shape == [2, 4, 2]
    with pytest.raises(tf.errors.InvalidArgumentError, match=TOO_LONG):
        embed(tf.ones([2, 5], tf.int32))


def test_too_long_for_a_model():
    inputs = keras.Input((None,), dtype="int32")
    layer = TokenAndPositionEmbedding(maxlen=4, vocab_size=11, embed_dim=2)
    model = keras.Model(inputs, layer(inputs))
    assert model.predict(np.ones((2, 3), np.int32), verbose=0).shape == (2, 3, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match=TOO_LONG):
        model.predict(np.ones((2, 5), np.int32), verbose=0)
