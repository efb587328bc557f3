"""Every model trains, evaluates, predicts and exports under every policy of Keras."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab import create_classifier, evaluate, export_classifier, train
from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.explanation import explain
from kerasnlp_lab.export import open_predictor
from kerasnlp_lab.zoo import Recipe, load_classifier, predict_logits
from tests.zoo.test_keras_files import OPTIONS

ROWS = Split([f"{word} {n % 3}" for n in range(8) for word in ("cat sat", "oil up")], [0, 1] * 8)
DATA = TextDataset("rows", ["animal", "market"], ROWS, ROWS, ROWS)
TEXTS = ["the cat sat", "oil", "", "cat oil up"]
# bfloat16 has 8 bits of a number, float16 has 11.
TOLERANCES = {"mixed_bfloat16": 0.05, "mixed_float16": 0.01, "float64": 1e-5}


@pytest.fixture(params=TOLERANCES)
def policy(request):
    keras.mixed_precision.set_global_policy(request.param)
    yield request.param
    keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("name", OPTIONS)
def test_a_model_under_a_policy(name, policy, tiny_checkpoint, tmp_path):
    model = str(tiny_checkpoint) if name in ("bert", "module") else name
    options = {**OPTIONS[name], "dropout": 0.0} if name == "transformer" else OPTIONS[name]
    classifier = create_classifier(model, DATA.label_names, ROWS.texts, options=options)
    result = train(classifier, DATA, Recipe(epochs=4, batch_size=8, learning_rate=0.02), tmp_path)
    losses = [line["val_loss"] for line in result.history]
    assert np.all(np.isfinite(losses))
    if classifier.entry.solve is None:
        assert min(losses[1:]) < losses[0]
    assert evaluate(classifier, ROWS).accuracy > 0.9

    expected = classifier.model(tf.constant(TEXTS))
    assert expected.dtype == tf.float32
    near = {"rtol": 0, "atol": TOLERANCES[policy] * max(1.0, np.abs(expected).max())}
    np.testing.assert_allclose(predict_logits(classifier, TEXTS), expected, **near)
    if name != "tfidf_linear":
        explanation = explain(classifier, TEXTS[0])
        assert explanation.completeness.error < 0.05  # computed in float32
        assert explanation.label == "animal"

    classifier.save(tmp_path / "saved")
    loaded = load_classifier(tmp_path / "saved")
    np.testing.assert_allclose(predict_logits(loaded, TEXTS), expected, **near)
    export_classifier(classifier, tmp_path / "exported")
    answers = list(open_predictor(tmp_path / "exported").predict(TEXTS))
    logits = [np.log(list(one.probabilities.values())) for one in answers]
    centered = expected - np.mean(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(logits - np.mean(logits, axis=1, keepdims=True), centered, **near)
