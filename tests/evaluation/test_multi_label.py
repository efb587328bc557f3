"""The results of several labels are scikit-learn's; files, figures and intervals."""

import csv
import io
import json

import numpy as np
import pytest
import scipy.special
import sklearn.metrics

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.row_labels import label_matrix
from kerasnlp_lab.data.tables import csv_content
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.evaluation.multi_label import counts_of, score_label_sets
from kerasnlp_lab.evaluation.paired_tests import f1_interval, paired_bootstrap_f1
from kerasnlp_lab.evaluation.plots import png_bytes
from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.tasks.label_decision import LabelDecision

NAMES = ("joy", "love", "fear", "grief", "unseen")


def drawn(rows=400, labels=5, seed=0):
    """Returns a split and logits that know something of its labels; the last has no row."""
    rng = np.random.default_rng(seed)
    truth = rng.random((rows, labels)) < np.geomspace(0.4, 0.008, labels)
    truth[:, -1] = False
    logits = 2 * rng.normal(size=truth.shape) + 4 * truth - 3
    sets = [tuple(np.flatnonzero(row).tolist()) for row in truth]
    return Split([f"text {n}" for n in range(rows)], label_sets=sets), logits.astype(np.float32)


SPLIT, LOGITS = drawn()
DECISION = LabelDecision(1.5, (0.4, 0.5, 0.6, 0.5, 0.9999))
TRUTH = label_matrix(SPLIT.label_sets, 5).toarray()


@pytest.fixture(scope="module")
def result():
    return score_label_sets(LOGITS, SPLIT, NAMES, DECISION)


def test_figures_equal_scikit_learns(result):
    probabilities = scipy.special.expit(LOGITS / 1.5)
    found = probabilities >= np.array(DECISION.thresholds)
    f1 = {
        average: sklearn.metrics.f1_score(TRUTH, found, average=average, zero_division=0)
        for average in ("macro", "micro", "weighted")
    }
    has = TRUTH.any(axis=1)
    precision = sklearn.metrics.average_precision_score
    figures = result.figures_by_name
    assert figures == pytest.approx(
        {
            "macro_f1": f1["macro"],
            "micro_f1": f1["micro"],
            "weighted_f1": f1["weighted"],
            "micro_precision": sklearn.metrics.precision_score(TRUTH, found, average="micro"),
            "micro_recall": sklearn.metrics.recall_score(TRUTH, found, average="micro"),
            "macro_average_precision": precision(TRUTH[:, :4], probabilities[:, :4]),
            "micro_average_precision": precision(TRUTH, probabilities, average="micro"),
            "label_ranking_average_precision": (
                sklearn.metrics.label_ranking_average_precision_score(
                    TRUTH[has], probabilities[has]
                )
            ),
            "subset_accuracy": sklearn.metrics.accuracy_score(TRUTH, found),
        }
    )
    assert result.headline == ("macro_f1", figures["macro_f1"])
    each = sklearn.metrics.precision_recall_fscore_support(TRUTH, found, zero_division=0)
    for n, row in enumerate(result.per_label.values()):
        values = [row[one] for one in ("precision", "recall", "f1", "support")]
        assert values == pytest.approx([float(one[n]) for one in each])
        assert row["found"] == found[:, n].sum()
        assert row["threshold"] == pytest.approx(DECISION.thresholds[n])


def test_labels_that_are_rare_or_never_found_are_named(result):
    assert result.never_found == ["unseen"] and "never found: unseen" in result.as_text()
    nothing = score_label_sets(LOGITS, SPLIT, NAMES, LabelDecision(1.0, (0.99999,) * 5))
    assert nothing.never_found == list(NAMES) and nothing.headline[1] == 0
    counts = TRUTH.sum(axis=0)
    rare = sum(0 < count < 4 for count in counts)
    assert nothing.rare_labels == {
        "labels": rare,
        "right_at_least_once": 0,
        "macro_f1": 0.0 if rare else None,
    }
    assert nothing.as_json()["rows_without_found_labels"] == 400


def test_json_and_mistakes(result):
    content = json.loads(json.dumps(result.as_json()))
    assert content["rows"] == 400
    assert content["rows_without_labels"] == int((~TRUTH.any(axis=1)).sum()) > 0
    assert content["decision"]["thresholds"] == list(DECISION.thresholds)
    assert content["per_label"]["unseen"]["average_precision"] is None
    low, high = content["macro_f1_95_interval"]
    assert low < content["macro_f1"] < high
    mistakes = result.mistakes_as_json()
    for kind, wrong in (("missed", TRUTH & ~result.found), ("spurious", result.found & ~TRUTH)):
        own = [one for one in mistakes if one["kind"] == kind]
        assert len(own) == min(20, wrong.sum())
        shares = [one["probability"] for one in own]
        assert shares == sorted(shares, reverse=kind == "spurious")
        for one in own:
            assert wrong[one["row"], NAMES.index(one["label"])]


