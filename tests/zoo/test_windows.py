"""A model that reads long texts in windows: logits are pooled over the windows."""

import os
import signal

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.errors import OptionError, TrainingStopped
from kerasnlp_lab.explanation import explain
from kerasnlp_lab.export import export_classifier, open_predictor
from kerasnlp_lab.tasks import Classification, Entities, MultiLabel
from kerasnlp_lab.text.features import WINDOW_OF
from kerasnlp_lab.training import train
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.training.steps import TrainingSteps
from kerasnlp_lab.zoo import (
    Recipe,
    create_classifier,
    create_model,
    load_classifier,
    predict_logits,
)
from tests.tiny_bert import TINY_VOCABULARY

WORDS = TINY_VOCABULARY[5:21]
NAMES = ("a", "b", "c")
SMALL = {"embed_dim": 8, "ff_dim": 8, "vocab_size": 40}
RECURRENT = {"embed_dim": 8, "units": 6, "vocab_size": 40}
MODELS = ("transformer", "rnn_attention", "seed_transformer", "bert")


def some_texts(longest):
    rng = np.random.default_rng(0)
    lengths = [0, 1, *rng.integers(5, 50, 6), *longest]
    return [" ".join(rng.choice(WORDS, length)) for length in lengths]


TEXTS = some_texts([300, 1500])  # of more windows than are computed at once


@pytest.fixture(scope="module")
def make(tiny_checkpoint):
    def create(model, **options):
        keras.utils.set_random_seed(0)
        if model == "bert":
            own = {"precision": "float32"}
            return create_classifier(str(tiny_checkpoint), NAMES, [], options=own | options)
        sizes = SMALL if model != "rnn_attention" else RECURRENT
        return create_classifier(model, NAMES, TEXTS, options=sizes | options)

    return create


@pytest.fixture(scope="module")
def classifiers(make):
    options = {"max_length": 16, "long_texts": "windows"}
    return {model: make(model, **options) for model in MODELS}


def pooled(logits):
    """The logits of a text, from those of its windows."""
    return scipy.special.logsumexp(logits, axis=0) - np.log(len(logits))


def data_of(texts):
    labels = [len(text) % 3 for text in texts]
    rows = Split(texts, labels)
    return TextDataset("long texts", NAMES, rows, rows, rows)


@pytest.mark.parametrize("model", MODELS)
def test_logits_are_the_logs_of_the_mean_odds_of_the_windows(model, classifiers):
    classifier = classifiers[model]
    features = classifier.text(tf.constant(TEXTS))
    window_of = features.pop(WINDOW_OF).numpy()
    assert (window_of == len(TEXTS) - 1).sum() > 64
    network = keras.Model(classifier.network.input, classifier.network.output)
    logits = network(features, training=False).numpy()
    expected = [pooled(logits[window_of == row]) for row in range(len(TEXTS))]
    assert np.ptp(logits, axis=0).max() > 0.01
    for fused in (None, classifier.forward):
        found = predict_logits(classifier, TEXTS, fused=fused)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    training = classifier.network({**features, WINDOW_OF: tf.constant(window_of)}, training=True)
    assert training.shape == (len(TEXTS), 3)
    assert predict_logits(classifier, []).shape == (0, 3)


@pytest.mark.parametrize("model", MODELS)
def test_short_texts_have_the_same_logits_as_without_windows(model, make, classifiers):
    short = [text for text in TEXTS if len(text.split()) < 10]
    assert len(short) > 2
    plain = make(model, max_length=16)
    plain.network.set_weights(classifiers[model].network.get_weights())
    np.testing.assert_allclose(
        predict_logits(classifiers[model], short), predict_logits(plain, short), atol=1e-6
    )


def test_a_trained_model_is_loaded_with_another_choice(make, classifiers, tmp_path):
    classifiers["transformer"].save(tmp_path / "model")
    head = load_classifier(tmp_path / "model", options={"long_texts": "head"})
    assert WINDOW_OF not in head.text(tf.constant(TEXTS))
    again = load_classifier(tmp_path / "model")
    np.testing.assert_array_equal(
        predict_logits(again, TEXTS), predict_logits(classifiers["transformer"], TEXTS)
    )


