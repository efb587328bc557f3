"""Generation: symbols, targets that cannot be written, the loss, and answers."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.tasks import Classification, GeneratedText, Generation, read_task
from kerasnlp_lab.tasks.generation import END, PADDING, UNKNOWN

TASK = Generation(("a", "b", "\U0001f388"), 4)
A, B = 3, 4


def dataset(train, test=("a",)):
    texts = ["text"] * len(train)
    held_out = Split(["text"] * len(test), target_texts=test)
    return TextDataset("rows", (), Split(texts, target_texts=train), held_out, held_out)


def test_symbols_are_those_of_the_training_targets():
    task = Generation.for_data(dataset(["ba", "\U0001f388bbb"], ["c"]))
    assert task == TASK
    assert read_task({"task": task.to_json()}) == task


def test_other_rows_are_refused():
    rows = Split(["a"], target_texts=["b"])
    with pytest.raises(OptionError, match="have a target text each, and the task classification"):
        Classification.for_data(TextDataset("rows", (), rows, rows, rows))
    labelled = Split(["a", "b"], [0, 1])
    with pytest.raises(OptionError, match="needs a target text each"):
        Generation.for_data(TextDataset("rows", ("x", "y"), labelled, labelled, labelled))
    with pytest.raises(DataError, match="hold no characters"):
        Generation((), 0)


def test_target_ids():
    found = TASK.target_ids(["ab", "ac", "\U0001f388", "\ud83d"]).to_list()
    assert found == [[A, B, END], [A, UNKNOWN, END], [5, END], [UNKNOWN, END]]


def test_targets_that_cannot_be_written_are_noted():
    data = dataset(["ab", "\U0001f388aab"], ["ac", "cd", "b"])
    assert TASK.unseen_symbols(["ac", "cd", "b"]) == {"c": 2, "d": 1}
    notes = TASK.rows_to_train_on(None, data).notes
    assert notes == (
        "2 of 3 validation targets have characters that no training target has, and cannot be "
        "written: c, d",
        "2 of 3 test targets have characters that no training target has, and cannot be written: "
        "c, d",
    )
    assert TASK.rows_to_train_on(None, dataset(["ab"], ["a"])).notes == ()


def test_losses_and_tally_count_symbols_and_whole_texts():
    targets = tf.constant([[A, B, END], [B, END, PADDING]])
    best = [[A, B, END], [A, END, B]]  # what stands at padding does not count
    logits = 5.0 * tf.one_hot(best, 6)
    loss, weight = TASK.losses(logits, targets)
    surely, wrong = (-np.log(np.exp(x) / (np.exp(5) + 5)) for x in (5, 0))
    assert (float(loss), float(weight)) == (pytest.approx(4 * surely + wrong, rel=1e-5), 5)
    np.testing.assert_array_equal(TASK.tally(logits, targets), [4, 5, 1, 2])


def test_answers():
    half, one = np.log(0.5), 0.0
    logits = np.array(
        [
            [[A, half], [5, one], [END, half], [PADDING, 0]],
            [[B, one], [B, one], [B, one], [B, one]],
            [[END, half], *[[PADDING, 0]] * 3],
        ],
        np.float32,
    )
    found = TASK.answers(logits, None, ["x", "y", "z"])
    assert [(one.output, one.complete) for one in found] == [
        ("a\U0001f388", True),
        ("bbbb", False),
        ("", True),
    ]
    assert [one.score for one in found] == pytest.approx([0.25 ** (1 / 3), 1, 0.5])
    assert found[1].as_json() == {"text": "y", "output": "bbbb", "score": 1.0, "complete": False}
    assert found[1].as_line() == "bbbb… 1.000"


def test_a_pair_has_two_texts_in_its_answer():
    answer = GeneratedText("first", "out", 0.5, second_text="second")
    assert list(answer.as_json()) == ["text", "second_text", "output", "score", "complete"]
