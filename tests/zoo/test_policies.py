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

CASES = [("transformer", "mixed_bfloat16"), ("tfidf_linear", "float64")]
SCRATCH = ("transformer", "lstm", "rnn_attention", "seed_transformer", "tfidf_linear")
OTHERS = [
    (name, policy) for name in SCRATCH for policy in TOLERANCES if (name, policy) not in CASES
]
# A BERT has a precision of its own, so one policy for each kind is enough.
OTHERS += [("bert", "mixed_float16"), ("module", "float64")]
CASES += [pytest.param(*case, marks=pytest.mark.slow) for case in OTHERS]


@pytest.fixture
def policy(request):
    keras.mixed_precision.set_global_policy(request.param)
    yield request.param
    keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("name, policy", CASES, indirect=["policy"])
def test_a_model_under_a_policy(name, policy, tiny_checkpoint, tmp_path):
    is_bert = name in ("bert", "module")
    model = str(tiny_checkpoint) if is_bert else name
    options = OPTIONS[name]
    if name in ("transformer", "lstm", "rnn_attention"):
        options = {**options, "dropout": 0.0}
    classifier = create_classifier(model, DATA.label_names, ROWS.texts, options=options)
    steps = 1 if is_bert else 30
    recipe = Recipe(epochs=1, batch_size=16, learning_rate=0.02, min_steps_per_epoch=steps)
    train(classifier, DATA, recipe, tmp_path)
    logits = predict_logits(classifier, ROWS.texts)
    accuracy = np.mean(logits.argmax(axis=1) == ROWS.labels)
    assert evaluate(classifier, ROWS).accuracy == accuracy
    assert is_bert or accuracy > 0.9  # a BERT of random weights would need many steps

    expected = classifier.model(tf.constant(TEXTS))
    assert expected.dtype == tf.float32
    near = {"rtol": 0, "atol": TOLERANCES[policy] * max(1.0, np.abs(expected).max())}
    np.testing.assert_allclose(predict_logits(classifier, TEXTS), expected, **near)
    if name not in ("tfidf_linear", "module"):
        explanation = explain(classifier, TEXTS[0])
        assert explanation.completeness.error < 0.05  # computed in float32
        assert explanation.label == DATA.label_names[expected[0].numpy().argmax()]

    classifier.save(tmp_path / "saved")
    loaded = load_classifier(tmp_path / "saved")
    np.testing.assert_allclose(predict_logits(loaded, TEXTS), expected, **near)
    export_classifier(classifier, tmp_path / "exported")
    answers = list(open_predictor(tmp_path / "exported").predict(TEXTS))
    logits = [np.log(list(one.probabilities.values())) for one in answers]
    centered = expected - np.mean(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(logits - np.mean(logits, axis=1, keepdims=True), centered, **near)
