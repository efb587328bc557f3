"""`Decision` gives the same answers in NumPy and in a graph, and is saved with a classifier."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax

from kerasnlp_lab.tasks.decision import Decision, fit_temperature
from kerasnlp_lab.zoo import create_classifier, load_classifier

DECISIONS = [
    Decision(),
    Decision(temperature=2.5),
    Decision(temperature=0.3, positive=0, threshold=0.2),
    Decision(temperature=1.7, positive=1, threshold=0.9),
]


def drawn_labels(logits, rng):
    """Returns labels drawn from the logits' softmax."""
    shares = np.exp(log_softmax(logits, axis=1))
    return (shares.cumsum(axis=1) > rng.random((len(logits), 1))).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_a_known_temperature_is_recovered(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 3))
    labels = drawn_labels(logits, rng)
    found, loss = fit_temperature(temperature * logits, labels)
    assert found == pytest.approx(temperature, rel=0.05)
    rows = np.arange(len(labels))
    losses = [
        -log_softmax(temperature * logits / t, axis=1)[rows, labels].mean()
        for t in (0.98 * found, found, 1.02 * found)
    ]
    assert loss == pytest.approx(losses[1])
    assert losses[1] < min(losses[0], losses[2])


@pytest.mark.parametrize("decision", DECISIONS, ids=repr)
def test_numpy_and_graph_agree(decision):
    logits = np.random.default_rng(1).normal(0, 2, (500, 2)).astype(np.float32)
    shares = decision.probabilities(logits)
    odds = np.exp((logits[:, 1] - logits[:, 0]) / np.float64(decision.temperature))
    np.testing.assert_allclose(shares[:, 1], odds / (1 + odds), atol=1e-6)
    expected = (odds > 1).astype(int)
    if decision.positive is not None:
        yes = shares[:, decision.positive] >= decision.threshold
        expected = np.where(yes, decision.positive, 1 - decision.positive)
        assert 0 < np.sum(expected != (odds > 1)) < 250  # the threshold makes a difference
    np.testing.assert_array_equal(decision.label_ids(shares), expected)
    in_graph, ids = tf.function(decision.in_graph)(tf.constant(logits))
    np.testing.assert_allclose(in_graph, shares, atol=1e-6)
    np.testing.assert_array_equal(ids, expected)
    assert ids.dtype == tf.int64


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("threshold", [0.5, float(np.nextafter(0.5, 1))])
def test_a_score_at_the_threshold_is_positive(positive, threshold):
    """Equal logits give exactly 0.5. A slightly larger threshold rounds to 0.5 in float32."""
    decision = Decision(1.0, positive, threshold)
    logits = np.zeros((1, 2), np.float32)
    assert decision.label_ids(decision.probabilities(logits)).tolist() == [positive]
    assert decision.in_graph(tf.constant(logits))[1].numpy().tolist() == [positive]


@pytest.mark.parametrize("positive", [0, 1])
def test_a_score_next_below_the_threshold_is_not(positive):
    decision = Decision(1.0, positive, float(np.nextafter(np.float32(0.5), np.float32(1))))
    logits = np.zeros((1, 2), np.float32)
    assert decision.label_ids(decision.probabilities(logits)).tolist() == [1 - positive]
    assert decision.in_graph(tf.constant(logits))[1].numpy().tolist() == [1 - positive]


def test_three_classes_have_the_most_probable():
    logits = np.random.default_rng(2).normal(size=(50, 3)).astype(np.float32)
    decision = Decision(temperature=0.4)
    assert decision.label_ids(decision.probabilities(logits)).tolist() == [
        max(range(3), key=row.__getitem__) for row in logits.tolist()
    ]


@pytest.fixture(scope="module")
def classifier():
    sizes = {"max_length": 8, "vocab_size": 10, "embed_dim": 4, "ff_dim": 4}
    return create_classifier("transformer", ["ham", "spam"], ["a b c"], options=sizes)


def test_it_is_saved_and_loaded_with_a_classifier(classifier, tmp_path):
    decision = Decision(1.25, 1, 0.123456789, "best F1 on the validation rows")
    dataclasses.replace(classifier, decision=decision).save(tmp_path / "model")
    assert load_classifier(tmp_path / "model").decision == decision


def test_a_classifier_from_before_there_were_decisions(classifier, tmp_path):
    classifier.save(tmp_path / "model")
    file = tmp_path / "model" / "classifier.json"
    description = json.loads(file.read_text())
    del description["decision"]
    file.write_text(json.dumps(description))
    loaded = load_classifier(tmp_path / "model")
    logits = np.array([[0.3, 0.1], [-2.0, 5.0]], np.float32)
    shares = loaded.decision.probabilities(logits)
    np.testing.assert_allclose(shares, np.exp(log_softmax(logits, axis=1)), atol=1e-6)
    assert loaded.decision.label_ids(shares).tolist() == [0, 1]


def test_rows_that_are_all_right_make_no_one_sure():
    """Otherwise the temperature is minimal, and any mistake on a new text has an infinite loss."""
    labels = np.array([0, 1] * 10)
    logits = np.where(np.arange(2) == labels[:, None], 1.0, 0.0)
    temperature, _ = fit_temperature(logits, labels, 1 / 22)
    assert 0.9 < Decision(temperature).probabilities(logits).max() < 0.99
