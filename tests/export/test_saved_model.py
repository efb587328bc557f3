"""An export answers like its classifier, even without this package."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from kerasnlp_lab.errors import RunError, StorageError
from kerasnlp_lab.export import export_classifier
from kerasnlp_lab.zoo import predict_logits
from tests.limits import file_size_limit

NAMES = ("transformer", "hub_bert", "tfidf")
TEXTS = [
    b"the cat sat on oil",
    b"",
    b"team " * 200,
    b"\xff\xfe the \xc3 cat",
    "Ünïcödé 猫 \U0001f408 stocks fell".encode(),
    b"goal",
    b"oil game " * 11_112,  # 100,008 characters
    b"x" * 100_000,
    b"Stocks rose, the team won 3-1; a probe of Mars sent pictures.",
]
BATCHES = [TEXTS, TEXTS[:1], TEXTS[1:2], TEXTS[3:4], []]


@pytest.fixture(scope="module")
def answers(exported, tmp_path_factory):
    """The answers of another process, which has only TensorFlow, for each name and batch."""
    batches = tmp_path_factory.mktemp("texts") / "batches.json"
    batches.write_text(json.dumps([[text.hex() for text in batch] for batch in BATCHES]))
    script = Path(__file__).with_name("ask_exports.py")
    folders = [str(exported[name][1]) for name in NAMES]
    environment = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
    result = subprocess.run(
        [sys.executable, str(script), str(batches), *folders],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert result.returncode == 0, result.stderr
    return dict(zip(NAMES, json.loads(result.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_those_of_the_classifier(exported, answers, name):
    classifier, _ = exported[name]
    for batch, answer in zip(BATCHES, answers[name], strict=True):
        found = np.array(answer["logits"], np.float32).reshape(len(batch), 4)
        assert np.isfinite(found).all()
        texts = tf.constant(batch, tf.string, shape=[len(batch)])
        np.testing.assert_allclose(found, classifier.model(texts), atol=1e-5)
        np.testing.assert_allclose(found, predict_logits(classifier, batch), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_has_the_same_answer_alone_and_among_longer_ones(answers, name):
    together, *alone = (answer["logits"] for answer in answers[name])
    for row, answer in zip((0, 1, 3), alone, strict=False):
        np.testing.assert_allclose(answer[0], together[row], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_labels_ids_probabilities_and_logits_agree(exported, answers, name):
    classifier, _ = exported[name]
    for answer in answers[name][:-1]:
        probabilities = softmax(answer["logits"], axis=1)
        np.testing.assert_allclose(answer["probabilities"], probabilities, atol=1e-6)
        assert answer["label_id"] == probabilities.argmax(axis=1).tolist()
        assert answer["label"] == [classifier.label_names[i] for i in answer["label_id"]]


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch_has_an_empty_answer(answers, name):
    empty = {"label": [], "label_id": [], "probabilities": [], "logits": []}
    assert answers[name][-1] == empty


@pytest.mark.parametrize("name", NAMES)
def test_manifest_covers_every_file(exported, name):
    _, folder = exported[name]
    manifest = json.loads((folder / "assets.extra" / "manifest.json").read_text())
    found = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
    del found["assets.extra/manifest.json"]
    assert manifest["sha256"] == found


def test_manifest_tells_what_the_model_is(exported):
    classifier, folder = exported["transformer"]
    manifest = json.loads((folder / "assets.extra" / "manifest.json").read_text())
    assert manifest["model"] == "transformer"
    assert manifest["label_names"] == ["World", "Sports", "Business", "Sci/Tech"]
    assert manifest["trained"] == {"seed": 7}
    assert manifest["versions"]["tensorflow"] == tf.__version__


def test_a_folder_with_something_in_it_is_left_alone(transformer, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=f"{tmp_path} already exists"):
        export_classifier(transformer, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failed_export_leaves_nothing_and_says_why(transformer, tmp_path):
    """20,000 bytes suffice for the weights, which come first, but not for the graph."""
    with pytest.raises(StorageError, match="cannot write"), file_size_limit(20_000):
        export_classifier(transformer, tmp_path / "exported")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(transformer, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=f"cannot write {tmp_path}/file/exported: "):
        export_classifier(transformer, tmp_path / "file" / "exported")
