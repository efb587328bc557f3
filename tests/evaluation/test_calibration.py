"""Thresholds against every cut there is, calibration error and ranking against definitions."""

import re
import warnings

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    log_loss,
    matthews_corrcoef,
    roc_curve,
)

from kerasnlp_lab.data import Split
from kerasnlp_lab.errors import OptionError, UnknownNameError
from kerasnlp_lab.evaluation.calibration import (
    choose_decision,
    expected_calibration_error,
)
from kerasnlp_lab.evaluation.metrics import score
from kerasnlp_lab.evaluation.report import evaluation_text
from kerasnlp_lab.zoo.decision import Decision

NAMES = ("ham", "spam")
RARE = np.array([87, 13])
JUNK = ["f2", "fpr", "fpr=", "fpr=2", "fpr=0", "0", "1", "1.5", "-0.1", "nan", "", "=0.5", "mcc=1"]


def split_of(labels):
    return Split([f"text {i}" for i in range(len(labels))], np.asarray(labels))


def rows(seed, count=200, rounded=False, scale=1.0, shift=0.0):
    """Logits of two classes and labels; the second class is rare. Rounded ones have ties."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(count) < 0.2).astype(int)
    labels[:2] = 0, 1
    logits = np.zeros((count, 2), np.float32)
    logits[:, 1] = scale * (rng.normal(size=count) + 1.5 * labels) + shift
    return (logits.round(1) if rounded else logits), labels


def chosen(logits, labels, threshold, names=NAMES, counts=RARE, **options):
    return choose_decision(logits, split_of(labels), names, counts, threshold=threshold, **options)


def every_cut(scores):
    """Whether each row is positive, for every way to divide rows by their scores."""
    yield np.zeros(len(scores), bool)
    for value in np.unique(scores):
        yield scores >= value


def given(decision, logits):
    return decision.label_ids(decision.probabilities(logits))


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
    """Probabilities that are neighbours in float32, as of one that learned next to nothing."""
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
    """A row of the other class has a probability of 1.0: nothing may be positive."""
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
    """So that rounding, in another batch or an export, does not move a row over it."""
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
    with pytest.raises(OptionError, match="a threshold is for two classes; there are 3"):
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


def test_calibration_error_by_its_definition():
    rng = np.random.default_rng(0)
    for classes in (2, 3):
        shares = rng.dirichlet(np.ones(classes), 300).astype(np.float32)
        shares[:3] = 0
        shares[:3, 1] = 1  # confidence of exactly 1 belongs to the last bin
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
    sure = 4 * logits  # four times too sure
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
    """Accuracy, F1, MCC, confusion and the mistakes are those of the labels that were given."""
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
        found = score(rng.normal(size=(30, 3)), split_of(labels), ("a", "b", "c")).per_class
    assert found["c"]["average_precision"] is None and found["c"]["support"] == 0
    assert 0 < found["a"]["average_precision"] <= 1
    assert 0 < found["b"]["average_precision"] <= 1
