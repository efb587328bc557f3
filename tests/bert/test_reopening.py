"""`reopen` gives an editable Keras model with the same outputs as the module."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from official.nlp.modeling import networks
from safetensors.numpy import load_file

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert import load_hub_layer, reopen
from kerasnlp_lab.bert.checkpoint import BertConfig
from kerasnlp_lab.bert.encoder import bert_encoder
from kerasnlp_lab.bert.reopening import checkpoint_of_module, freeze_layers
from kerasnlp_lab.errors import HubError, OptionError
from kerasnlp_lab.hub import minilm_modules
from tests.tiny_bert import TINY_VOCABULARY

VECTORS = dict(np.load(Path(__file__).with_name("bert_vectors.npz")))  # from make_bert_vectors.py
SINGLE = BertConfig(20, 16, 1, 2, 32, 16, 2)


def save_module(folder, encoder, change=lambda inputs, outputs: outputs):
    """Saves an encoder with random weights and altered outputs as a module."""
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(0, 0.5, w.shape) for w in encoder.get_weights()])
    names = ("input_word_ids", "input_mask", "input_type_ids")
    signature = {name: tf.TensorSpec((None, None), tf.int32, name) for name in names}
    module = tf.train.Checkpoint(variables=encoder.variables)  # the format's own, without Keras
    module.__call__ = tf.function(
        lambda inputs: change(inputs, encoder(inputs, training=False)), input_signature=[signature]
    )
    tf.saved_model.save(module, str(folder))
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A module of two layers with random weights."""
    config = dataclasses.replace(SINGLE, num_hidden_layers=2)
    return save_module(tmp_path_factory.mktemp("small") / "module", bert_encoder(config))


def padded(rows, type_ids=None):
    """Returns rows of ids as encoder inputs. The second half of each row has token type 1."""
    width = max(map(len, rows))
    ids, mask, types = (np.zeros((len(rows), width), int) for _ in range(3))
    for row, values in enumerate(rows):
        ids[row, : len(values)] = values
        mask[row, : len(values)] = 1
        types[row, len(values) // 2 : len(values)] = 1
    batch = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}
    return {name: tf.constant(value, tf.int32) for name, value in batch.items()}


TINY_BATCH = padded([[2, 5, 7, 9, 11, 13, 3], [2, 8, 3], [2, 3]])


@pytest.fixture(scope="module")
def news():
    """Real news of 6, 12, 48 and 90 word pieces in one batch."""
    batch = np.bincount(VECTORS["batch"]).argmax()
    rows = np.flatnonzero(VECTORS["batch"] == batch)
    return padded([VECTORS["input_ids"][r, : VECTORS["length"][r]].tolist() for r in rows])


@pytest.fixture(scope="module")
def minilm_outputs(news):
    return load_hub_layer(minilm_modules().encoder)(news)


@pytest.fixture(scope="module")
def minilm():
    return reopen(minilm_modules().encoder, attention_scores=True)


