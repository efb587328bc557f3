"""Predictor answers in order, reads at most one chunk ahead, and refuses damaged exports."""

import dataclasses
import os
import shutil
import signal

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from kerasnlp_lab import create_classifier, evaluate
from kerasnlp_lab.data import Split
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.errors import DataError, RunError
from kerasnlp_lab.explanation import explain
from kerasnlp_lab.export import open_predictor
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.zoo import predict_logits

TEXTS = [f"the {'cat ' * (37 * i % 23)}oil" for i in range(100)]  # lengths in random order


@pytest.fixture(scope="module")
def predictor(exported):
    return open_predictor(exported["transformer"][1])


@pytest.fixture
def copied(exported, tmp_path):
    """A copy of an export that a test can damage."""
    return shutil.copytree(exported["transformer"][1], tmp_path / "copied")


def assert_answers(predictions, classifier, texts):
    logits = predict_logits(classifier, texts)
    assert [one.text for one in predictions] == list(texts)
    for one, row in zip(predictions, logits, strict=True):
        assert one.label == classifier.label_names[row.argmax()]
        assert list(one.probabilities) == list(classifier.label_names)
        expected = np.exp(row) / np.exp(row).sum()
        np.testing.assert_allclose(list(one.probabilities.values()), expected, atol=1e-5)


@pytest.mark.parametrize("chunk", [7, 512])
def test_answers_come_in_the_texts_order(exported, predictor, chunk):
    assert_answers(list(predictor.predict(TEXTS, chunk=chunk)), exported["transformer"][0], TEXTS)


def test_a_run_answers_as_its_classifier(exported, tmp_path):
    classifier, _ = exported["transformer"]
    run = RunDirectory.create(tmp_path / "run", {})
    classifier.save(run.model)
    run.write_json("metrics.json", {})
    predictor = open_predictor(run.path)
    assert_answers(list(predictor.predict(TEXTS[:10])), classifier, TEXTS[:10])


def test_no_more_than_a_chunk_is_read_ahead(predictor):
    read = []
    texts = (read.append(text) or text for text in TEXTS)
    answers = predictor.predict(texts, chunk=4)
    assert read == []
    next(answers)
    assert len(read) == 4
    for _ in range(4):
        next(answers)
    assert len(read) == 8


def test_chunks_grow_as_long_as_they_are_quick(predictor, monkeypatch):
    sizes = []

    def answer(texts):
        sizes.append(len(texts))
        if len(texts) == 2048:
            now[0] += 2
        return [None] * len(texts)

    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    quick = dataclasses.replace(predictor, answer=answer)
    assert len(list(quick.predict("cat" for _ in range(9000)))) == 9000
    assert sizes == [512, 1024, 2048, 2048, 2048, 1320]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    "use", ["predict", "go_on", "open", "logits", "explain", "create", "model", "call"]
)
def test_a_fork_is_told_to_spawn(use, exported, predictor):
    classifier, folder = exported["transformer"]
    begun = predictor.predict(TEXTS, chunk=1)
    next(begun)
    uses = {
        "predict": lambda: predictor.predict(["free cash"]),
        "go_on": lambda: next(begun),
        "open": lambda: open_predictor(folder),
        "logits": lambda: predict_logits(classifier, TEXTS),
        "explain": lambda: explain(classifier, TEXTS[0]),
        "model": lambda: classifier.model.predict(tf.constant(TEXTS), verbose=0),
        "call": lambda: classifier.model(tf.constant(TEXTS)),
        "create": lambda: create_classifier("transformer", ["a", "b"], TEXTS),
    }
    message = in_a_fork(uses[use])
    assert message.startswith("ForkError: TensorFlow does not survive a fork")
    assert 'multiprocessing.get_context("spawn")' in message


def in_a_fork(function):
    """Returns the error that a function raises in a forked process."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(30)  # ends a child that hangs
        try:
            function()
            said = "no error"
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with open(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def test_one_string_is_no_list_of_texts(predictor):
    with pytest.raises(DataError, match=r"got the single str 'free cash'; pass \['free cash'\]"):
        predictor.predict("free cash")
    answers = predictor.predict(["cat", None])
    with pytest.raises(DataError, match="the text of row 1 is missing"):
        next(answers)


def test_texts_in_every_container_are_answered_alike(exported, predictor):
    classifier = exported["transformer"][0]
    expected = predict_logits(classifier, TEXTS[:9])
    column = pd.Series(TEXTS[:9], index=range(9, 0, -1))
    for texts in (np.array(TEXTS[:9]), column, tf.constant(TEXTS[:9]), StoredTexts.write(column)):
        np.testing.assert_array_equal(predict_logits(classifier, texts), expected)
        assert [one.text for one in predictor.predict(texts)] == TEXTS[:9]
    np.testing.assert_array_equal(predict_logits(classifier, (text for text in column)), expected)
    rows = tf.data.Dataset.from_tensor_slices(TEXTS[:9])
    np.testing.assert_array_equal(predict_logits(classifier, rows), expected)
    with pytest.raises(DataError, match="row 1 is missing"):
        predict_logits(classifier, ["cat", None])


def test_a_label_of_no_class_is_not_evaluated(exported):
    with pytest.raises(DataError, match="row 1 has label 9, expected 0 to 3"):
        evaluate(exported["transformer"][0], Split(["cat", "dog"], [0, 9]))


def test_no_texts_no_answers(predictor):
    assert list(predictor.predict([])) == []


def test_bytes_that_are_not_utf8_are_shown_replaced(predictor):
    raw, replaced = predictor.predict([b"cat \xff", "cat \ufffd"])
    assert raw.text == replaced.text == "cat \ufffd"
    assert raw.probabilities == pytest.approx(replaced.probabilities)


def test_texts_from_python_may_hold_half_a_surrogate_pair(predictor):
    """Python's own JSON reader can return such strings."""
    (answer,) = predictor.predict(["cat \ud83d"])
    assert answer.text.startswith("cat ")


@pytest.mark.parametrize(
    "name",
    ["saved_model.pb", "variables/variables.data-00000-of-00001", "variables/variables.index"],
)
def test_an_altered_file_is_named(copied, name):
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    with pytest.raises(RunError, match=f"{copied / name} has been altered"):
        open_predictor(copied)


def test_a_missing_file_is_named(copied):
    (copied / "variables" / "variables.index").unlink()
    with pytest.raises(RunError, match=r"variables\.index is missing"):
        open_predictor(copied)


def test_a_missing_manifest_is_named(copied):
    (copied / "assets.extra" / "manifest.json").unlink()
    with pytest.raises(RunError, match=r"has no assets\.extra/manifest\.json"):
        open_predictor(copied)


@pytest.mark.parametrize("content", ["", '{"sha256": {', "{}", "[]"])
def test_a_damaged_manifest_is_named(copied, content):
    (copied / "assets.extra" / "manifest.json").write_text(content)
    with pytest.raises(RunError, match=r"manifest\.json"):
        open_predictor(copied)


def test_a_folder_that_is_neither_an_export_nor_a_run(tmp_path):
    with pytest.raises(RunError, match="neither an exported model .* nor a run directory"):
        open_predictor(tmp_path)
