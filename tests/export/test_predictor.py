"""Predictor answers in order, reads at most one chunk ahead, and refuses damaged exports."""

import dataclasses
import shutil

import numpy as np
import pytest

from kerasnlp_lab.errors import RunError
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