def assert_same_outputs(found, expected):
    for name in ("sequence_output", "pooled_output"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5, err_msg=name)
    assert len(found["encoder_outputs"]) == len(expected["encoder_outputs"])
    for one, other in zip(found["encoder_outputs"], expected["encoder_outputs"], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_minilm_reopened_gives_the_modules_outputs(minilm, minilm_outputs, news):
    assert len(minilm_outputs["encoder_outputs"]) == 6
    assert_same_outputs(minilm(news), minilm_outputs)


def test_a_tiny_bert_reopened_gives_the_modules_outputs(tiny_modules):
    module = str(tiny_modules / "encoder")
    assert_same_outputs(reopen(module)(TINY_BATCH), load_hub_layer(module)(TINY_BATCH))


def test_attention_scores_are_those_of_bertmodel(minilm, news):
    sentence = VECTORS["attention_input_ids"].tolist()
    batch = padded([sentence])
    batch["input_type_ids"] *= 0
    scores = minilm(batch)["attention_scores"]
    assert [one.shape for one in scores] == [(1, 12, 16, 16)] * 6
    for layer, name in ((0, "attention_first_layer"), (5, "attention_last_layer")):
        np.testing.assert_allclose(scores[layer][0, 0], VECTORS[name], atol=1e-4, err_msg=name)
    mask = news["input_mask"].numpy()
    for one in minilm(news)["attention_scores"]:
        np.testing.assert_allclose(one.numpy().sum(-1), 1, atol=1e-5)
        # Padding is never read.
        assert (one.numpy() * (1 - mask[:, np.newaxis, np.newaxis])).max() < 1e-6


def test_mixed_precision_computes_nearly_the_same(minilm_outputs, news):
    before = keras.mixed_precision.global_policy().name
    encoder = reopen(minilm_modules().encoder, precision="mixed_bfloat16")
    assert keras.mixed_precision.global_policy().name == before == "float32"
    outputs = encoder(news)
    assert {weight.dtype for weight in encoder.weights} == {tf.float32}
    found = tf.cast(outputs["pooled_output"], tf.float32).numpy()
    expected = minilm_outputs["pooled_output"].numpy()
    norms = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((found * expected).sum(axis=1) / norms).min() > 0.999
    assert np.abs(found - expected).max() > 1e-3  # it does change the outputs


def test_a_mixed_global_policy_is_left_as_it_was_and_does_not_leak(small):
    expected = load_hub_layer(str(small))(TINY_BATCH)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        encoder = reopen(small)
        assert keras.mixed_precision.global_policy().name == "mixed_bfloat16"
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert_same_outputs(encoder(TINY_BATCH), expected)


def test_the_lowest_layers_give_what_they_give_in_the_module(minilm_outputs, news):
    outputs = reopen(minilm_modules().encoder, layers=3)(news)
    expected = minilm_outputs["encoder_outputs"]
    assert len(outputs["encoder_outputs"]) == 3
    np.testing.assert_allclose(outputs["sequence_output"], expected[2], atol=1e-5)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"layers": 0}, "layers must be from 1 to the encoder's 2, got 0"),
        ({"layers": 3}, "layers must be from 1 to the encoder's 2, got 3"),
        ({"precision": "bfloat16"}, "precision must be one of .*'mixed_bfloat16'"),
    ],
)
def test_what_an_encoder_cannot_be(small, options, message):
    with pytest.raises(OptionError, match=message):
        reopen(small, **options)


# Training.


def train(encoder, steps=1):
    """Takes SGD steps towards zero and returns the change of each variable by name."""
    before = {weight.name: weight.numpy() for weight in encoder.weights}
    for _ in range(steps):
        with tf.GradientTape() as tape:
            outputs = encoder(TINY_BATCH, training=True)
            # Random weights, because LayerNorm makes a plain sum of squares constant.
            numbers = outputs["sequence_output"]
            slope = tf.reshape(tf.linspace(-1.0, 1.0, tf.size(numbers)), tf.shape(numbers))
            loss = tf.reduce_sum(slope * numbers) + tf.reduce_sum(outputs["pooled_output"])
        weights = encoder.trainable_weights
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.01 * tf.convert_to_tensor(gradient))
    return {weight.name: np.abs(weight.numpy() - before[weight.name]) for weight in encoder.weights}


@pytest.mark.parametrize("count", [0, 1])
def test_frozen_layers_stay_and_the_others_learn(small, count):
    encoder = reopen(small, dropout=0.0)
    freeze_layers(encoder, count)
    for name, change in train(encoder).items():
        above = "pooler" in name or any(f"/layer_{i}/" in name for i in range(count, 2))
        if above or count == 0:
            # A key's bias shifts all scores of a row equally, so the softmax cancels its gradient.
            assert change.max() > 1e-7 or "key/bias" in name, name
        else:
            assert change.max() == 0, name


def test_dropout_follows_keras_seed(small):
    ways = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        ways.append(np.concatenate([c.ravel() for c in train(reopen(small), 2).values()]))
    np.testing.assert_array_equal(ways[0], ways[1])
    assert np.abs(ways[0] - ways[2]).max() > 1e-4


