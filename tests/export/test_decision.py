"""An export uses the same temperature and threshold as the run."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from kerasnlp_lab.export import export_classifier, open_predictor
from kerasnlp_lab.tasks.decision import Decision
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.zoo import create_classifier, load_classifier, predict_logits

WORDS = "a b c d e f g h".split()
TEXTS = [" ".join(np.random.default_rng(i).choice(WORDS, 1 + i % 9)) for i in range(60)]
LABELS = ("ham", "spam")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run's folder, its export and the logits of the texts, for each positive class."""
    sizes = {"max_length": 16, "vocab_size": 12, "embed_dim": 8, "ff_dim": 8}
    classifier = create_classifier("transformer", LABELS, WORDS, options=sizes)
    rng = np.random.default_rng(0)
    classifier.network.set_weights(
        [rng.normal(size=one.shape) for one in classifier.network.get_weights()]
    )
    logits = predict_logits(classifier, TEXTS)
    found = {}
    for positive in (0, 1):
        scores = np.sort(softmax(logits / 2.5, axis=1)[:, positive].astype(float))
        place = int(0.8 * len(scores))
        decision = Decision(2.5, positive, (scores[place - 1] + scores[place]) / 2, "for a test")
        folder = tmp_path_factory.mktemp("run")
        run = RunDirectory.create(folder / "run", {})
        dataclasses.replace(classifier, decision=decision).save(run.model)
        run.write_json("metrics.json", {})
        export_classifier(load_classifier(run.model), folder / "exported")
        found[positive] = run.path, folder / "exported", logits
    return found


def answer_of(folder):
    """Returns what both signatures of an export answer. test_saved_model.py asks from outside."""
    signatures = tf.saved_model.load(str(folder)).signatures
    texts = tf.constant(TEXTS)
    answer = {**signatures["serving_default"](text=texts), **signatures["logits"](text=texts)}
    answer = {name: value.numpy().tolist() for name, value in answer.items()}
    return answer | {"label": [label.decode() for label in answer["label"]]}


@pytest.mark.parametrize("positive", [0, 1])
def test_labels_and_probabilities_are_those_of_the_run(positive, finished):
    run, exported, logits = finished[positive]
    answer = answer_of(exported)
    np.testing.assert_allclose(answer["probabilities"], softmax(logits / 2.5, axis=1), atol=1e-5)
    np.testing.assert_allclose(answer["logits"], logits, atol=1e-5)
    assert answer["label"] == [LABELS[i] for i in answer["label_id"]]
    given = np.array(answer["label_id"])
    assert (given == positive).sum() == 12  # the threshold selects a fifth
    assert (given != logits.argmax(axis=1)).any()
    for folder in (run, exported):
        predictions = list(open_predictor(folder).predict(TEXTS))
        assert [one.label for one in predictions] == answer["label"]
        found = [list(one.probabilities.values()) for one in predictions]
        np.testing.assert_allclose(found, answer["probabilities"], atol=1e-5)


def test_the_manifest_tells_how_it_decides(finished):
    run, exported, _ = finished[1]
    manifest = json.loads((exported / "assets.extra" / "manifest.json").read_text())
    saved = json.loads((run / "model" / "classifier.json").read_text())
    assert manifest["decision"] == saved["decision"]
    assert manifest["decision"]["positive"] == 1 and manifest["decision"]["temperature"] == 2.5
