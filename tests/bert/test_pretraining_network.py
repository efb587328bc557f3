"""A BERT with its output layers computes what PyTorch's BertForPreTraining does, and learns."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.bert import pretraining_network as module
from kerasnlp_lab.bert import read_checkpoint
from kerasnlp_lab.bert.config import head_shapes
from kerasnlp_lab.bert.encoder import canonical_name
from kerasnlp_lab.bert.fast_encoder import FastBertEncoder
from kerasnlp_lab.bert.new_weights import new_checkpoint, with_heads
from kerasnlp_lab.bert.pretraining_network import pretraining_network
from kerasnlp_lab.errors import HubError, OptionError
from tests import processes
from tests.bert.pretraining_on_devices import CONFIG, VOCABULARY, batch_of, gradient_of, loss_of
from tests.tiny_bert import write_tiny_checkpoint

ATOL = 1e-4
VECTORS = dict(np.load(Path(__file__).with_name("pretraining_vectors.npz")))
FEATURES = ("input_word_ids", "input_mask", "input_type_ids", "masked_positions")
TABLE = "bert.embeddings.word_embeddings.weight"


@pytest.fixture(params=["cpu", "gpu"])
def encoder(request, monkeypatch):
    """Chooses the encoder of a CPU, and then that of a GPU, which a CPU can compute, too."""
    monkeypatch.setattr(module, "has_gpu", lambda: request.param == "gpu")
    return request.param


@pytest.fixture(scope="module")
def checkpoint():
    return new_checkpoint(CONFIG, VOCABULARY, do_lower_case=True, strip_accents=True)


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
def test_logits_and_losses_equal_those_of_pytorch(activation, encoder, tmp_path):
    folder = write_tiny_checkpoint(tmp_path, activation=activation, heads_of_pretraining=True)
    network = pretraining_network(read_checkpoint(folder)).network
    is_fast = isinstance(network.get_layer("encoder"), FastBertEncoder)
    assert is_fast == (encoder == "cpu")
    features = {name: tf.constant(VECTORS[name]) for name in FEATURES}
    outputs = tf.function(network)(features)
    for name in ("masked_words", "next_sentence"):
        assert outputs[name].dtype == tf.float32
        expected = VECTORS[f"{activation} {name}"]
        np.testing.assert_allclose(outputs[name], expected, rtol=0, atol=ATOL, err_msg=name)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits
    masked = entropy(labels=VECTORS["masked_ids"], logits=outputs["masked_words"])
    pairs = entropy(labels=VECTORS["next_sentence"], logits=outputs["next_sentence"])
    found = [float(tf.reduce_mean(masked)), float(tf.reduce_mean(pairs))]
    np.testing.assert_allclose(found, VECTORS[f"{activation} losses"], rtol=0, atol=ATOL)


def test_any_number_of_positions(checkpoint, encoder):
    """None, one, and one more often than once."""
    network = pretraining_network(checkpoint).network
    compute = tf.function(network, reduce_retracing=True)
    features, _ = batch_of(3, 0)
    every = network(features)["masked_words"].numpy()
    places = features["masked_positions"]
    for chosen in ([], [4], [2, 2, 0]):
        asked = {**features, "masked_positions": tf.gather(places, tf.constant(chosen, tf.int32))}
        outputs = compute(asked)
        np.testing.assert_allclose(outputs["masked_words"], every[chosen], atol=1e-5)
        assert outputs["next_sentence"].shape == (3, 2)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_the_word_table_learns_from_the_lookup_and_from_the_output(precision, encoder, checkpoint):
    """Plain TensorFlow has two tables, of one value, whose gradients are added."""
    made = pretraining_network(checkpoint, precision=precision, dropout=0.0)
    network, weights = made.network, made.named_weights()
    features, targets = batch_of(4, 0)
    with tf.GradientTape() as tape:
        loss = loss_of(network(features, training=True), targets)
    found = tf.convert_to_tensor(tape.gradient(loss, weights[TABLE]))

    in_float32 = pretraining_network(checkpoint, dropout=0.0)
    bert, plain = in_float32.encoder, in_float32.named_weights()
    table = tf.Variable(plain[TABLE])
    inputs = {name: features[name] for name in FEATURES[:3]}

    def head(name):
        return plain[f"cls.predictions.{name}"]

    with tf.GradientTape() as tape:
        encoded = bert(inputs)
        every = tf.reshape(encoded["sequence_output"], [-1, CONFIG.hidden_size])
        x = tf.gather(every, features["masked_positions"])
        x = x @ head("transform.dense.weight") + head("transform.dense.bias")
        x = x * 0.5 * (1 + tf.math.erf(x / 2**0.5))
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        x = (x - mean) / tf.sqrt(variance + 1e-12)
        x = x * head("transform.LayerNorm.weight") + head("transform.LayerNorm.bias")
        pairs = encoded["pooled_output"] @ plain["cls.seq_relationship.weight"]
        outputs = {
            "masked_words": tf.matmul(x, table, transpose_b=True) + head("bias"),
            "next_sentence": pairs + plain["cls.seq_relationship.bias"],
        }
        expected_loss = loss_of(outputs, targets)
    parts = tape.gradient(expected_loss, [plain[TABLE], table])
    lookup, output = (tf.convert_to_tensor(one).numpy() for one in parts)
    expected = lookup + output
    assert min(np.abs(lookup).max(), np.abs(output).max()) > 0.1  # both matter
    assert found.dtype == tf.float32
    if precision == "float32":
        np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    else:
        one, other = found.numpy().ravel(), expected.ravel()
        assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.99


@pytest.mark.parametrize(
    "precision", ["float32", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)]
)
def test_two_devices_give_the_gradient_of_one(precision):
    script = "tests.bert.pretraining_on_devices"
    result = processes.run(script, [precision], environment=dict(os.environ))
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["replicas"] == 2
    assert found["cosine"] > 0.99
    assert precision != "float32" or found["error"] < 1e-4


def test_padding_is_not_read(checkpoint):
    """What only padding would look up is not a number: a segment, and late positions."""
    made = pretraining_network(checkpoint, dropout=0.0)
    features, targets = batch_of(4, 0)
    real = features["input_mask"]
    width = 2 * real.shape[1] - 8
    wider = {
        name: tf.pad(one, [[0, 0], [0, width - real.shape[1]]])
        for name, one in features.items()
        if name != "masked_positions"
    }
    flat = features["masked_positions"]
    row, place = flat // real.shape[1], flat % real.shape[1]
    wider |= {"input_type_ids": 1 - wider["input_mask"], "masked_positions": row * width + place}
    plain = {**features, "input_type_ids": tf.zeros_like(real)}
    expected = made.network(plain)
    expected_gradient = gradient_of(made.network, plain, targets)
    for name, first in (("token_type_embeddings", 1), ("position_embeddings", real.shape[1])):
        table = made.named_weights()[f"bert.embeddings.{name}.weight"]
        table.assign(np.where(np.arange(table.shape[0])[:, None] < first, table.numpy(), np.nan))
    found = made.network(wider)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5)
    for one, other in zip(
        gradient_of(made.network, wider, targets), expected_gradient, strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-4 * max(1, np.abs(other).max()))


def test_what_it_learns_is_in_its_checkpoint(checkpoint):
    made = pretraining_network(checkpoint, dropout=0.0)
    before = made.checkpoint()
    for part in ("tensors", "heads"):
        one, other = getattr(before, part), getattr(checkpoint, part)
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one), part
    features, targets = batch_of(4, 0)
    gradient = gradient_of(made.network, features, targets)
    for variable, change in zip(made.network.trainable_variables, gradient, strict=True):
        variable.assign_sub(0.01 * change)
    after = made.checkpoint()
    still = [
        name
        for part in ("tensors", "heads")
        for name, value in getattr(after, part).items()
        # Softmax does not depend on what a key's bias adds to every score.
        if np.array_equal(value, getattr(before, part)[name]) and "key.bias" not in name
    ]
    assert still == []
    again = pretraining_network(after, dropout=0.0).network
    for name, value in made.network(features).items():
        np.testing.assert_allclose(again(features)[name], value, atol=1e-6)
    names = set(made.named_weights())
    assert names == {f"bert.{name}" for name in after.tensors} | set(after.heads)
    assert {id(one) for one in made.named_weights().values()} == {
        id(one) for one in made.network.weights
    }


def test_masked_words_alone(checkpoint, encoder):
    """Nothing is trained that the loss does not reach; what was there before is kept."""
    made = pretraining_network(checkpoint, next_sentence=False, dropout=0.0)
    features, targets = batch_of(4, 0)
    with tf.GradientTape() as tape:
        outputs = made.network(features, training=True)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=targets["masked_ids"], logits=outputs["masked_words"]
        )
    assert outputs.keys() == {"masked_words"}
    gradient = tape.gradient(loss, made.network.trainable_variables)
    assert all(one is not None for one in gradient)
    trained = {canonical_name(one.name) for one in made.network.trainable_variables}
    assert "pooler.dense.weight" not in trained
    assert made.checkpoint().heads.keys() == checkpoint.heads.keys()


def test_missing_output_layers_are_new(checkpoint):
    bare = dataclasses.replace(checkpoint, heads={})
    shapes = head_shapes(CONFIG)
    words = pretraining_network(bare, next_sentence=False).checkpoint().heads
    assert {name: one.shape for name, one in words.items()} == shapes["masked words"]
    heads = pretraining_network(bare).checkpoint().heads
    assert heads.keys() == shapes["masked words"].keys() | shapes["next sentence"].keys()
    dense = heads["cls.predictions.transform.dense.weight"]
    assert 0.2 < dense.std() < 0.3 and np.abs(dense).max() <= 0.6  # cut at two deviations of 0.3
    assert not heads["cls.predictions.bias"].any() and not heads["cls.seq_relationship.bias"].any()
    np.testing.assert_array_equal(heads["cls.predictions.transform.LayerNorm.weight"], 1)
    other = with_heads(bare, shapes, seed=1).heads
    name = "cls.predictions.transform.dense.weight"
    assert np.array_equal(with_heads(bare, shapes, seed=0).heads[name], dense)
    assert not np.array_equal(other[name], dense)


def test_mistakes(checkpoint):
    heads = {name: one for name, one in checkpoint.heads.items() if "LayerNorm" not in name}
    broken = dataclasses.replace(checkpoint, heads=heads)
    lacks = "output layer for masked words, but lack cls.predictions.transform.LayerNorm.weight"
    with pytest.raises(HubError, match=lacks):
        pretraining_network(broken)
    with pytest.raises(OptionError, match="precision must be one of"):
        pretraining_network(checkpoint, precision="mixed_float16")
    with pytest.raises(OptionError, match="dropout must be from 0"):
        pretraining_network(checkpoint, dropout=1.0)