def test_no_dropout_is_none(small):
    encoder = reopen(small, dropout=0.0)
    outputs = (encoder(TINY_BATCH, training=t)["sequence_output"] for t in (True, False))
    np.testing.assert_array_equal(*outputs)


# The contents of modules, and modules that are not BERTs.


@pytest.mark.parametrize("activation", ["gelu_tanh", pytest.param("relu", marks=pytest.mark.slow)])
def test_the_activation_is_recognised(activation, tmp_path):
    config = BertConfig(20, 16, 1, 2, 32, 16, 2, activation=activation)
    module = save_module(tmp_path / "module", bert_encoder(config))
    expected = load_hub_layer(str(module))(TINY_BATCH)
    assert_same_outputs(reopen(module)(TINY_BATCH), expected)


def scaled(name, factor):
    return lambda inputs, outputs: {**outputs, name: factor * outputs[name]}


@pytest.mark.parametrize(
    "change",
    [
        scaled("sequence_output", 1.01),
        pytest.param(scaled("pooled_output", 1.5), marks=pytest.mark.slow),
    ],
    ids=["sequence_output", "pooled_output"],
)
def test_a_module_that_computes_something_else_is_refused(change, tmp_path):
    module = save_module(tmp_path / "module", bert_encoder(SINGLE), change)
    reason = "has a BERT's weights, but a BERT with them gives other outputs"
    with pytest.raises(HubError, match=reason):
        reopen(module)


def test_a_module_that_looks_at_padding_is_refused(tmp_path):
    encoder = bert_encoder(SINGLE)

    def ignore_mask(inputs, outputs):
        return encoder({**inputs, "input_mask": tf.ones_like(inputs["input_mask"])})

    module = save_module(tmp_path / "module", encoder, ignore_mask)
    with pytest.raises(HubError, match="gives other outputs"):
        reopen(module)


def test_an_albert_is_refused(tmp_path):
    albert = networks.AlbertEncoder(
        vocab_size=20,
        embedding_width=8,
        hidden_size=16,
        num_layers=2,
        num_attention_heads=2,
        max_sequence_length=16,
        type_vocab_size=2,
        intermediate_size=32,
        dict_outputs=True,
    )
    module = save_module(tmp_path / "albert", albert)
    load_hub_layer(str(module))(TINY_BATCH)  # the module itself works
    with pytest.raises(HubError, match="albert cannot be reopened: the variable .* not one of a B"):
        reopen(module)


def test_a_module_without_weights_is_refused(tiny_modules):
    with pytest.raises(HubError, match="preprocess cannot be reopened: .*(not|lacks|no) "):
        reopen(tiny_modules / "preprocess")


def test_a_module_without_encoder_outputs_is_refused(tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    model.save(str(tmp_path / "dense"), save_format="tf")
    with pytest.raises(HubError, match="the variable dense.*kernel:0 is not one of a BERT's"):
        reopen(tmp_path / "dense")


def test_no_module(tmp_path):
    with pytest.raises(HubError, match=f"cannot load {tmp_path}"):
        reopen(tmp_path)


def test_a_module_becomes_the_checkpoint_that_it_was_built_from(tiny_modules, tiny_checkpoint):
    encoder = load_hub_layer(str(tiny_modules / "encoder"))
    read = checkpoint_of_module(encoder, tiny_modules / "preprocess")
    tensors = load_file(tiny_checkpoint / "model.safetensors")
    assert set(read.tensors) == set(tensors)
    for name, value in tensors.items():
        np.testing.assert_array_equal(read.tensors[name], value, err_msg=name)
    assert read.vocabulary == tuple(TINY_VOCABULARY)
    assert (read.do_lower_case, read.strip_accents) == (True, True)
    sizes = (read.config.num_attention_heads, read.config.max_position_embeddings)
    assert sizes == (2, 64)
    assert read.config.activation == "gelu"
