"""`Distilled`: the loss of a student, and soft targets for models that are solved."""

import dataclasses
import re

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.tasks import Classification, Entities, Generation, MultiLabel
from kerasnlp_lab.tasks.distilled import Distilled, Lesson, SoftTargets
from kerasnlp_lab.training.phases import task_and_rows
from kerasnlp_lab.zoo import Recipe

TEXTS = ("one", "two", "three", "four", "five")
NAMES = ("a", "b", "c")
LABELLED = np.array([True, True, False, True, False])
TEACHER = np.random.default_rng(1).normal(0, 3, (5, 3)).astype(np.float32)
STUDENT = np.random.default_rng(2).normal(0, 2, (5, 3)).astype(np.float32)
SETS = ((0,), (1, 2), (2,), (), (0, 1))
ONE = Split(TEXTS, [0, 1, 2, 2, 0])
SEVERAL = Split(TEXTS, label_sets=SETS)
OWN = {
    "labels": np.eye(3)[ONE.labels],
    "label_sets": np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0], [1, 1, 0]]),
}
CASES = pytest.mark.parametrize(
    "task, rows",
    [(Classification(NAMES), ONE), (MultiLabel(NAMES), SEVERAL)],
    ids=["one", "several"],
)


def distilled(task, rows, **settings):
    return Distilled(task, Lesson(rows, LABELLED, TEACHER, **settings))


def targets_of(task, split):
    return task.targets(None, split)(tf.range(len(split)))


def cross_entropies(task, target, logits):
    """Returns the cross-entropy of each row in NumPy, float64 [rows]."""
    logits = np.asarray(logits, np.float64)
    if isinstance(task, Classification):
        return -(target * scipy.special.log_softmax(logits, axis=1)).sum(axis=1)
    losses = target * np.logaddexp(0, -logits) + (1 - target) * np.logaddexp(0, logits)
    return losses.sum(axis=1)


def probabilities(task, logits):
    one = isinstance(task, Classification)
    return scipy.special.softmax(logits, axis=1) if one else scipy.special.expit(logits)


@CASES
@pytest.mark.parametrize("temperature, hard", [(1.0, 0.5), (2.0, 0.25), (3.0, 0.0), (1.0, 1.0)])
def test_the_loss_is_hintons(task, rows, temperature, hard):
    student = distilled(task, rows, temperature=temperature, hard=hard)
    loss, weight = student.losses(tf.constant(STUDENT), targets_of(student, rows))
    taught = probabilities(task, TEACHER / temperature)
    soft = temperature**2 * cross_entropies(task, taught, STUDENT / temperature)
    own = cross_entropies(task, OWN[rows.annotation], STUDENT)
    expected = np.where(LABELLED, (1 - hard) * soft + hard * own, soft)
    assert weight == 5
    np.testing.assert_allclose(loss, expected.sum(), rtol=1e-5)


@CASES
def test_validation_rows_have_the_tasks_own_loss_and_tally(task, rows):
    student, others = distilled(task, rows), dataclasses.replace(rows)
    targets = targets_of(student, others)
    assert not isinstance(targets, SoftTargets)
    logits = tf.constant(STUDENT)
    for found, expected in (
        (student.losses(logits, targets), task.losses(logits, targets)),
        (student.tally(logits, targets), task.tally(logits, targets)),
    ):
        np.testing.assert_array_equal(found, expected)


@CASES
def test_labels_that_a_row_does_not_have_are_never_counted(task, rows):
    student = distilled(task, rows)
    targets = targets_of(student, rows)
    counted = student.tally(tf.constant(STUDENT), targets)
    own = tf.boolean_mask(targets.own, LABELLED)
    np.testing.assert_array_equal(counted, task.tally(tf.constant(STUDENT[LABELLED]), own))
    several = targets.own.shape.rank == 2
    mask = LABELLED[:, np.newaxis] if several else LABELLED
    changed = targets._replace(own=tf.where(mask, targets.own, 1 - targets.own if several else 1))
    for measure in (student.losses, student.tally):
        np.testing.assert_array_equal(
            measure(tf.constant(STUDENT), targets), measure(tf.constant(STUDENT), changed)
        )


@CASES
def test_a_batch_without_labels_has_a_loss_and_nothing_to_count(task, rows):
    student = distilled(task, rows)
    targets = tf.nest.map_structure(lambda one: one[2:3], targets_of(student, rows))
    with tf.GradientTape() as tape:
        logits = tf.Variable(STUDENT[2:3])
        loss, weight = student.losses(logits, targets)
    assert loss > 0 and weight == 1
    assert np.isfinite(tape.gradient(loss, logits)).all()
    np.testing.assert_array_equal(student.tally(logits, targets), [0, 0])


@CASES
def test_soft_targets_are_the_mixture_whose_loss_it_is(task, rows):
    student = distilled(task, rows, hard=0.3)
    order = np.array([3, 0, 2, 1, 4])
    soft = student.soft_targets(order)
    assert soft.dtype == np.float32 and soft.shape == (5, 3)
    taught = probabilities(task, TEACHER[order])
    np.testing.assert_allclose(soft[[2, 4]], taught[[2, 4]], rtol=1e-5)
    mixed = 0.7 * taught + 0.3 * OWN[rows.annotation][order]
    np.testing.assert_allclose(soft[[0, 1, 3]], mixed[[0, 1, 3]], rtol=1e-5)
    loss, _ = student.losses(tf.constant(STUDENT), targets_of(student, rows))
    in_order = student.soft_targets(np.arange(5))
    np.testing.assert_allclose(loss, cross_entropies(task, in_order, STUDENT).sum(), rtol=1e-5)


def test_the_recipes_settings_come_from_the_labelled_rows():
    labelled = Split(TEXTS, [0, 0, 0, 0, 1])
    data = TextDataset("few", ("x", "y"), labelled, labelled, labelled)
    rows = Split((*TEXTS, "six", "seven"), [0, 0, 0, 0, 1, 1, 1])
    lesson = Lesson(rows, np.arange(7) < 5, np.zeros((7, 2)))
    task, learned = task_and_rows(
        Classification(("x", "y")), data, Recipe(class_weight="balanced"), lesson
    )
    assert isinstance(task, Distilled) and learned.train is rows
    assert learned.validation is data.validation
    np.testing.assert_allclose(task.task.loss.class_weights, [5 / 8, 5 / 2])


@pytest.mark.parametrize(
    "task", [Entities(("pet",)), Generation(("a",), 3)], ids=["entities", "generation"]
)
def test_other_tasks_are_refused(task):
    message = f"the task {task.name} has others; distil a run of classification or multi_label"
    with pytest.raises(OptionError, match=re.escape(message)):
        Distilled(task, Lesson(ONE, LABELLED, TEACHER))


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"temperature": 0.0}, OptionError, "temperature must be above 0, got 0.0"),
        ({"hard": 1.5}, OptionError, "hard must be from 0 to 1, got 1.5"),
        ({"logits": TEACHER[:3]}, DataError, "for each of 5 rows, got (5,) and (3, 3)"),
        ({"labelled": LABELLED[:3]}, DataError, "for each of 5 rows, got (3,) and (5, 3)"),
    ],
    ids=["temperature", "hard", "logits", "labelled"],
)
def test_a_lesson_that_cannot_be(changes, error, message):
    lesson = Lesson(ONE, LABELLED, TEACHER)
    with pytest.raises(error, match=re.escape(message)):
        dataclasses.replace(lesson, **changes)
