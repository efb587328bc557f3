"""TokenSegmentPositionEmbedding: BERT's sum, LayerNorm and dropout."""

import numpy as np
import pytest

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import SequenceTooLongError
from kerasnlp_lab.layers import TokenSegmentPositionEmbedding

IDS = np.array([[2, 7, 3, 9, 3], [2, 5, 3, 0, 0]])
SEGMENTS = np.array([[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]])
SIZES = {"maxlen": 6, "vocab_size": 11, "embed_dim": 4}


def tables(layer):
    parts = layer.token_and_position
    return [
        table.embeddings.numpy() for table in (parts.token_emb, layer.segment_emb, parts.pos_emb)
    ]


def test_sums_the_rows_of_three_tables():
    layer = TokenSegmentPositionEmbedding(**SIZES, normalize=False)
    outputs = layer((IDS, SEGMENTS))
    tokens, segments, positions = tables(layer)
    expected = tokens[IDS] + segments[SEGMENTS] + positions[:5]
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-7)


def test_layer_norm_follows_the_sum():
    layer = TokenSegmentPositionEmbedding(**SIZES)
    total = TokenSegmentPositionEmbedding(**SIZES, normalize=False)
    outputs = layer((IDS, SEGMENTS)).numpy()
    total((IDS, SEGMENTS))
    total.set_weights(layer.get_weights()[:3])
    summed = total((IDS, SEGMENTS)).numpy()
    centred = summed - summed.mean(-1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(-1, keepdims=True))
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("form", [tuple, list])
def test_ids_alone_are_of_the_first_segment(form):
    layer = TokenSegmentPositionEmbedding(**SIZES)
    np.testing.assert_array_equal(layer(IDS), layer(form([IDS, np.zeros_like(IDS)])))


def test_dropout_in_training_alone():
    layer = TokenSegmentPositionEmbedding(6, 11, 400, rate=0.4)
    inputs = (IDS, SEGMENTS)
    np.testing.assert_array_equal(layer(inputs), layer(inputs, training=False))
    zeros = np.mean(layer(inputs, training=True) == 0)
    assert 0.37 < zeros < 0.43
    assert not np.any(layer(inputs) == 0)


def test_berts_number_of_parameters():
    layer = TokenSegmentPositionEmbedding(maxlen=512, vocab_size=30522, embed_dim=128)
    layer.build([(None, None), (None, None)])
    assert layer.count_params() == (30522 + 512 + 2) * 128 + 2 * 128


def test_too_long():
    layer = TokenSegmentPositionEmbedding(**SIZES)
    with pytest.raises(SequenceTooLongError, match="a sequence of 7 tokens is longer"):
        layer((np.ones((2, 7), int), np.zeros((2, 7), int)))
    with pytest.raises(SequenceTooLongError, match="a sequence of 7 tokens is longer"):
        layer(keras.Input((7,), dtype="int32"))
