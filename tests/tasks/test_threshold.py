"""Thresholds are as good as the best of all possible cuts."""

import re

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import (
    f1_score,
    log_loss,
    matthews_corrcoef,
)

from kerasnlp_lab.errors import OptionError, UnknownNameError
from tests.tasks.scored_rows import NAMES, chosen, every_cut, given, rows

JUNK = ["f2", "fpr", "fpr=", "fpr=2", "fpr=0", "0", "1", "1.5", "-0.1", "nan", "", "=0.5", "mcc=1"]


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("threshold, measure", [("f1", f1_score), ("mcc", matthews_corrcoef)])
def test_no_cut_is_better(threshold, measure, rounded, positive):
    for seed in range(3):
        logits, labels = rows(seed, rounded=rounded)
        decision = chosen(logits, labels, threshold, positive_class=NAMES[positive])
        assert decision.positive == positive
        truth = labels == positive
        scores = decision.probabilities(logits)[:, positive]
        best = max(measure(truth, cut) for cut in every_cut(scores) if cut.any())
        assert measure(truth, given(decision, logits) == positive) == pytest.approx(best)


@pytest.mark.parametrize("threshold", ["f1", "mcc"])
def test_scores_so_close_that_no_number_is_between_them(threshold):
    """A model that learned almost nothing gives adjacent float32 probabilities."""
    measure = {"f1": f1_score, "mcc": matthews_corrcoef}[threshold]
    for seed in range(5):
        logits, labels = rows(seed, scale=2e-7, shift=-1.386)
        decision = chosen(logits, labels, threshold, positive_class="spam")
        scores = decision.probabilities(logits)[:, 1]
        best = max(measure(labels, cut) for cut in every_cut(scores) if cut.any())
        assert measure(labels, given(decision, logits)) == pytest.approx(best)


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.05, 0.3])
def test_false_positives_stay_below_their_share_and_hits_are_most(share, rounded):
    for seed in range(3):
        logits, labels = rows(seed, rounded=rounded)
        decision = chosen(logits, labels, f"fpr={share}")
        scores = decision.probabilities(logits)[:, 1]
        allowed = [cut for cut in every_cut(scores) if cut[labels == 0].mean() <= share]
        found = given(decision, logits) == 1
        assert found[labels == 0].mean() <= share
        assert found[labels == 1].sum() == max(cut[labels == 1].sum() for cut in allowed)
        assert "at most" in decision.rule and f"{share:g}" in decision.rule


def test_no_false_positive_where_the_surest_answer_is_one():
    """A row of the other class has a probability of 1.0, so nothing may be positive."""
    logits, labels = rows(0)
    logits[0] = 0, 1e6
    assert labels[0] == 0
    decision = chosen(logits, labels, "fpr=0.001")
    assert not given(decision, logits).any()


def test_a_number_is_taken_as_it_is():
    logits, labels = rows(0)
    decision = chosen(logits, labels, "0.125")
    assert (decision.positive, decision.threshold) == (1, 0.125)
    scores = decision.probabilities(logits)[:, 1]
    np.testing.assert_array_equal(given(decision, logits), scores >= 0.125)


def test_a_threshold_lies_between_two_scores():
    """Then rounding, in another batch or an export, cannot move a row across it."""
    logits, labels = rows(1)
    decision = chosen(logits, labels, "f1")
    scores = np.sort(decision.probabilities(logits)[:, 1].astype(float))
    place = np.searchsorted(scores, decision.threshold)
    below, above = scores[place - 1], scores[place]
    assert decision.threshold == pytest.approx((below + above) / 2)


@pytest.mark.parametrize(
    "names, counts, positive",
    [
        (NAMES, [87, 13], 1),
        (NAMES, [13, 87], 0),
        (NAMES, [74, 26], None),
        (NAMES, [75, 25], None),  # a quarter is not less than a quarter
        (NAMES, [76, 24], 1),
        (("a", "b", "c"), [90, 9, 1], None),
    ],
)
def test_auto_takes_f1_for_a_rare_class_of_two(names, counts, positive):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(names), 100)
    logits = rng.normal(size=(100, len(names)))
    logits[np.arange(100), labels] += 1
    decision = chosen(logits, labels, "auto", names, np.array(counts))
    assert decision.positive == positive
    assert ("best F1" in decision.rule) == (positive is not None)
    if positive is not None:
        by_name = chosen(logits, labels, "f1", names, np.array(counts))
        assert decision == by_name


def test_of_two_equal_classes_the_second_is_meant():
    logits, labels = rows(0)
    assert chosen(logits, labels, "f1", counts=np.array([50, 50])).positive == 1
    named = chosen(logits, labels, "f1", counts=np.array([50, 50]), positive_class="ham")
    assert named.positive == 0


def test_every_decision_has_the_best_temperature():
    logits, labels = rows(2)
    for threshold in ("none", "f1", "0.3"):
        temperature = chosen(logits, labels, threshold).temperature
        losses = [
            log_loss(labels, softmax(logits.astype(float) / (factor * temperature), axis=1))
            for factor in (0.95, 1, 1.05)
        ]
        assert losses[1] < min(losses[0], losses[2])


def test_a_threshold_is_for_two_classes():
    logits = np.random.default_rng(0).normal(size=(9, 3))
    with pytest.raises(OptionError, match="a threshold needs two classes; there are 3"):
        chosen(logits, np.arange(9) % 3, "f1", ("a", "b", "c"), np.array([3, 3, 3]))


def test_an_unknown_class_is_told_its_likely_name():
    logits, labels = rows(0)
    with pytest.raises(UnknownNameError, match="no class is called 'spma'; did you mean 'spam'"):
        chosen(logits, labels, "f1", positive_class="spma")


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_no_threshold(junk):
    message = "threshold must be auto, none, f1, mcc, fpr=SHARE or a probability, got '"
    with pytest.raises(OptionError, match=re.escape(message + junk + "'")):
        chosen(*rows(0), junk)


@pytest.mark.parametrize("spec", ["auto", "none", "f1", "mcc", "fpr=0.01", "0.5", "1e-3"])
def test_what_is_a_threshold(spec):
    assert chosen(*rows(0), spec).positive == (None if spec == "none" else 1)