@pytest.mark.parametrize("model", ["transformer", "bert"])
def test_an_export_reads_windows_too(model, classifiers, tmp_path):
    classifier = classifiers[model]
    export_classifier(classifier, tmp_path / "export")
    found = list(open_predictor(tmp_path / "export").predict(TEXTS))
    logits = predict_logits(classifier, TEXTS)
    expected = classifier.decision.probabilities(logits)
    for one, row in zip(found, expected, strict=True):
        assert list(one.probabilities.values()) == pytest.approx(row.tolist(), abs=1e-5)


@pytest.mark.parametrize("model", ["transformer", pytest.param("bert", marks=pytest.mark.slow)])
def test_a_stopped_training_with_windows_ends_the_same(model, make, tmp_path, monkeypatch):
    """A BERT also has a frozen phase, on cached features of windows."""
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(tmp_path / "cache"))
    texts = [*TEXTS[1:9], *(" ".join(reversed(text.split())) for text in TEXTS[1:9])]
    data = data_of(texts)
    recipe = Recipe(epochs=1, frozen_epochs=1, batch_size=8, learning_rate=3e-3)
    options = {"max_length": 16, "long_texts": "windows", "windows_in_training": 2}
    whole = train(make(model, **options), data, recipe, tmp_path / "whole")
    step, calls = TrainingSteps.__call__, []

    def interrupted(steps, *arguments):
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(steps, *arguments)

    checkpoints = Checkpoints(tmp_path / "kept")
    monkeypatch.setattr(TrainingSteps, "__call__", interrupted)
    with pytest.raises(TrainingStopped):
        train(make(model, **options), data, recipe, tmp_path / "run", checkpoints=checkpoints)
    resumed = train(make(model, **options), data, recipe, tmp_path / "run", checkpoints=checkpoints)
    assert resumed.final_sha256 == whole.final_sha256
    if model == "bert":
        return
    others = make(model, **options | {"windows_in_training": 3})
    assert train(others, data, recipe, tmp_path / "other").final_sha256 != whole.final_sha256