def test_report_figures_and_text(result):
    figures = {name: png_bytes(figure) for name, figure in result.figures().items()}
    assert result.main_figure in figures and figures["reliability"].startswith(b"\x89PNG")
    config = {
        "model": {"name": "m"},
        "dataset": dict.fromkeys(("name", "train_rows", "validation_rows", "test_rows"), 1),
        "seed": 0,
    }
    training = {"trained_parameters": 1, "total_parameters": 1, "seconds": 1, "best_epoch": 1}
    page = render_page(
        "kerasnlp_lab.evaluation",
        result.template,
        config=config,
        training=training,
        evaluation=result,
        figures=figures,
        text=result.as_text(),
    )
    assert "0.9999" in page and "The most confident spurious labels" in page
    text = result.as_text()
    assert f"macro-F1 {result.headline[1]:.4f} (95% " in text
    (line,) = [line for line in text.split("\n") if line.startswith("joy ")]
    assert line.split()[1] == "0.4000" and line.split()[-1] == str(TRUTH[:, 0].sum())


@pytest.mark.parametrize("labels", [5, 60])
def test_predictions_have_lists(labels):
    split, logits = drawn(30, labels)
    names = [f"é,{n}" for n in range(labels)]
    result = score_label_sets(logits, split, tuple(names))
    rows = list(csv.DictReader(io.StringIO(csv_content(*result.predictions()).decode())))
    for n, row in enumerate(rows):
        assert json.loads(row["labels"]) == [names[label] for label in split.label_sets[n]]
        found = [names[label] for label in np.flatnonzero(logits[n] >= 0)]
        assert json.loads(row["predicted"]) == found
        if labels == 5:
            assert float(row["probability: é,1"]) == pytest.approx(
                scipy.special.expit(logits[n, 1]), abs=1e-6
            )
        else:
            top = json.loads(row["most probable"])
            assert [name for name, _ in top] == [names[m] for m in np.argsort(-logits[n])[:5]]


def test_many_labels_are_shown_by_their_worst():
    split, logits = drawn(200, 40)
    result = score_label_sets(logits, split, tuple(f"label {n}" for n in range(40)))
    assert "the 20 labels with the lowest F1; 20 more" in result.as_text()
    assert result.figures()["labels"].axes[0].get_title() == "the 30 worst of 40 labels"
    shown = [line for line in result.as_text().split("\n") if line.startswith("label ")]
    assert len(shown) == 20


def test_one_label_and_no_labels():
    one = score_label_sets(
        np.array([[1.0], [-1.0]]), Split(["a", "b"], label_sets=[(0,), ()]), ("x",)
    )
    assert one.headline[1] == 1.0 and one.figures_by_name["label_ranking_average_precision"] is None
    none = score_label_sets(
        np.zeros((2, 2)) - 1, Split(["a", "b"], label_sets=[(), ()]), ("x", "y")
    )
    assert none.right.tolist() == [1, 1] and none.figures_by_name["macro_average_precision"] is None
    assert none.as_text() and none.figures()


def test_an_unknown_label_is_named():
    with pytest.raises(DataError, match="row 0 has the labels 7"):
        score_label_sets(LOGITS[:1], Split(["a"], label_sets=[(7,)]), NAMES)


def test_the_bootstrap_of_the_macro_f1_is_a_paired_one():
    rng = np.random.default_rng(0)
    truth = rng.random((500, 3)) < (0.5, 0.2, 0.05)
    good, bad = (truth ^ (rng.random(truth.shape) < share) for share in (0.02, 0.1))
    a, b = counts_of(good, truth), counts_of(bad, truth)
    scores = [sklearn.metrics.f1_score(truth, one, average="macro") for one in (good, bad)]
    low, high, p = paired_bootstrap_f1([a], [b])
    assert 0 < low < scores[0] - scores[1] < high and p == 1 / 2000
    assert paired_bootstrap_f1([b, b], [a, a])[:2] == pytest.approx((-high, -low))
    assert paired_bootstrap_f1([a], [a]) == (0, 0, 1)
    low, high = f1_interval(a)
    assert low < scores[0] < high
    resampled = []
    for _ in range(300):
        rows = rng.integers(500, size=500)
        resampled.append(sklearn.metrics.f1_score(truth[rows], good[rows], average="macro"))
    assert (low, high) == pytest.approx(np.quantile(resampled, (0.025, 0.975)), abs=0.02)
