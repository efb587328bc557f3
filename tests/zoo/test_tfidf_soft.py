"""tfidf_linear as a student: it learns the shares of classes in soft targets."""

import numpy as np
import pytest

from kerasnlp_lab import train
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.tasks import Classification, MultiLabel
from kerasnlp_lab.tasks.distilled import Lesson
from kerasnlp_lab.zoo import Recipe, create_model, predict_logits

NAMES = ("cat", "oil", "goal")
FILLERS = "the a of on in and for to at by".split()
TASKS = pytest.mark.parametrize(
    "task", [Classification(NAMES), MultiLabel(NAMES)], ids=["one", "several"]
)


def drawn(task, rows, seed, words):
    """Returns rows of which a word tells the label, or one or two words the labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, rows)
    sets = [(int(label),) for label in labels]
    if isinstance(task, MultiLabel):
        sets = [tuple(sorted({*own, int(rng.integers(0, 3))})) for own in sets]
    texts = [
        " ".join([*rng.choice(FILLERS, 5), *(rng.choice(words[one]) for one in own)])
        for own in sets
    ]
    if isinstance(task, MultiLabel):
        return Split(texts, label_sets=sets)
    return Split(texts, labels)


def truth_of(split):
    sets = split.label_sets or [(label,) for label in split.labels]
    return np.array([[label in own for label in range(3)] for own in sets])


def right(task, logits, split):
    if isinstance(task, MultiLabel):
        return ((logits > 0) == truth_of(split)).mean()
    return (logits.argmax(axis=1) == split.labels).mean()


KNOWN = [["tiger"], ["crude"], ["striker"]]
NEW = [["lion"], ["barrel"], ["keeper"]]  # which no labelled row has


@TASKS
def test_a_student_learns_words_that_the_teacher_alone_knows(task, tmp_path):
    labelled = drawn(task, 60, 0, KNOWN)
    held_out = drawn(task, 60, 1, [a + b for a, b in zip(KNOWN, NEW, strict=True)])
    data = TextDataset("words", NAMES, labelled, held_out, held_out)
    more = drawn(task, 200, 2, NEW)
    if isinstance(task, MultiLabel):
        rows = Split([*labelled.texts, *more.texts], label_sets=[*labelled.label_sets, *[()] * 200])
    else:
        rows = Split([*labelled.texts, *more.texts], [*labelled.labels, *[0] * 200])
    taught = np.concatenate([truth_of(labelled), truth_of(more)])
    noise = np.random.default_rng(3).normal(0, 1, taught.shape)
    lesson = Lesson(rows, np.arange(260) < 60, np.where(taught, 3, -2) + noise)
    found = []
    for number, one in enumerate((None, lesson)):
        texts = rows.texts if one else labelled.texts
        model = create_model("tfidf_linear", task, texts, options={"tokens": "words"})
        train(model, data, Recipe(epochs=1), tmp_path / str(number), lesson=one)
        found.append(right(task, predict_logits(model, held_out.texts), held_out))
    assert found[0] < 0.85 and found[1] > 0.97


@TASKS
def test_class_weights_count_for_soft_targets(task, tmp_path):
    rows = drawn(task, 60, 0, KNOWN)
    data = TextDataset("words", NAMES, rows, drawn(task, 40, 1, KNOWN), rows)
    lesson = Lesson(rows, np.ones(60, bool), np.random.default_rng(0).normal(size=(60, 3)))
    found = []
    for number, weight in enumerate(("none", "oil=50")):
        model = create_model("tfidf_linear", task, rows.texts, options={"tokens": "words"})
        recipe = Recipe(epochs=1, class_weight=weight)
        result = train(model, data, recipe, tmp_path / str(number), lesson=lesson)
        assert [line["C"] for line in result.history] == [1, 2, 5, 10]
        logits = predict_logits(model, [" ".join(FILLERS)])[0]
        found.append(logits[1] - logits[[0, 2]].mean())
    assert found[1] > found[0] + 0.1
