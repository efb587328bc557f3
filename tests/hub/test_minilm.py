"""The real all-MiniLM-L6-v2 has the publisher's word pieces and weights."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.bert import HubVectorizer, load_hub_layer
from kerasnlp_lab.hub import minilm_modules
from tests.bert.bert_reference import MINILM_IDS, MINILM_OUTPUTS

TEXTS = tf.constant(["I love transformers", "Stocks fell on Monday as oil prices rose again."])


@pytest.fixture(scope="module")
def features():
    return HubVectorizer(minilm_modules().preprocess, max_length=128)(TEXTS)


@pytest.fixture(scope="module")
def outputs(features):
    return load_hub_layer(minilm_modules().encoder)(features)


def test_word_pieces(features):
    assert features["input_word_ids"].numpy()[0, :5].tolist() == MINILM_IDS
    assert features["input_mask"].numpy()[0].sum() == 5


def test_shapes(outputs):
    assert outputs["pooled_output"].shape == (2, 384)
    assert outputs["sequence_output"].shape == (2, 16, 384)
    assert [layer.shape for layer in outputs["encoder_outputs"]] == [(2, 16, 384)] * 6


def test_outputs_equal_a_numpy_bert_on_the_published_weights(outputs):
    expected = np.load(MINILM_OUTPUTS)
    found = outputs["sequence_output"].numpy()[0, :5]
    np.testing.assert_allclose(found, expected["sequence_output"], atol=1e-3)
    np.testing.assert_allclose(outputs["pooled_output"][0], expected["pooled_output"], atol=1e-3)
