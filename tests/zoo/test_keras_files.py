"""Keras' own files hold the weights of every model, and the whole of a model without a BERT."""

import zipfile

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab import adamw_with_warmup, create_classifier
from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.zoo import predict_logits

TEXTS = ["the cat sat", "a dog ran", "the team ran", "oil, the goal!"]
SMALL = {"max_length": 16, "vocab_size": 30, "embed_dim": 8, "ff_dim": 8}
RECURRENT = {"max_length": 16, "vocab_size": 30, "embed_dim": 8, "units": 6}
OPTIONS = {
    "lstm": RECURRENT,
    "rnn_attention": {**RECURRENT, "head_units": 4},
    "transformer": {**SMALL, "num_blocks": 2, "head_units": 4},
    "seed_transformer": SMALL,
    "tfidf_linear": {"min_df": 1},
    "bert": {"max_length": 16, "precision": "float32"},
    "module": {"max_length": 16, "encoder": "module"},
}


SLOW = ("bert", "module", "seed_transformer", "tfidf_linear")


def build(name, folder, seed):
    """Returns a classifier with random weights, so that swapped weights show."""
    model = str(folder) if name in ("bert", "module") else name
    classifier = create_classifier(model, ["a", "b", "c"], TEXTS, options=OPTIONS[name])
    rng = np.random.default_rng(seed)
    for weight in classifier.network.weights:
        if weight.dtype.is_floating:
            weight.assign(rng.normal(0, 0.3, weight.shape))
    return classifier


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in OPTIONS],
)
def test_weights_are_saved_and_loaded(name, tiny_checkpoint, tmp_path):
    first, second = (build(name, tiny_checkpoint, seed) for seed in (0, 1))
    expected = predict_logits(first, TEXTS)
    others = second.model.get_weights()
    for file in ("m.weights.h5", "m.h5", "checkpoint"):
        first.model.save_weights(tmp_path / file)
        second.model.set_weights(others)
        assert np.abs(predict_logits(second, TEXTS) - expected).max() > 0.01
        second.model.load_weights(tmp_path / file)
        np.testing.assert_array_equal(predict_logits(second, TEXTS), expected, err_msg=file)


@pytest.mark.parametrize(
    "name",
    [
        "transformer",
        "tfidf_linear",
        pytest.param("lstm", marks=pytest.mark.slow),
        pytest.param("rnn_attention", marks=pytest.mark.slow),
        pytest.param("seed_transformer", marks=pytest.mark.slow),
    ],
)
def test_a_whole_model_is_saved_and_loaded(name, tmp_path):
    model = build(name, None, 0).model
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:  # more would be read wrongly by 3.13.0
        assert len(archive.namelist()) == 3
    loaded = keras.models.load_model(tmp_path / "m.keras")
    texts = tf.constant([*TEXTS, "", "never seen"])
    np.testing.assert_allclose(loaded(texts), model(texts), rtol=0, atol=1e-6)
    with pytest.raises(OptionError, match=r"must be \.keras.*export_classifier"):
        model.save(tmp_path / "m.h5")
    copy = keras.models.clone_model(model)
    assert copy(texts).shape == (6, 3)


def test_a_whole_bert_is_refused_with_what_to_do(tiny_checkpoint, tmp_path):
    classifier = build("bert", tiny_checkpoint, 0)
    for model in (classifier.model, classifier.network):
        with pytest.raises(NotImplementedError, match="save it with Classifier.save or export"):
            model.save(tmp_path / "m.keras")


@pytest.mark.parametrize(
    "optimizer", [pytest.param("adam", marks=pytest.mark.slow), "adamw_with_warmup"]
)
def test_keras_own_checkpoints_are_kept_in_fit(optimizer, tmp_path):
    classifier = build("transformer", None, 0)
    chosen = adamw_with_warmup(1e-3, 10) if optimizer == "adamw_with_warmup" else optimizer
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.model.compile(chosen, loss, run_eagerly=True)  # two steps need no graph
    rows = tf.data.Dataset.from_tensor_slices((TEXTS, [0, 1, 2, 1])).batch(2)
    keep = keras.callbacks.ModelCheckpoint(str(tmp_path / "best.keras"))
    classifier.model.fit(rows, callbacks=[keep], verbose=0)
    loaded = keras.models.load_model(tmp_path / "best.keras")
    assert bool(loaded.optimizer) == (optimizer == "adam")
    texts = tf.constant(TEXTS)
    np.testing.assert_allclose(loaded(texts), classifier.model(texts), rtol=0, atol=1e-6)
