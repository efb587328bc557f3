"""Of many classes, figures and the text show the most confused and the worst; JSON stays small."""

import json

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    log_loss,
    precision_recall_curve,
    roc_curve,
)

from kerasnlp_lab.data import Split
from kerasnlp_lab.evaluation.classification import score
from kerasnlp_lab.evaluation.many_classes import most_confused_figure
from kerasnlp_lab.evaluation.plots import confusion_figure, precision_recall_figure
from kerasnlp_lab.evaluation.ranking_curve import RankingCurve


def evaluation_of(classes, rows):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, rows)
    logits = rng.normal(size=(rows, classes)).astype(np.float32)
    logits[np.arange(rows), labels] += 2
    names = tuple(f"intent {number}" for number in range(classes))
    return score(logits, Split([f"text {i}" for i in range(rows)], labels), names), logits


@pytest.fixture(scope="module")
def many():
    return evaluation_of(300, 1500)[0]


@pytest.mark.parametrize("ties", [False, True])
def test_a_curve_has_scikit_learns_numbers_to_the_last_bit(ties):
    rng = np.random.default_rng(1)
    scores = rng.random(500).astype(np.float32)
    scores = np.round(scores, 1) if ties else scores
    truth = rng.random(500) < 0.1 + scores / 2
    curve = RankingCurve.of(scores, truth)
    assert curve.average_precision() == average_precision_score(truth, scores)
    precision, recall, _ = precision_recall_curve(truth, scores)
    np.testing.assert_array_equal(curve.precision, precision)
    np.testing.assert_array_equal(curve.recall, recall)
    alarms, hits, _ = roc_curve(truth, scores, drop_intermediate=False)
    for rate in (0, 0.001, 0.01, 0.3, 1):
        assert curve.recall_at_fpr(rate) == hits[alarms <= rate].max()
    shares = np.array([0.0, recall[len(recall) // 2], 1.0])
    expected = [precision[np.flatnonzero(recall >= share)[-1]] for share in shares]
    np.testing.assert_array_equal(curve.precision_at(shares), expected)


@pytest.mark.parametrize("truth", [np.zeros(3, bool), np.ones(3, bool)])
def test_rows_of_one_kind_have_no_curve(truth):
    assert RankingCurve.of(np.arange(3.0), truth) is None


@pytest.mark.parametrize("classes", [2, 40])
def test_the_log_loss_is_scikit_learns(classes):
    evaluation, logits = evaluation_of(classes, 200)
    expected = log_loss(evaluation.labels, evaluation.probabilities, labels=range(classes))
    assert evaluation.log_loss == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("classes", [30, 31, 1000])
def test_no_figure_is_larger_than_that_of_thirty_classes(classes):
    evaluation = evaluation_of(classes, 1000)[0]
    figure = confusion_figure(evaluation.confusion, evaluation.label_names)
    assert max(figure.get_size_inches()) <= 2.5 + 0.6 * 30 + 0.8


def test_the_most_confused_pairs_come_first(many):
    below, above, right = confusion_figure(many.confusion, many.label_names).axes
    wrong = many.confusion - np.diag(np.diag(many.confusion))
    bars = [bar.get_width() for bar in above.patches]
    assert bars == sorted(wrong.ravel().tolist(), reverse=True)[:20]
    for bar, true, predicted in zip(
        bars, above.get_yticklabels(), right.get_yticklabels(), strict=True
    ):
        names = [int(label.get_text().split()[-1]) for label in (true, predicted)]
        assert wrong[tuple(names)] == bar
    shown = {label.get_text() for label in below.get_yticklabels()}
    assert len(shown) == 20
    assert {label.get_text() for label in above.get_yticklabels()[:8]} <= shown
    shares = below.images[0].get_array()
    ids = [int(label.get_text().split()[-1]) for label in below.get_yticklabels()]
    rows = many.confusion.sum(axis=1)
    np.testing.assert_allclose(shares, many.confusion[np.ix_(ids, ids)] / rows[ids][:, None])


def test_without_a_confusion_the_largest_classes_are_shown():
    counts = np.diag(np.arange(40))
    [below] = most_confused_figure(counts, [f"c{i}" for i in range(40)]).axes
    title = "20 of 40 classes: the largest, as none is confused with another"
    assert below.get_title() == title
    assert [label.get_text() for label in below.get_yticklabels()] == [
        f"c{i}" for i in range(39, 19, -1)
    ]


def test_precision_over_recall_is_that_of_the_mean_and_the_worst(many):
    [axes] = precision_recall_figure(many).axes
    areas = {name: row["average_precision"] for name, row in many.per_class.items()}
    areas = {name: area for name, area in areas.items() if area is not None}
    mean, *worst = [line.get_label() for line in axes.lines]
    assert mean == f"mean of {len(areas)} classes: AP {np.mean(list(areas.values())):.4f}"
    lowest = sorted(areas, key=areas.__getitem__)[:5]
    assert worst == [f"{name}: AP {areas[name]:.4f}" for name in lowest]
    drawn = axes.lines[0].get_ydata()
    assert drawn.mean() == pytest.approx(np.mean(list(areas.values())), abs=0.02)


def test_the_text_has_the_worst_classes_and_says_how_many_more(many):
    lines = many.classification_report.splitlines()
    assert len(lines) == 2 + 20 + 2 + 4
    shown = [line.split()[1] for line in lines[2:22]]
    f1 = [many.per_class[f"intent {number}"]["f1"] for number in shown]
    assert f1 == sorted(row["f1"] for row in many.per_class.values() if row["support"])[:20]
    more = "280 more are in metrics.json and the output of --json"
    assert lines[23] == f"the 20 classes with the lowest F1; {more}"
    assert lines[-3].split()[0] == "accuracy"


def test_json_has_the_pairs_instead_of_the_whole_matrix(many):
    found = json.loads(json.dumps(many.as_json()))
    assert found["confusion"] is None
    again = np.zeros_like(many.confusion)
    for true, predicted, rows in found["confusion_pairs"]:
        again[true, predicted] = rows
    np.testing.assert_array_equal(again, many.confusion)
    few = evaluation_of(100, 300)[0].as_json()
    assert len(few["confusion"]) == 100 and "confusion_pairs" not in few
