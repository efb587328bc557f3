"""A tfhub.dev encoder works without a network: it is found in TFHUB_CACHE_DIR and trained."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax

from kerasnlp_lab import create_classifier
from kerasnlp_lab._keras import keras
from kerasnlp_lab.zoo import predict_logits
from tests.bert.bert_reference import bert_outputs
from tests.hub.tfhub_cache import SMALL_BERT, fill_tfhub_cache
from tests.tiny_bert import TINY_VOCABULARY

TEXTS = ["the cat sat", "a dog ran . a dog sat", "oil"]


@pytest.fixture(scope="module")
def classifier(tiny_modules, tmp_path_factory):
    cache = tmp_path_factory.mktemp("tfhub_cache")
    fill_tfhub_cache(cache, tiny_modules)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TFHUB_CACHE_DIR", str(cache))
        options = {"max_length": 32, "dropout": 0.0, "precision": "float32"}
        return create_classifier(SMALL_BERT, ["cat", "other"], TEXTS, options=options)


def ids_and_mask(texts):
    rows = [["[CLS]", *text.split(), "[SEP]"] for text in texts]
    width = max(map(len, rows))
    ids = [[TINY_VOCABULARY.index(p) for p in row] + [0] * (width - len(row)) for row in rows]
    return np.array(ids), np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows])


def test_logits_are_a_dense_layer_on_pooled_output(classifier, tiny_checkpoint):
    kernel, bias = classifier.head.get_layer("classifier").get_weights()
    _, pooled = bert_outputs(tiny_checkpoint, *ids_and_mask(TEXTS))
    expected = pooled @ kernel + bias
    np.testing.assert_allclose(predict_logits(classifier, TEXTS), expected, atol=1e-4)
    np.testing.assert_allclose(classifier.model(tf.constant(TEXTS)), expected, atol=1e-4)


@pytest.mark.slow  # tests/zoo/test_encoder_paths.py trains
def test_training_moves_the_encoder_and_lowers_the_loss(classifier):
    labels = predict_logits(classifier, TEXTS).argmin(axis=1)  # all wrong at first

    def loss():
        return -log_softmax(predict_logits(classifier, TEXTS), axis=1)[range(3), labels].mean()

    weights = classifier.encoder.trainable_weights
    before, loss_before = [weight.numpy() for weight in weights], loss()
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    adam = keras.optimizers.legacy.Adam(1e-3)
    # Ten steps are too few to be worth building a graph.
    classifier.model.compile(adam, crossentropy, run_eagerly=True)
    classifier.model.fit(tf.constant(TEXTS), labels, epochs=10, verbose=0)
    assert all((w.numpy() != old).any() for w, old in zip(weights, before, strict=True))
    assert loss() < loss_before - 0.05