def test_the_frozen_phase_reads_all_windows_from_the_cache(make, tmp_path, monkeypatch):
    """Its validation loss is that of the whole network."""
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(tmp_path / "cache"))
    classifier = make("bert", max_length=16, long_texts="windows")
    data = data_of(TEXTS[1:9])
    recipe = Recipe(epochs=0, frozen_epochs=1, batch_size=4)
    result = train(classifier, data, recipe, tmp_path / "run")
    losses, weight = classifier.task.losses(
        predict_logits(classifier, TEXTS[1:9]), tf.constant(data.validation.labels)
    )
    assert result.history[0]["val_loss"] == pytest.approx(float(losses / weight), abs=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_the_window_that_decides_is_explained(model, classifiers):
    classifier, text = classifiers[model], TEXTS[-2]
    found = explain(classifier, text, label="b")
    number, count = found.window
    features = classifier.text(tf.constant([text]))
    features.pop(WINDOW_OF)
    logits = keras.Model(classifier.network.input, classifier.network.output)(features).numpy()
    assert count == len(logits) > 5
    assert number == 1 + int(np.argmax(logits[:, 1] - logits.mean(axis=1)))
    probabilities = classifier.decision.probabilities(predict_logits(classifier, [text]))[0]
    assert list(found.probabilities.values()) == pytest.approx(probabilities.tolist(), abs=1e-5)
    name = "input_word_ids" if model == "bert" else "token_ids"
    ids = features[name].numpy()[number - 1]
    names = classifier.text.vocabulary()
    assert [token.text for token in found.tokens] == [names[one] for one in ids if one]
    assert all(text[word.start : word.end] == word.text for word in found.words)
    for token in found.tokens:
        if token.word is not None:
            assert found.words[token.word].start <= token.start < token.end
    assert found.completeness.error < 0.05


@pytest.mark.parametrize("long_texts", ["tail", "head_tail"])
def test_an_explanation_shows_what_is_read(long_texts, make):
    classifier = make("transformer", max_length=16, long_texts=long_texts)
    text = " ".join(TEXTS[-2].split()[:40])
    found = explain(classifier, text)
    read = [word.text for word in found.words if word.tokens]
    head = {"tail": 0, "head_tail": 4}[long_texts]
    words = text.split()
    assert read == words[:head] + words[len(words) - 16 + head :]
    assert [token.text for token in found.tokens] == read
    assert found.window is None


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """A transformer that was trained on windows of texts with several labels or none."""
    texts = TEXTS[1:9]
    sets = [[label for label in range(3) if (row >> label) & 1] for row in range(len(texts))]
    rows = Split(texts, label_sets=sets)
    options = SMALL | {"max_length": 16, "long_texts": "windows", "windows_in_training": 2}
    keras.utils.set_random_seed(0)
    classifier = create_model("transformer", MultiLabel(NAMES), texts, options=options)
    before = [weight.copy() for weight in classifier.network.get_weights()]
    data = TextDataset("several", NAMES, rows, rows, rows)
    recipe = Recipe(epochs=1, batch_size=4, learning_rate=3e-3)
    result = train(classifier, data, recipe, tmp_path_factory.mktemp("several") / "run")
    assert any(
        np.abs(now - then).max() > 1e-4
        for now, then in zip(classifier.network.get_weights(), before, strict=True)
    )
    return classifier, rows, result


def window_logits(classifier, text):
    features = classifier.text(tf.constant([text]))
    features.pop(WINDOW_OF)
    return keras.Model(classifier.network.input, classifier.network.output)(features).numpy()


def test_several_labels_are_those_of_all_windows(several):
    classifier, rows, result = several
    found = predict_logits(classifier, TEXTS)
    expected = [pooled(window_logits(classifier, text)) for text in TEXTS]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    targets = classifier.task.targets(classifier.text, rows)(tf.range(len(rows)))
    losses, weight = classifier.task.losses(predict_logits(classifier, rows.texts), targets)
    assert result.history[-1]["val_loss"] == pytest.approx(float(losses / weight), abs=1e-5)


@pytest.mark.parametrize("label", NAMES)
def test_the_window_with_the_highest_logit_of_a_label_is_explained(label):
    """The other labels do not matter: each has a probability of its own."""
    keras.utils.set_random_seed(0)
    options = SMALL | {"max_length": 16, "long_texts": "windows"}
    classifier = create_model("transformer", MultiLabel(NAMES), TEXTS, options=options)
    rng = np.random.default_rng(0)
    kernel, bias = classifier.head.get_weights()
    # Labels that rise and fall together: minus their mean, another window is the highest.
    together = rng.normal(size=(len(kernel), 1)) + 0.1 * rng.normal(size=kernel.shape)
    classifier.head.set_weights([together, bias])
    logits = window_logits(classifier, TEXTS[-1])
    own = logits[:, NAMES.index(label)]
    assert np.argmax(own) != np.argmax(own - logits.mean(axis=1))
    found = explain(classifier, TEXTS[-1], label=label)
    assert found.window == (1 + int(np.argmax(own)), len(logits)) and len(logits) > 64


def test_an_export_gives_the_several_labels_of_all_windows(several, tmp_path):
    classifier, _, _ = several
    export_classifier(classifier, tmp_path / "export")
    found = list(open_predictor(tmp_path / "export").predict(TEXTS))
    expected = classifier.decision.probabilities(predict_logits(classifier, TEXTS))
    for one, row in zip(found, expected, strict=True):
        assert list(one.probabilities.values()) == pytest.approx(row.tolist(), abs=1e-5)


@pytest.mark.parametrize("model", ["transformer", "bert"])
@pytest.mark.parametrize("long_texts", ["tail", "head_tail", "windows"])
def test_it_is_not_for_pairs(long_texts, model, tiny_checkpoint):
    name = str(tiny_checkpoint) if model == "bert" else model
    with pytest.raises(OptionError, match=f"long_texts={long_texts} is not for pairs of texts"):
        create_model(
            name,
            Classification(NAMES),
            ["the cat\x1fa dog"],
            pair=("premise", "hypothesis"),
            options={"long_texts": long_texts},
        )


@pytest.mark.parametrize("long_texts", ["tail", "head_tail", "windows"])
def test_it_is_not_for_entities(long_texts):
    with pytest.raises(OptionError, match=f"long_texts={long_texts} is not for the task entities"):
        create_model("transformer", Entities(("x",)), TEXTS, options={"long_texts": long_texts})


def test_another_choice_is_refused():
    expected = "long_texts must be one of head, tail, head_tail, windows, got 'middle'"
    with pytest.raises(OptionError, match=expected):
        create_classifier("transformer", NAMES, TEXTS, options={"long_texts": "middle"})
