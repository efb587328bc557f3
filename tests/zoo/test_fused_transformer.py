"""The fused Transformer gives the network's logits for all sizes."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.zoo import create_classifier
from kerasnlp_lab.zoo.fused_transformer import fuse_transformer

WORDS = [f"word{number}" for number in range(60)]
SIZES = [
    {},
    {"num_blocks": 3, "num_heads": 3, "ff_dim": 24, "embed_dim": 20},
    {"num_heads": 1, "embed_dim": 8, "head_units": 5},
]


def random_classifier(options):
    """Returns a classifier with large random weights, LayerNorm's too, so that errors show."""
    classifier = create_classifier(
        "transformer", ["a", "b", "c"], [" ".join(WORDS)], options={"vocab_size": 70, **options}
    )
    rng = np.random.default_rng(0)
    weights = classifier.network.get_weights()
    classifier.network.set_weights([one + rng.normal(0, 0.2, one.shape) for one in weights])
    return classifier


def random_ids(rng, lengths, width):
    ids = rng.integers(1, 60, (len(lengths), width), dtype=np.int32)
    return {"token_ids": tf.constant(np.where(np.arange(width) < np.c_[lengths], ids, 0))}


def fused_logits(classifier):
    pooled = tf.function(fuse_transformer(classifier.network, classifier.task, classifier.options))
    head = classifier.network.get_layer("head")
    return lambda features: head(pooled(features), training=False)


@pytest.mark.parametrize("options", SIZES, ids=["default", "three blocks", "one head"])
def test_logits_are_the_networks(options):
    classifier = random_classifier(options)
    fused = fused_logits(classifier)
    rng = np.random.default_rng(1)
    for lengths, width in (([1], 8), ([40, 17, 0, 1], 40), (rng.integers(1, 257, 30), 256)):
        features = random_ids(rng, lengths, width)
        expected = classifier.network(features, training=False).numpy()
        np.testing.assert_allclose(fused(features), expected, rtol=0, atol=1e-4)
    assert np.ptp(expected, axis=0).min() > 0.1  # different texts must have different logits


def test_padding_makes_no_difference():
    fused = fused_logits(random_classifier({}))
    ids = random_ids(np.random.default_rng(2), [9, 5], 16)["token_ids"]
    wider = {"token_ids": tf.pad(ids, [[0, 0], [0, 40]])}
    np.testing.assert_allclose(fused({"token_ids": ids}), fused(wider), rtol=0, atol=1e-5)


def test_weights_are_those_of_when_it_was_made():
    classifier = random_classifier({})
    before = fused_logits(classifier)
    features = random_ids(np.random.default_rng(3), [9, 5], 16)
    expected = classifier.network(features, training=False).numpy()
    network = classifier.network
    encoder = [layer for layer in network.layers if layer.name != "head"]
    for layer in encoder:
        layer.set_weights([2 * one for one in layer.get_weights()])
    np.testing.assert_allclose(before(features), expected, rtol=0, atol=1e-4)
    changed = network(features, training=False).numpy()
    assert np.abs(changed - expected).max() > 0.01
    np.testing.assert_allclose(fused_logits(classifier)(features), changed, rtol=0, atol=1e-4)
