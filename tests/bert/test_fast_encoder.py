"""`FastBertEncoder` computes the same as BertEncoder, in fewer operations."""

import collections
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab import load_dataset
from kerasnlp_lab.bert import HubVectorizer, reopen
from kerasnlp_lab.bert.checkpoint import BertConfig
from kerasnlp_lab.bert.encoder import bert_encoder
from kerasnlp_lab.bert.fast_encoder import FastBertEncoder
from kerasnlp_lab.hub import minilm_modules
from kerasnlp_lab.layers import MaskedAveragePooling1D
from kerasnlp_lab.machine import best_precision

OUTPUTS = ("sequence_output", "pooled_output")


def random_bert(activation="gelu", dropout=0.0, layers=2, deviation=0.3):
    config = BertConfig(40, 32, layers, 4, 64, 24, 2, activation, dropout, dropout)
    bert = bert_encoder(config)
    rng = np.random.default_rng(0)
    bert.set_weights([rng.normal(0, deviation, weight.shape) for weight in bert.get_weights()])
    bert.bert_config = config
    return bert


def batch_of(rows=5, width=16, vocabulary=40):
    """Random texts of two segments. All but the first are padded, each differently."""
    rng = np.random.default_rng(1)
    lengths = np.linspace(width, 3, rows).astype(int)[:, None]
    places = np.arange(width)[None]
    arrays = {
        "input_word_ids": rng.integers(1, vocabulary, (rows, width)) * (places < lengths),
        "input_mask": places < lengths,
        "input_type_ids": (places >= lengths // 2) & (places < lengths),
    }
    return {name: tf.constant(array.astype(np.int32)) for name, array in arrays.items()}


def real(outputs, batch):
    """Returns all outputs as one array, without the values at padding."""
    sequence = outputs["sequence_output"].numpy()[batch["input_mask"].numpy() > 0]
    parts = (sequence, outputs["pooled_output"].numpy())
    return np.concatenate([np.asarray(part, np.float32).ravel() for part in parts])


ACTIVATIONS = [
    "gelu",
    *(pytest.param(one, marks=pytest.mark.slow) for one in ("gelu_tanh", "relu")),
]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_same_numbers(activation):
    bert, batch = random_bert(activation), batch_of()
    expected = real(bert(batch), batch)
    assert np.ptp(expected) > 1
    fast = FastBertEncoder(bert)
    ways = {
        "eagerly": fast,
        "in a graph": tf.function(lambda inputs: fast(inputs, training=False)),
        "with constants": tf.function(fast.with_constants()),
        "as in training": lambda inputs: fast(inputs, training=True),  # dropout is 0
    }
    for way, function in ways.items():
        found = real(function(batch), batch)
        np.testing.assert_allclose(found, expected, atol=2e-5, err_msg=way)


def test_what_varies_little_is_normalized_by_no_other_epsilon():
    """BERT's own embeddings are so small that an epsilon of 0.001 would matter; see ENLARGED."""
    bert, batch = random_bert(deviation=0.02), batch_of()
    fast = tf.function(FastBertEncoder(bert).with_constants())
    expected = real(bert(batch), batch)
    np.testing.assert_allclose(real(fast(batch), batch), expected, atol=2e-6)
    assert np.abs(expected).max() > 0.05


def test_what_is_padding_makes_no_difference():
    fast, batch = FastBertEncoder(random_bert()), batch_of()
    wider = {name: tf.pad(one, [[0, 0], [0, 7]]) for name, one in batch.items()}
    np.testing.assert_allclose(real(fast(wider), wider), real(fast(batch), batch), atol=2e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_last_layer_for_the_first_token_alone(layers):
    bert, batch = random_bert(layers=layers), batch_of()
    expected = bert(batch)["pooled_output"]
    fast = FastBertEncoder(bert, pooled_only=True)
    assert set(fast(batch)) == {"pooled_output"}
    for found in (fast(batch), fast.with_constants()(batch)):
        np.testing.assert_allclose(found["pooled_output"], expected, atol=2e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_same_gradients(activation):
    bert = random_bert(activation)
    assert_same_gradients(bert, FastBertEncoder(bert), batch_of())


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_the_same_gradients_if_halves_of_a_batch_are_padded_apart(rows):
    bert, batch = random_bert(), batch_of(rows)
    shuffled = [3, 0, 4, 1, 2] if rows == 5 else range(rows)
    batch = {name: tf.gather(one, shuffled) for name, one in batch.items()}
    assert_same_gradients(bert, FastBertEncoder(bert, mixed_lengths=True), batch)


def assert_same_gradients(bert, fast, batch):
    mask = tf.cast(batch["input_mask"], tf.float32)[..., None]

    def gradients(encoder):
        with tf.GradientTape() as tape:
            outputs = encoder(batch, training=True)
            loss = tf.reduce_sum(tf.sin(outputs["pooled_output"]))
            loss += tf.reduce_sum(tf.sin(outputs["sequence_output"]) * mask)
        return tape.gradient(loss, bert.trainable_variables)

    compared = zip(bert.trainable_variables, gradients(bert), gradients(fast), strict=True)
    for variable, expected, found in compared:
        expected, found = (tf.convert_to_tensor(one).numpy() for one in (expected, found))
        np.testing.assert_allclose(found, expected, atol=2e-4, rtol=1e-3, err_msg=variable.name)


@pytest.mark.parametrize(
    "run",
    [lambda step: step, pytest.param(tf.function, marks=pytest.mark.slow)],
    ids=["eager", "graph"],
)
def test_gradients_in_bfloat16_point_the_same_way(run):
    """Dropout is on, at a rate that drops almost nothing."""
    bert, batch = random_bert(dropout=1e-9), batch_of()

    def gradient(precision):
        fast = FastBertEncoder(bert, precision=precision)
        with tf.GradientTape() as tape:
            outputs = fast(batch, training=True)
            assert {one.dtype for one in outputs.values()} == {fast._layers_dtype}
            loss = tf.reduce_sum(tf.sin(tf.cast(outputs["pooled_output"], tf.float32)))
        found = tape.gradient(loss, bert.trainable_variables)
        assert all(one.dtype == tf.float32 for one in found)
        return tf.concat([tf.reshape(tf.convert_to_tensor(one), [-1]) for one in found], 0)

    one, other = (run(lambda p=p: gradient(p))().numpy() for p in ("float32", "mixed_bfloat16"))
    assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.99


def test_weights_are_the_encoders_own():
    bert = random_bert()
    fast = FastBertEncoder(bert, name="encoder")
    assert [id(one) for one in fast.weights] == [id(one) for one in bert.weights]
    constant, batch = fast.with_constants(), batch_of()
    before, then = fast(batch)["pooled_output"].numpy(), constant(batch)["pooled_output"]
    bert.set_weights([1.5 * one for one in bert.get_weights()])
    assert np.abs(fast(batch)["pooled_output"].numpy() - before).max() > 0.01
    np.testing.assert_array_equal(constant(batch)["pooled_output"], then)  # the earlier weights


def test_dropout_is_there_in_training_alone():
    fast, batch = FastBertEncoder(random_bert(dropout=0.3)), batch_of()
    np.testing.assert_array_equal(real(fast(batch), batch), real(fast(batch), batch))
    several = [real(fast(batch, training=True), batch) for _ in range(2)]
    assert np.abs(several[0] - several[1]).max() > 0.1


PRECISIONS = ["float32", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_several_threads_may_ask_at_once(precision):
    compute = tf.function(FastBertEncoder(random_bert(), precision=precision).with_constants())
    batches = [batch_of(rows, width) for rows, width in ((60, 24), (3, 8), (90, 16), (40, 11))]
    expected = [compute(batch)["pooled_output"].numpy() for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(40):
            answers = pool.map(lambda batch: compute(batch)["pooled_output"].numpy(), batches)
            for found, right in zip(answers, expected, strict=True):
                np.testing.assert_allclose(found, right, atol=1e-6)


@pytest.fixture(scope="module")
def minilm():
    return reopen(minilm_modules().encoder)


@pytest.fixture(scope="module")
def headlines():
    vectorizer = HubVectorizer(minilm_modules().preprocess, 128)
    return vectorizer(tf.constant(load_dataset("news_sample").test.texts[:64]))


def text_vectors(outputs, batch):
    pooled = MaskedAveragePooling1D()(outputs["sequence_output"], mask=batch["input_mask"])
    return tf.cast(pooled, tf.float32).numpy()


def test_minilm_in_float32(minilm, headlines):
    expected = text_vectors(minilm(headlines), headlines)
    found = text_vectors(FastBertEncoder(minilm).with_constants()(headlines), headlines)
    np.testing.assert_allclose(found, expected, atol=3e-6)


@pytest.mark.slow  # a random BERT's gradients are compared in bfloat16 above
def test_minilm_in_bfloat16(minilm, headlines):
    """The documented tolerance is a cosine of at least 0.9995 for every text."""
    expected = text_vectors(minilm(headlines), headlines)
    fast = FastBertEncoder(minilm, precision="mixed_bfloat16")
    for way in (fast, tf.function(fast.with_constants())):
        found = text_vectors(way(headlines), headlines)
        assert np.abs(found - expected).max() > 1e-5  # it did compute in bfloat16
        norms = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
        assert ((found * expected).sum(axis=1) / norms).min() > 0.9995


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_graph_rewriter_makes_few_operations_of_it(precision, minilm, headlines):
    """The speed depends on this, and a new TensorFlow version could silently change it."""
    if not _has_onednn():
        pytest.skip("this TensorFlow computes without oneDNN")
    if precision not in ("float32", best_precision()):
        pytest.skip("oneDNN has no bfloat16 on this machine")
    ran = operations(FastBertEncoder(minilm, precision=precision), headlines)
    layers = minilm.bert_config.num_hidden_layers
    assert ran["_MklNativeFusedMatMul"] == 4 * layers
    assert ran["_MklLayerNorm"] == 2 * layers + 1
    # Not safe if several threads run one graph, like a server with an export.
    assert not any("BatchNorm" in one for one in ran)
    assert ran["Erf"] + ran["Erfc"] == 0  # the GELUs are fused into the products
    assert ran["BiasAdd"] == 0


def _has_onednn():
    from tensorflow.python.util import _pywrap_util_port

    return _pywrap_util_port.IsMklEnabled()


def operations(fast, batch):
    """Returns the number of operations of each kind that TensorFlow ran, after graph rewriting."""
    compute = tf.function(fast.with_constants()).get_concrete_function(
        {name: tf.TensorSpec([None, None], tf.int32, name) for name in batch}
    )
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(compute.graph.as_graph_def(), name="")
    metadata = tf.compat.v1.RunMetadata()
    with tf.compat.v1.Session(graph=graph) as session:
        given = [batch[one.name.split(":")[0]] for one in compute.inputs[: len(batch)]]
        values = [*given, *compute.captured_inputs]
        feeds = {one.name: value.numpy() for one, value in zip(compute.inputs, values, strict=True)}
        wanted = [one.name for one in tf.nest.flatten(compute.structured_outputs)]
        options = tf.compat.v1.RunOptions(output_partition_graphs=True)
        session.run(wanted, feeds, options=options, run_metadata=metadata)
    nodes = [node.op for part in metadata.partition_graphs for node in part.node]
    return collections.Counter(nodes)
