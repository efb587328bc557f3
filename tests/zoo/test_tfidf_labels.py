"""tfidf_linear with several labels a text: a calibrated linear SVM for each label."""

import numpy as np
import pytest
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from kerasnlp_lab import train
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.data.row_labels import label_matrix, strata
from kerasnlp_lab.tasks import MultiLabel
from kerasnlp_lab.text import tokenize
from kerasnlp_lab.zoo import Recipe, create_model, predict_logits
from kerasnlp_lab.zoo.tfidf_linear import _platt, _sparse_rows
from kerasnlp_lab.zoo.tfidf_tokens import TfidfOptions, resolve_tokens

NAMES = ("cat", "oil", "goal", "every")
FILLERS = "the a of on in and for to at by".split()


def drawn(rows, seed):
    """Returns texts whose labels are the words in them; the last label is that of all texts."""
    rng = np.random.default_rng(seed)
    has = rng.random((rows, 3)) < (0.4, 0.3, 0.15)
    texts = [" ".join([*rng.choice(FILLERS, 5), *(np.array(NAMES[:3])[row])]) for row in has]
    return Split(texts, label_sets=[(*np.flatnonzero(row).tolist(), 3) for row in has])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    data = TextDataset("words", NAMES, drawn(120, 0), drawn(60, 1), drawn(60, 2))
    model = create_model("tfidf_linear", MultiLabel(NAMES), data.train.texts)
    result = train(model, data, Recipe(epochs=1), tmp_path_factory.mktemp("tfidf") / "run")
    return model, data, result


def test_labels_are_learned_and_calibrated(trained):
    model, data, result = trained
    logits = predict_logits(model, data.test.texts)
    truth = label_matrix(data.test.label_sets, 4).toarray()
    assert ((logits > 0) == truth).mean() > 0.97
    assert [line["C"] for line in result.history] == [0.1, 0.2, 0.5, 1.0]
    best = result.history[result.best_epoch - 1]
    assert best["val_accuracy"] > 0.95 and best["val_loss"] == min(
        line["val_loss"] for line in result.history
    )


def test_scores_rank_as_scikit_learns_one_vs_rest(trained):
    model, data, result = trained
    x, rows = _sparse_rows(model.text, tokenize(model.text, data.train.texts))
    y = label_matrix(data.train.label_sets, 4).toarray()[rows][:, :3]
    strength = result.history[result.best_epoch - 1]["C"]
    expected = OneVsRestClassifier(LinearSVC(C=strength, random_state=0)).fit(x, y)
    x_test, order = _sparse_rows(model.text, tokenize(model.text, data.test.texts))
    logits = predict_logits(model, data.test.texts)[order][:, :3]
    for label, scores in enumerate(expected.decision_function(x_test).T):
        assert np.corrcoef(scores, logits[:, label])[0, 1] == pytest.approx(1, abs=1e-4)


def test_platts_factor_leaves_labels_alone_that_cannot_be_fitted():
    rng = np.random.default_rng(0)
    decisions = rng.normal(size=(2000, 4))
    truth = rng.random((2000, 4)) < 1 / (1 + np.exp(-(3 * decisions - 1)))
    truth[:, 1], truth[:, 2], truth[:, 3] = True, False, decisions[:, 3] < 0
    scale, shift = _platt(decisions, truth)
    assert (scale[0], shift[0]) == pytest.approx((3, -1), abs=0.4)
    assert scale[1:].tolist() == [1, 1, 1] and shift[1:].tolist() == [0, 0, 0]


def test_a_class_weight_is_the_weight_of_rows_with_the_label(trained, tmp_path):
    model, data, _ = trained
    before = predict_logits(model, data.test.texts)
    heavy = create_model("tfidf_linear", MultiLabel(NAMES), data.train.texts)
    train(heavy, data, Recipe(epochs=1, class_weight="goal=50"), tmp_path / "run")
    after = predict_logits(heavy, data.test.texts)
    np.testing.assert_allclose(before[:, :2] - after[:, :2], 0, atol=0.5)
    assert np.abs(before[:, 2] - after[:, 2]).max() > 0.1


def test_words_or_characters_are_chosen_by_the_rarest_label(trained):
    _, data, _ = trained
    _, line = resolve_tokens(TfidfOptions(), data.train.texts, strata(data.train))
    assert "3-fold cross-validation on 1" in line
    assert resolve_tokens(TfidfOptions(), data.train.texts, data.train.labels)[1] == ""
