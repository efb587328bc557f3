"""The task of several labels: targets, losses, weights, answers in Python and in the graph."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.errors import DataError, OptionError, UnknownNameError
from kerasnlp_lab.evaluation import evaluate
from kerasnlp_lab.tasks import Classification, Entities, MultiLabel, find_task
from kerasnlp_lab.tasks.label_decision import LabelDecision
from kerasnlp_lab.zoo import create_classifier
from tests.tasks.cases import LABEL_SETS, ROWS, TEXTS

NAMES = ("pets", "money", "sport")
SETS = Split(TEXTS, label_sets=LABEL_SETS)
DATA = TextDataset("few texts", NAMES, SETS, SETS, SETS)
TASK = MultiLabel(NAMES)
TRUTH = np.array([[label in ids for label in range(3)] for ids in LABEL_SETS], np.float32)


def test_targets_are_looked_up_in_a_graph():
    rows = [5, 0, 1, 4, 1]
    look_up = tf.function(TASK.targets(None, SETS))
    np.testing.assert_array_equal(look_up(tf.constant(rows)), TRUTH[rows])
    assert look_up(tf.constant([5])).numpy().tolist() == [[0, 0, 0]]


def test_losses_equal_keras_and_their_weight_is_the_rows():
    logits = np.random.default_rng(0).normal(size=TRUTH.shape).astype(np.float32)
    of_labels = keras.losses.BinaryCrossentropy(True, reduction="none")
    expected = of_labels(TRUTH[..., np.newaxis], logits[..., np.newaxis]).numpy()
    total, weight = TASK.losses(tf.constant(logits), tf.constant(TRUTH))
    assert float(total) == pytest.approx(expected.sum(), rel=1e-5) and float(weight) == 8
    smoothed = dataclasses.replace(TASK, label_smoothing=0.2)
    keras_smoothed = keras.losses.BinaryCrossentropy(True, 0.2, reduction="sum")
    expected = keras_smoothed(TRUTH[..., np.newaxis], logits[..., np.newaxis])
    assert float(smoothed.losses(tf.constant(logits), tf.constant(TRUTH))[0]) == pytest.approx(
        float(expected), rel=1e-5
    )


def test_balanced_weights_give_both_sides_of_a_label_the_same_total():
    task = TASK.for_training(DATA, class_weight="balanced")
    counts = TRUTH.sum(axis=0)
    np.testing.assert_allclose(np.array(task.positive_weights) * counts, 8 - counts)
    each = tf.constant(np.zeros(TRUTH.shape, np.float32))
    plain, weighted = (float(one.losses(each, tf.constant(TRUTH))[0]) for one in (TASK, task))
    assert weighted / plain == pytest.approx(2 * (8 - counts).sum() / TRUTH.size)


def test_a_label_of_every_row_keeps_a_weight():
    every = Split(["a cat", "b cat"], label_sets=[(0,), (0, 1)])
    data = TextDataset("every", ("a", "b"), every, every, every)
    assert MultiLabel.for_data(data).for_training(data, class_weight="balanced") == MultiLabel(
        ("a", "b"), 0.0, (0.5, 1.0)
    )


def test_weights_by_name():
    task = TASK.for_training(DATA, class_weight="sport=3")
    assert task.positive_weights == (1.0, 1.0, 3.0)
    with pytest.raises(UnknownNameError, match="'spotr'"):
        TASK.for_training(DATA, class_weight="spotr=3")


def test_the_tally_is_micro_f1():
    logits = tf.constant([[1.0, -1, 1], [-1, -1, -1]])
    assert TASK.tally(logits, tf.constant([[1.0, 1, 0], [0, 0, 0]])).numpy().tolist() == [2, 4]


LOGITS = np.array([[3.0, -3, 1], [-9, -9, -9], [0.1, 0.2, 0.3]], np.float32)
DECISION = LabelDecision(2.0, (0.5, 0.5, 0.6))


def test_answers_in_python_and_in_the_graph_are_equal():
    texts = ["one\ntwo", "none", "x"]
    answers = TASK.answers(LOGITS, DECISION, texts)
    assert [one.labels for one in answers] == [("pets", "sport"), (), ("money", "pets")]
    assert answers[0].as_json()["labels"] == ["pets", "sport"]
    assert list(answers[0].as_json()) == ["text", "labels", "probabilities"]
    assert answers[0].as_line() == "pets 0.818; sport 0.622"
    assert answers[1].as_line() == "none"
    graph = tf.function(lambda x: TASK.answers_in_graph(x, DECISION, tf.constant(texts)))
    outputs = {name: one.numpy() for name, one in graph(tf.constant(LOGITS)).items()}
    assert outputs["count"].tolist() == [2, 0, 2]
    assert outputs["labels"].tolist() == [[b"pets", b"sport"], [b"", b""], [b"money", b"pets"]]
    assert [one.labels for one in TASK.read_answers(outputs, texts)] == [
        one.labels for one in answers
    ]


@pytest.mark.parametrize("rows", [0, 2])
def test_a_batch_without_rows_or_labels(rows):
    outputs = TASK.answers_in_graph(tf.fill([rows, 3], -9.0), DECISION, tf.fill([rows], "a"))
    assert outputs["labels"].shape == (rows, 0) and outputs["count"].shape == (rows,)
    assert outputs["probabilities"].shape == outputs["thresholds"].shape == (rows, 3)


def test_a_classifier_answers_with_the_same_keys():
    classes = Classification(NAMES)
    (answer,) = classes.answers(LOGITS[:1], classes.decision_type(), ["a"])
    assert answer.as_json()["labels"] == ["pets"] == [answer.label]
    assert {*answer.as_json()} - {"label"} == {"text", "labels", "probabilities"}


@pytest.mark.parametrize(
    ("task", "data"),
    [
        ("classification", DATA),
        ("entities", DATA),
        ("multi_label", TextDataset("one label", NAMES, ROWS, ROWS, ROWS)),
    ],
)
def test_rows_for_another_task_are_refused(task, data):
    with pytest.raises(OptionError, match=f"{data.name} ha|of {data.name} have"):
        find_task(task).for_data(data)


def test_a_split_for_another_task_is_not_evaluated():
    classifier = create_classifier("tfidf_linear", NAMES, TEXTS)
    with pytest.raises(DataError, match="classification needs rows with labels, got .* label_sets"):
        evaluate(classifier, SETS)
    assert Entities.annotation == "spans"


def test_a_positive_class_is_refused():
    with pytest.raises(OptionError, match="positive_class must be left out for multi_label"):
        TASK.check_decision("auto", "pets")
