"""The zoo's cards are true, and its models match their sources and survive saving."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.errors import DataError, OptionError, RunError, UnknownNameError
from kerasnlp_lab.zoo import (
    Recipe,
    create_classifier,
    find_model,
    load_classifier,
    model_names,
    predict_logits,
)
from tests.layers import tutorial

SEED = pytest.param("seed_transformer", marks=pytest.mark.slow)
MINILM = pytest.param("minilm_l6_h384", marks=pytest.mark.slow)  # it needs the real weights
RECURRENT = ("lstm", "rnn_attention")
TEXTS = ["the cat sat", "", "oil and stock prices rose again on friday " * 5, "goal!"]


@pytest.fixture(scope="module")
def news():
    return load_dataset("news_sample")


@pytest.mark.parametrize("name", ["seed_transformer", *RECURRENT, "transformer", MINILM])
def test_a_card_states_the_number_of_parameters(name, news):
    network = create_classifier(name, news.label_names, news.train.texts).network
    # A module from TF Hub holds a boolean besides its weights.
    count = sum(int(np.prod(w.shape)) for w in network.weights if w.dtype.is_floating)
    assert f"{count:,}" == find_model(name).card.parameters


def test_every_model_has_a_whole_card():
    assert {*RECURRENT, "seed_transformer", "transformer", "tfidf_linear", "minilm_l6_h384"} < set(
        model_names()
    )
    for name in model_names():
        card = dataclasses.asdict(find_model(name).card)
        assert card["name"] == name
        assert all(card.values()), name


def test_seed_transformer_is_the_tutorials_model(news):
    """The tutorial's own code on tf_keras gives the same probabilities with the same weights."""
    classifier = create_classifier("seed_transformer", news.label_names, news.train.texts)
    reference = tutorial_model()
    reference.layers[0].adapt(tf.data.Dataset.from_tensor_slices(list(news.train.texts)).batch(99))
    weights = classifier.network.get_weights()
    for variable, value in zip(reference.trainable_weights, weights, strict=True):
        variable.assign(value)
    assert reference.count_params() == 659_592
    texts = list(news.test.texts[:16])
    expected = reference.predict(tf.constant(texts)[:, tf.newaxis], verbose=0)
    found = tf.nn.softmax(predict_logits(classifier, texts)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def tutorial_model():
    """Returns the model of the tutorial's cell 4, with the layers of cells 2 and 3."""
    return keras.Sequential(
        [
            keras.layers.TextVectorization(
                max_tokens=20000, output_sequence_length=256, input_shape=(1,)
            ),
            tutorial.TokenAndPositionEmbedding(256, 20000, 32),
            tutorial.TransformerBlock(32, 2, 32),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(20, activation="relu"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )


@pytest.mark.parametrize(
    "name, options",
    [
        *((name, {}) for name in ("transformer", *RECURRENT)),
        ("bert", {"precision": "float32", "max_length": 32}),
    ],
)
def test_padding_does_not_change_the_logits(name, options, news, tiny_checkpoint):
    name = str(tiny_checkpoint) if name == "bert" else name
    classifier = create_classifier(name, news.label_names, news.train.texts, options=options)
    alone = np.concatenate([classifier.model(tf.constant([text])).numpy() for text in TEXTS])
    together = classifier.model(tf.constant(TEXTS)).numpy()  # each text padded to the longest
    np.testing.assert_allclose(alone, together, atol=1e-5)
    np.testing.assert_allclose(predict_logits(classifier, TEXTS), together, atol=1e-5)


@pytest.mark.parametrize("name", [SEED, *RECURRENT, "transformer", "tfidf_linear"])
def test_saved_and_loaded_gives_the_same_logits(name, news, tmp_path):
    classifier = create_classifier(name, news.label_names, news.train.texts)
    classifier.network.set_weights(
        [np.random.default_rng(0).normal(size=w.shape) for w in classifier.network.get_weights()]
    )
    classifier.save(tmp_path / "model")
    loaded = load_classifier(tmp_path / "model")
    assert loaded.label_names == news.label_names
    texts = news.test.texts[:20]
    np.testing.assert_array_equal(predict_logits(loaded, texts), predict_logits(classifier, texts))


def test_a_damaged_classifier_is_not_loaded(news, tmp_path):
    small = {"embed_dim": 8, "ff_dim": 8}
    classifier = create_classifier("transformer", news.label_names, ["a b"], options=small)
    classifier.save(tmp_path / "model")
    weights = tmp_path / "model" / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        RunError, match="weights.safetensors has been altered since it was written; train again"
    ):
        load_classifier(tmp_path / "model")
    other = create_classifier("transformer", news.label_names, ["a b"], options={"embed_dim": 4})
    other.save_weights(weights)
    with pytest.raises(RunError, match="weights of another network"):
        classifier.load_weights(weights)
    weights.unlink()
    with pytest.raises(RunError, match="weights.safetensors is missing"):
        load_classifier(tmp_path / "model")
    with pytest.raises(RunError, match="does not hold a saved classifier"):
        load_classifier(tmp_path)


def test_plain_keras_compile_and_fit_on_strings(news):
    """The tutorials call model.compile and model.fit on strings."""
    options = {"embed_dim": 16, "dropout": 0.1, "token_dropout": 0.0}
    keras.utils.set_random_seed(0)
    classifier = create_classifier(
        "transformer", news.label_names, news.train.texts, options=options
    )
    model = classifier.model
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.legacy.Adam(5e-3), loss, metrics=["accuracy"])
    history = model.fit(news.train.as_tf_dataset().batch(32), epochs=8, verbose=0).history
    assert history["accuracy"][-1] > 0.9 > history["accuracy"][0]
    # The network and the trained model share their weights.
    accuracy = np.mean(
        predict_logits(classifier, news.train.texts).argmax(axis=1) == news.train.labels
    )
    assert accuracy > 0.9


def test_every_pooling_is_what_it_says(tiny_checkpoint):
    texts = tf.constant(TEXTS)
    for pooling in ("mean", "unit_mean", "pooled_output"):
        options = {"pooling": pooling, "dropout": 0.0, "max_length": 32, "precision": "float32"}
        classifier = create_classifier(str(tiny_checkpoint), ["a", "b"], [], options=options)
        features = classifier.text(texts)
        outputs = classifier.encoder(features)
        if pooling != "pooled_output":
            mask = features["input_mask"].numpy()[:, :, np.newaxis]
            pooled = (outputs["sequence_output"].numpy() * mask).sum(1) / mask.sum(1)
            lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
            pooled = pooled / lengths if pooling == "unit_mean" else pooled
        else:
            pooled = outputs["pooled_output"].numpy()
        kernel, bias = classifier.head.get_layer("classifier").get_weights()
        expected = pooled @ kernel + bias
        np.testing.assert_allclose(classifier.network(features).numpy(), expected, atol=1e-5)
        fused = predict_logits(classifier, TEXTS)
        np.testing.assert_allclose(fused, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["seed_transformer", "tfidf_linear"])
@pytest.mark.parametrize("kind", [np.array, pd.Series, iter, tf.constant])
def test_training_texts_and_class_names_in_every_container(name, kind):
    options = {"min_df": 1} if name == "tfidf_linear" else {}
    texts = ["free cash", "lunch home"] * 4
    made = create_classifier(name, np.array([1, 2]), kind(texts), options=options)
    assert made.label_names == ("1", "2")
    expected = create_classifier(name, ["1", "2"], texts, options=options)
    assert made.text.fingerprint() == expected.text.fingerprint()


def test_texts_and_class_names_that_cannot_be():
    for texts, names, message in (
        ("free cash", ["a", "b"], "got the single str"),
        (["free", None], ["a", "b"], "row 1 is missing"),
        (["free"], ["a", "a"], "'a' comes more than once"),
        (["free"], "spam", "got the single str 'spam'"),
    ):
        with pytest.raises(DataError, match=message):
            create_classifier("transformer", names, texts)


def test_misspelt_names_and_values_are_told():
    with pytest.raises(UnknownNameError, match="did you mean 'minilm_l6_h384'"):
        find_model("minilm-l6-h384")
    entry = find_model("minilm_l6_h384")
    with pytest.raises(UnknownNameError, match="did you mean 'max_length'"):
        entry.with_options({"maxlength": "64"})
    with pytest.raises(OptionError, match="max_length must be of type int, got 'long'"):
        entry.with_options({"max_length": "long"})
    with pytest.raises(OptionError, match="512 positions, got 600"):
        entry.with_options({"max_length": "600"})
    with pytest.raises(OptionError, match="pooling must be 'mean', 'unit_mean' or"):
        entry.with_options({"pooling": "cls"})
    assert entry.with_options({"dropout": "0.3"}).dropout == 0.3


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": -1},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"optimizer": "sgd"},
        {"warmup_fraction": 1.0},
        {"label_smoothing": 1.0},
        {"patience": 0},
    ],
)
def test_a_recipe_is_checked_when_made(change):
    with pytest.raises(OptionError, match=f"{next(iter(change))} must be"):
        Recipe(**change)
