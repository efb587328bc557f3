"""Calibration error and ranking metrics equal their definitions."""

import warnings

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    matthews_corrcoef,
    roc_curve,
)

from kerasnlp_lab.evaluation.calibration import expected_calibration_error
from kerasnlp_lab.evaluation.classification import score
from kerasnlp_lab.evaluation.report import evaluation_text
from kerasnlp_lab.tasks.decision import Decision
from tests.tasks.scored_rows import NAMES, chosen, rows, split_of


def test_calibration_error_by_its_definition():
    rng = np.random.default_rng(0)
    for classes in (2, 3):
        shares = rng.dirichlet(np.ones(classes), 300).astype(np.float32)
        shares[:3] = 0
        shares[:3, 1] = 1  # a confidence of exactly 1 belongs to the last bin
        labels = rng.integers(0, classes, 300)
        error = 0.0
        for number in range(15):
            inside = [
                row
                for row in range(300)
                if number == min(int(max(map(float, shares[row])) * 15), 14)
            ]
            if inside:
                sure = sum(float(max(shares[row])) for row in inside) / len(inside)
                right = sum(shares[row].argmax() == labels[row] for row in inside) / len(inside)
                error += len(inside) / 300 * abs(sure - right)
        assert expected_calibration_error(shares, labels) == pytest.approx(error, abs=1e-6)


def test_temperature_lowers_the_calibration_error():
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (4000, 3))
    shares = np.exp(log_softmax(logits, axis=1))
    labels = (shares.cumsum(axis=1) > rng.random((4000, 1))).argmax(axis=1)
    sure = 4 * logits  # overconfident by a factor of four
    decision = chosen(sure, labels, "auto", ("a", "b", "c"), np.array([1, 1, 1]))
    found = score(sure, split_of(labels), ("a", "b", "c"), decision).as_json()
    assert found["expected_calibration_error_without_temperature"] > 0.1
    assert found["expected_calibration_error"] < 0.03


def test_ranking_equals_scikit_learns():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, 3000)
    logits = rng.normal(size=(3000, 3)).round(1)  # with ties
    logits[np.arange(3000), labels] += 2
    evaluation = score(logits, split_of(labels), ("a", "b", "c"), Decision(2.0))
    shares = evaluation.probabilities
    for i, name in enumerate("abc"):
        truth, row = labels == i, evaluation.per_class[name]
        expected = average_precision_score(truth, shares[:, i])
        assert row["average_precision"] == pytest.approx(expected)
        false, true, _ = roc_curve(truth, shares[:, i])
        for rate in (0.01, 0.001):
            most = max(
                (shares[truth, i] >= cut).mean()
                for cut in [*np.unique(shares[:, i]), 2.0]
                if (shares[~truth, i] >= cut).mean() <= rate
            )
            assert row[f"recall_at_fpr_{rate:g}"] == pytest.approx(most)
            assert row[f"recall_at_fpr_{rate:g}"] >= true[false <= rate].max() - 1e-12
    assert evaluation.mcc == pytest.approx(matthews_corrcoef(labels, shares.argmax(axis=1)))


def test_scores_follow_the_threshold():
    """Accuracy, F1, MCC, confusion and mistakes use the labels that the threshold predicts."""
    logits, labels = rows(5)
    decision = Decision(1.0, 1, 0.2)
    evaluation = score(logits, split_of(labels), NAMES, decision)
    predicted = softmax(logits, axis=1)[:, 1] >= 0.2
    assert (predicted != logits.argmax(axis=1)).any()
    assert evaluation.accuracy == pytest.approx((predicted == labels).mean())
    assert evaluation.per_class["spam"]["f1"] == pytest.approx(f1_score(labels, predicted))
    assert evaluation.mcc == pytest.approx(matthews_corrcoef(labels, predicted))
    assert evaluation.confusion.sum(axis=0).tolist() == np.bincount(predicted).tolist()
    wrong = set(np.flatnonzero(predicted != labels))
    assert {mistake.row for mistake in evaluation.mistakes} <= wrong
    for mistake in evaluation.mistakes:
        assert mistake.predicted == NAMES[int(predicted[mistake.row])] != mistake.label


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("decision", [Decision(), Decision(1.0, 1, 0.4)])
def test_texts_of_one_class_have_nothing_to_rank(label, decision):
    logits = np.random.default_rng(0).normal(size=(20, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluation = score(logits, split_of(np.full(20, label)), NAMES, decision)
        text = evaluation_text(evaluation)
    for name in NAMES:
        row = evaluation.per_class[name]
        assert row["average_precision"] is None
        assert row["recall_at_fpr_0.01"] is row["recall_at_fpr_0.001"] is None
    assert evaluation.mcc == 0.0
    assert ("spam: nothing to rank" in text) == (decision.positive == 1)


def test_a_class_without_a_row_has_nothing_to_rank_and_the_others_have():
    rng = np.random.default_rng(0)
    labels = np.arange(30) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluation = score(rng.normal(size=(30, 3)), split_of(labels), ("a", "b", "c"))
    found, text = evaluation.per_class, evaluation_text(evaluation)
    assert "no row has class c: it counts as an F1 of 0 in the macro-F1" in text
    assert found["c"]["average_precision"] is None and found["c"]["support"] == 0
    assert 0 < found["a"]["average_precision"] <= 1
    assert 0 < found["b"]["average_precision"] <= 1
