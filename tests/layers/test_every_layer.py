"""Every public layer keeps its promises about config, saving, graphs, precision and masks."""

import inspect
import json

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab import layers
from kerasnlp_lab._keras import keras
from tests.layers.cases import CASES, TOKEN_IDS

every_layer = pytest.mark.parametrize("case", CASES, ids=lambda case: case.layer.__name__)
POLICIES = {"mixed_bfloat16": tf.bfloat16, "mixed_float16": tf.float16, "float64": tf.float64}


class ProvideMask(keras.layers.Layer):
    """Returns its inputs with a mask that is false at vectors of zeros."""

    def call(self, inputs):
        return tf.identity(inputs)

    def compute_mask(self, inputs, mask=None):
        return TOKEN_IDS != 0


class ReceiveMask(keras.layers.Layer):
    """Returns the mask that reaches it, or -1 for each row without a mask."""

    def __init__(self):
        super().__init__(dtype="float32")
        self.supports_masking = True

    def call(self, inputs, mask=None):
        return -tf.ones(tf.shape(inputs)[:1]) if mask is None else tf.cast(mask, tf.float32)


def test_there_is_a_case_for_every_public_layer():
    assert {case.layer.__name__ for case in CASES} == set(layers.__all__)


@every_layer
def test_config_round_trip(case):
    layer = case.make(name="a_name", trainable=False)
    config = layer.get_config()

    parameters = set(inspect.signature(case.layer.__init__).parameters) - {"self", "kwargs"}
    assert parameters <= set(config)
    assert config | case.arguments | {"name": "a_name", "trainable": False} == config
    copy = case.layer.from_config(json.loads(json.dumps(config)))
    assert copy.get_config() == config


@every_layer
def test_policy_survives_the_config(case):
    config = case.make(dtype="mixed_bfloat16").get_config()
    copy = case.layer.from_config(json.loads(json.dumps(config)))
    assert copy.compute_dtype == "bfloat16"
    assert copy.variable_dtype == "float32"


@every_layer
@pytest.mark.parametrize("form", ["keras", pytest.param("saved_model", marks=pytest.mark.slow)])
def test_saved_model_loads_without_custom_objects(case, form, tmp_path):
    layer = case.built()
    path = tmp_path / ("model.keras" if form == "keras" else "model")
    case.model(layer).save(path)

    reloaded = keras.models.load_model(path)

    np.testing.assert_allclose(reloaded(case.inputs), layer(case.inputs), rtol=0, atol=1e-6)
    assert type(reloaded.layers[-1]) is case.layer
    assert reloaded.layers[-1].get_config() == layer.get_config()


@every_layer
@pytest.mark.parametrize("file", ["m.weights.h5", "m.h5", "checkpoint"])
def test_weights_are_saved_and_loaded(case, file, tmp_path):
    first, second = case.built(), case.make()
    case.model(first).save_weights(tmp_path / file)
    case.model(second).load_weights(tmp_path / file)
    np.testing.assert_array_equal(second(case.inputs), first(case.inputs))


@every_layer
def test_symbolic_and_eager_calls_agree(case):
    layer = case.built()
    model = case.model(layer)
    eager = layer(case.inputs)

    np.testing.assert_allclose(model.predict(case.inputs, verbose=0), eager, rtol=0, atol=1e-6)
    known_length = tf.function(layer)(case.inputs)
    np.testing.assert_allclose(known_length, eager, rtol=0, atol=1e-6)
    assert model.output.dtype == eager.dtype
    assert model.output.shape.is_compatible_with(eager.shape)
    assert model.output.shape[-1] == (eager.shape[-1] if case.floats else None)


@every_layer
@pytest.mark.parametrize("policy", POLICIES)
def test_mixed_precision(case, policy):
    layer = case.built(dtype=policy)
    outputs = layer(case.inputs)

    own = tf.float64 if policy == "float64" else tf.float32
    assert all(weight.dtype == own for weight in layer.weights)
    if not case.floats:
        assert outputs.dtype == tf.int32
        return
    assert outputs.dtype == POLICIES[policy]
    # Every part of the layer has this policy, and none has the global one.
    assert {part.compute_dtype for part in layer._flatten_layers()} == {POLICIES[policy].name}
    exact = case.built()(case.inputs)
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), exact, rtol=0.05, atol=0.05)


@every_layer
def test_global_policy_is_followed(case):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        layer = case.built()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert layer.compute_dtype == "bfloat16"
    assert all(weight.dtype == tf.float32 for weight in layer.weights)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.mask != "not needed"],
    ids=lambda case: f"{case.layer.__name__}-{case.mask}",
)
@pytest.mark.parametrize("mode", ["eager", "symbolic"])
def test_mask_behind_the_layer(case, mode):
    layer = case.make()

    def chain(inputs):
        given = inputs if case.mask == "made" else ProvideMask()(inputs)
        return ReceiveMask()(layer(given))

    if mode == "eager":
        received = chain(tf.nest.map_structure(tf.constant, case.inputs))
    else:
        inputs = case.symbolic_inputs()
        received = keras.Model(inputs, chain(inputs))(case.inputs)
    expected = [-1, -1] if case.mask == "dropped" else (TOKEN_IDS != 0).astype(int)
    np.testing.assert_array_equal(received, expected)
