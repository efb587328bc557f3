"""Scores equal scikit-learn's and tables, and McNemar's test equals its definition."""

import math

import numpy as np
import pytest
from sklearn.metrics import classification_report, confusion_matrix

from kerasnlp_lab.data import Split
from kerasnlp_lab.evaluation.classification import score
from kerasnlp_lab.evaluation.paired_tests import mcnemar_exact

NAMES = ("a", "b", "c")


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    logits = rng.normal(size=(200, 3)).astype(np.float32)
    logits[np.arange(200), labels] += 1.5
    split = Split(tuple(f"text {i}" for i in range(200)), labels)
    return score(logits, split, NAMES), labels, logits


def test_scores_equal_scikit_learns(scored):
    evaluation, labels, logits = scored
    predicted = logits.argmax(axis=1)
    report = classification_report(labels, predicted, target_names=NAMES, output_dict=True)
    assert evaluation.accuracy == pytest.approx(report["accuracy"])
    assert evaluation.macro_f1 == pytest.approx(report["macro avg"]["f1-score"])
    for name in NAMES:
        expected = report[name]
        found = evaluation.per_class[name]
        for key, other in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert found[key] == pytest.approx(expected[other])
        assert found["support"] == expected["support"]
    np.testing.assert_array_equal(evaluation.confusion, confusion_matrix(labels, predicted))


def test_the_interval_is_wilsons():
    """The formula of Wilson 1927, for 81 correct answers of 100."""
    split = Split(("x",) * 100, np.zeros(100))
    logits = np.zeros((100, 2))
    logits[:81, 0], logits[81:, 1] = 1, 1
    low, high = score(logits, split, ("a", "b")).interval
    z, p, n = 1.959964, 0.81, 100
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (low, high) == pytest.approx((centre - half, centre + half), abs=1e-6)


def test_mistakes_are_the_surest_wrong_answers(scored):
    evaluation, labels, logits = scored
    assert len(evaluation.mistakes) == 20
    wrong = np.flatnonzero(logits.argmax(axis=1) != labels)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    surest = wrong[np.argsort(-shares[wrong].max(axis=1))][:20]
    assert [mistake.row for mistake in evaluation.mistakes] == surest.tolist()
    first = evaluation.mistakes[0]
    assert first.text == f"text {surest[0]}"
    assert (first.label, first.predicted) == (
        NAMES[labels[surest[0]]],
        NAMES[logits[surest[0]].argmax()],
    )


def test_mcnemar_is_the_exact_binomial_test():
    """Only the first has 9 rows right, only the second 2, so p is 2 P(X <= 2), X ~ B(11, 1/2)."""
    a = np.array([True] * 9 + [False] * 2 + [True] * 50 + [False] * 5)
    b = np.array([False] * 9 + [True] * 2 + [True] * 50 + [False] * 5)
    expected = 2 * sum(math.comb(11, k) for k in range(3)) / 2**11
    assert mcnemar_exact(a, b) == pytest.approx(expected)
    assert mcnemar_exact(b, a) == pytest.approx(expected)
    assert mcnemar_exact(a, a) == 1.0
