"""Thresholds of several labels are the best on the validation rows, guarded where rows are few."""

import itertools
import json

import numpy as np
import pytest
import scipy.special
import sklearn.metrics

from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.tasks.label_decision import (
    CUTS,
    FEW,
    LabelDecision,
    check_label_threshold,
    choose_label_decision,
)


def drawn(rows=4000, frequencies=(0.5, 0.2, 0.05), temperature=1.0, seed=0):
    """Returns calibrated logits, times a temperature, and labels drawn by them."""
    rng = np.random.default_rng(seed)
    base = scipy.special.logit(np.array(frequencies))
    logits = base + 2 * rng.normal(size=(rows, len(frequencies)))
    truth = rng.random(logits.shape) < scipy.special.expit(logits)
    return (temperature * logits).astype(np.float32), truth


def found(decision, logits):
    return decision.probabilities(logits) >= decision.lowest


def f1(decision, logits, truth, average):
    return sklearn.metrics.f1_score(truth, found(decision, logits), average=average)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_calibrates(temperature):
    decision = choose_label_decision(*drawn(temperature=temperature))
    assert decision.temperature == pytest.approx(temperature, rel=0.08)


def test_a_temperature_of_rows_that_are_all_right_stays_finite():
    truth = np.array([[True, False], [False, True]] * 4)
    decision = choose_label_decision(np.where(truth, 9.0, -9.0).astype(np.float32), truth)
    probabilities = decision.probabilities(np.where(truth, 9.0, -9.0))
    assert 0.8 < probabilities[truth].min() < 0.999
    assert (found(decision, np.where(truth, 9.0, -9.0)) == truth).all()


def test_each_rule_is_the_best_by_its_own_measure():
    logits, truth = drawn()
    chosen = {
        rule: choose_label_decision(logits, truth, rule)
        for rule in ("macro_f1", "micro_f1", "common", "0.5")
    }
    for average, best in (("macro", "macro_f1"), ("micro", "micro_f1")):
        scores = {rule: f1(one, logits, truth, average) for rule, one in chosen.items()}
        assert scores[best] >= max(scores.values()) - 1e-3, (average, scores)
        assert scores[best] > scores["0.5"] + 0.01
    assert len(set(chosen["common"].thresholds)) == 1
    assert len(set(chosen["macro_f1"].thresholds)) == 3
    assert choose_label_decision(logits, truth) == chosen["macro_f1"]  # auto


def test_common_equals_the_best_of_all_common_thresholds(monkeypatch):
    monkeypatch.setattr("kerasnlp_lab.tasks.label_decision.FEW", 1e-9)
    logits, truth = drawn(400)
    decision = choose_label_decision(logits, truth, "common")
    scaled = logits / decision.temperature
    every = [sklearn.metrics.f1_score(truth, scaled >= cut, average="macro") for cut in CUTS]
    assert f1(decision, logits, truth, "macro") == pytest.approx(max(every))


def test_micro_f1_equals_the_best_of_all_combinations(monkeypatch):
    few = np.linspace(-3, 2, 9)
    monkeypatch.setattr("kerasnlp_lab.tasks.label_decision.CUTS", few)
    monkeypatch.setattr("kerasnlp_lab.tasks.label_decision.FEW", 1e-9)
    logits, truth = drawn(300, seed=3)
    decision = choose_label_decision(logits, truth, "micro_f1")
    scaled = logits / decision.temperature
    every = [
        sklearn.metrics.f1_score(truth, scaled >= np.array(cuts), average="micro")
        for cuts in itertools.product(few, repeat=3)
    ]
    assert f1(decision, logits, truth, "micro") == pytest.approx(max(every))


def best_of_expected_f1(probabilities):
    """Returns the highest F1 that probabilities promise, and its cut: the slow way."""
    cuts = scipy.special.expit(CUTS)
    f1 = [
        2
        * probabilities[probabilities >= cut].sum()
        / ((probabilities >= cut).sum() + probabilities.sum())
        for cut in cuts
    ]
    return cuts[np.argmax(f1)]


def test_a_label_without_rows_has_the_threshold_that_its_probabilities_promise():
    logits, truth = drawn(2000)
    truth[:, 2] = False
    decision = choose_label_decision(logits, truth)
    probabilities = decision.probabilities(logits)[:, 2]
    assert decision.thresholds[2] == pytest.approx(best_of_expected_f1(probabilities), rel=0.1)


def test_one_lucky_row_does_not_set_the_threshold():
    """Its own best threshold would find the row alone."""
    logits, truth = drawn(2000)
    truth[:, 2] = False
    before = choose_label_decision(logits, truth)
    truth[logits[:, 2].argmax(), 2] = True
    after = choose_label_decision(logits, truth)
    assert after.thresholds[2] < 0.9 * after.probabilities(logits)[:, 2].max()
    assert after.thresholds[2] == pytest.approx(before.thresholds[2], abs=0.2)


def test_the_guard_helps_where_rows_are_few(monkeypatch):
    """Thresholds from 60 rows, on 4,000 others, in the mean over 20 draws."""
    frequencies = (0.3, 0.1, 0.05, 0.03, 0.02)
    logits, truth = drawn(4000, frequencies)
    means = {}
    for few in (1e-9, FEW):
        monkeypatch.setattr("kerasnlp_lab.tasks.label_decision.FEW", few)
        chosen = [choose_label_decision(*drawn(60, frequencies, seed=n)) for n in range(1, 21)]
        means[few] = np.mean([f1(one, logits, truth, "macro") for one in chosen])
    assert means[FEW] > means[1e-9] + 0.01


@pytest.mark.parametrize("rule", ["auto", "macro_f1", "micro_f1", "common"])
def test_rows_without_any_label_have_thresholds(rule):
    logits = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32) - 3
    decision = choose_label_decision(logits, np.zeros((20, 3), bool), rule)
    assert np.isfinite(decision.lowest).all() and decision.temperature > 0


def test_a_number_is_for_all_labels():
    decision = choose_label_decision(*drawn(100), "0.3")
    assert decision.thresholds == (0.3, 0.3, 0.3) and decision.rule == "as requested"


@pytest.mark.parametrize("threshold", ["none", "f1", "fpr=0.1", "0", "1", "-2", "nan", ""])
def test_another_threshold_is_refused(threshold):
    message = "auto, macro_f1, micro_f1, common or a probability, .*above 0 and below 1"
    with pytest.raises(OptionError, match=message):
        check_label_threshold(threshold)


def test_a_decision_is_the_same_from_json_and_in_a_graph():
    decision = choose_label_decision(*drawn(200, temperature=2.0))
    again = LabelDecision(**json.loads(json.dumps(vars(decision))))
    assert again == decision
    logits = drawn(200, seed=1)[0]
    probabilities, thresholds = decision.in_graph(logits)
    np.testing.assert_allclose(probabilities, decision.probabilities(logits), atol=1e-6)
    assert (thresholds.numpy() == decision.lowest).all() and thresholds.shape == logits.shape
