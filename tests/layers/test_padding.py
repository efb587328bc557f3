"""Padding does not change the output of embedding, block and pooling together."""

import numpy as np
import pytest

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import (
    MaskedAveragePooling1D,
    TokenAndPositionEmbedding,
    TransformerBlock,
)


def network(**arguments):
    inputs = keras.Input((None,), dtype="int32")
    x = TokenAndPositionEmbedding(maxlen=64, vocab_size=50, embed_dim=8, **arguments)(inputs)
    for _ in range(2):
        x = TransformerBlock(embed_dim=8, num_heads=2, ff_dim=16, **arguments)(x)
    model = keras.Model(inputs, MaskedAveragePooling1D(**arguments)(x))
    rng = np.random.default_rng(0)
    # Larger than the initial weights, so that attention to padding would show.
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.mark.parametrize("width", [7, 16, 64])
def test_padded_and_unpadded_texts_give_the_same(model, width):
    rng = np.random.default_rng(1)
    texts = [rng.integers(1, 50, length) for length in (1, 3, 6, 7)]
    padded = np.array([np.pad(text, (0, width - len(text))) for text in texts])
    together = model(padded)
    alone = np.concatenate([model(text[np.newaxis]) for text in texts])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_a_row_of_padding_gives_finite_numbers(policy):
    ids = np.array([[5, 3, 0, 0], [0, 0, 0, 0]])
    outputs = network(dtype=policy)(ids).numpy().astype(np.float32)
    assert np.isfinite(outputs).all()
    np.testing.assert_array_equal(outputs[1], np.zeros(8))
