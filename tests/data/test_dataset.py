"""Split and TextDataset check their values and have a fingerprint."""

import subprocess
import sys

import numpy as np
import pytest

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.errors import DataError
from tests.data.ag_news_files import environment

NAMES = ("ham", "spam")
TRAIN = Split(("a b", "c", "d"), [0, 1, 0])
OTHER = Split(("e",), [1])


def dataset(train=TRAIN, validation=OTHER, test=OTHER, names=NAMES, name="mine"):
    return TextDataset(name, names, train, validation, test)


@pytest.mark.parametrize(
    ("labels", "shape"), [([0, 1], r"\(2,\)"), ([[0], [1], [0]], r"\(3, 1\)"), (1, r"\(\)")]
)
def test_a_label_for_each_text(labels, shape):
    message = f"expected one label for each of 3 texts, got labels of shape {shape}"
    with pytest.raises(DataError, match=message):
        Split(("a", "b", "c"), labels)


def test_split_holds_its_rows_in_order():
    split = Split(["a", "b", "c"], (2, 0, 1))
    assert (len(split), split.texts, split.labels.dtype) == (3, ("a", "b", "c"), np.int64)
    taken = split.take(np.array([2, 0, 0]))
    assert (taken.texts, taken.labels.tolist()) == (("c", "a", "a"), [1, 2, 2])
    rows = [(t.decode(), int(i)) for t, i in split.as_tf_dataset().as_numpy_iterator()]
    assert rows == [("a", 2), ("b", 0), ("c", 1)]
    assert len(split.take(np.array([], int))) == 0


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize("label", [-1, 2])
def test_label_out_of_range(part, label):
    wrong = Split(("x", "y", "z", "w"), [0, 1, label, label])
    message = rf"mine: row 2 of the {part} split has label {label}, expected 0 to 1 \(ham, spam\)"
    with pytest.raises(DataError, match=message):
        dataset(**{part: wrong})


@pytest.mark.parametrize("text", ["", " \t\n"])
def test_empty_text_to_train_on(text):
    with pytest.raises(DataError, match="mine: row 1 of the training split has no text; remove"):
        dataset(train=Split(("a", text), [0, 1]))
    assert len(dataset(test=Split((text,), [0])).test) == 1  # users may predict an empty text


def test_class_without_rows():
    message = "mine: no row to train on for class 'b', 'd'; add rows of that class, or take it out"
    with pytest.raises(DataError, match=message):
        dataset(train=Split(("x", "y"), [0, 2]), names=("a", "b", "c", "d"))


def test_no_rows_to_train_on():
    with pytest.raises(DataError, match="no row to train on for class 'ham', 'spam'"):
        dataset(train=Split((), np.zeros(0, int)))


def test_fingerprint_changes_with_everything_in_it():
    changed = [
        dataset(),
        dataset(names=("spam", "ham")),
        dataset(train=Split(("a b", "c", "D"), [0, 1, 0])),
        dataset(train=Split(("a", "b c", "d"), [0, 1, 0])),
        dataset(train=Split(("c", "a b", "d"), [0, 1, 0])),
        dataset(train=Split(("a b", "c", "d"), [0, 1, 1])),
        dataset(train=Split(("a b", "c"), [0, 1]), validation=Split(("d", "e"), [0, 1])),
        dataset(test=Split(("é",), [1])),
        dataset(test=Split(("e", "e"), [1, 1])),
    ]
    assert len({one.fingerprint for one in changed}) == len(changed)
    assert dataset(name="another name").fingerprint == dataset().fingerprint


def test_fingerprint_is_the_same_in_another_process():
    program = (
        "from kerasnlp_lab.data import Split, TextDataset\n"
        "train, other = Split(('a b', 'c', 'd'), [0, 1, 0]), Split(('e',), [1])\n"
        "print(TextDataset('mine', ('ham', 'spam'), train, other, other).fingerprint)\n"
        "import sys; print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(PYTHONHASHSEED="7"),
        timeout=60,
    )
    # data/ imports TensorFlow only when rows are needed as a tf.data source.
    assert done.stdout.split() == [dataset().fingerprint, "False"], done.stderr
