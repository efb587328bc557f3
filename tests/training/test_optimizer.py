"""AdamW with warm-up: its schedule, weight decay and clipping."""

import numpy as np
import pytest
import tensorflow as tf
from official.nlp import optimization

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.training import adamw_with_warmup
from kerasnlp_lab.training.optimizer import make_optimizer
from kerasnlp_lab.zoo import Recipe, create_classifier


def test_warm_up_is_linear_over_a_tenth_and_decay_linear_to_zero():
    rate = adamw_with_warmup(1e-3, 1000).learning_rate
    for step, expected in ((0, 0.0), (50, 0.5e-3), (100, 0.9e-3), (550, 0.45e-3), (1000, 0.0)):
        assert float(rate(step)) == pytest.approx(expected, abs=1e-9)


def test_step_counts_follow_from_the_recipe():
    rate = make_optimizer(
        Recipe(epochs=4, learning_rate=1e-3), 25, frozen=False, network=None
    ).learning_rate
    assert float(rate(10)) == pytest.approx(0.9e-3)  # a tenth of 4 * 25 steps
    assert float(rate(100)) == 0.0


@pytest.mark.parametrize("name", ["transformer", "bert"])
def test_layer_norm_and_bias_do_not_decay_and_everything_else_does(name, tiny_checkpoint):
    """If gradients are zero, only weight decay moves a variable."""
    model, options = (str(tiny_checkpoint), {"max_length": 32}) if name == "bert" else (name, {})
    network = create_classifier(model, ["a", "b"], ["some words"], options=options).network
    before = [variable.numpy() for variable in network.trainable_variables]
    optimizer = adamw_with_warmup(1.0, 1000, warmup_fraction=0.0)
    zeros = [tf.zeros_like(variable) for variable in network.trainable_variables]
    optimizer.apply_gradients(zip(zeros, network.trainable_variables, strict=True))
    decayed, kept = set(), set()
    for variable, value in zip(network.trainable_variables, before, strict=True):
        if np.any(value):  # a variable of zeros cannot show decay
            (decayed if np.any(variable.numpy() != value) else kept).add(variable.name)
    assert kept and all("norm" in one or "bias" in one for one in kept)
    assert decayed and not any("norm" in one.lower() or "bias" in one for one in decayed)


def test_gradients_are_clipped_by_the_norm_of_what_is_applied():
    """Two gradients of one embedding row count as their sum, (3 + 3, 8) with norm 10."""
    table = tf.Variable([[0.0], [0.0]])
    optimizer = adamw_with_warmup(1.0, 10, clip_norm=5.0)
    parts = tf.IndexedSlices(tf.constant([[3.0], [3.0], [8.0]]), tf.constant([0, 0, 1]), [2, 1])
    [(clipped, _)] = optimizer.gradient_transformers[0]([(parts, table)])
    dense = tf.convert_to_tensor(clipped).numpy()
    np.testing.assert_allclose(dense, [[3.0], [4.0]], rtol=1e-6)


def test_the_first_steps_are_those_of_plain_adam_with_decay():
    """They equal the update rule of Loshchilov and Hutter, written out here."""
    weights, rate, decay = np.array([1.0, -2.0]), 0.1, 0.01
    variable = tf.Variable(weights, dtype=tf.float32, name="kernel")
    optimizer = adamw_with_warmup(rate, 10_000, warmup_fraction=0.0, clip_norm=1e9)
    m = v = np.zeros(2)
    for step in range(1, 4):
        gradient = np.array([0.3, 0.1]) * step
        step_rate = rate * (1 - (step - 1) / 10_000)
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        weights = weights - step_rate * decay * weights
        corrected = step_rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        weights = weights - corrected * m / (np.sqrt(v) + 1e-6)
        optimizer.apply_gradients([(tf.constant(gradient, tf.float32), variable)])
        np.testing.assert_allclose(variable.numpy(), weights, rtol=1e-5)


def test_no_steps_is_an_error():
    with pytest.raises(OptionError, match="num_train_steps must be 1 or more, got 0"):
        adamw_with_warmup(1e-3, 0)


@pytest.mark.parametrize("frozen", [False, True])
def test_adam_keeps_its_rate(frozen):
    recipe = Recipe(optimizer="adam", learning_rate=2e-3, head_learning_rate=5e-3)
    optimizer = make_optimizer(recipe, 10, frozen=frozen, network=None)
    assert isinstance(optimizer, keras.optimizers.legacy.Adam)
    assert float(optimizer.learning_rate) == pytest.approx(5e-3 if frozen else 2e-3)


@pytest.mark.parametrize("warmup_steps", [0, 4])
def test_steps_are_those_of_the_model_gardens_create_optimizer(warmup_steps):
    """Schedule, decay and exclusions are the same in every step; clipping has its own test."""
    theirs = optimization.create_optimizer(0.1, 20, warmup_steps, optimizer_type="adamw")
    theirs.gradient_clip_norm = 0.0  # theirs clips each replica separately
    ours = adamw_with_warmup(0.1, 20, warmup_fraction=warmup_steps / 20, clip_norm=0.0)
    assert ours.get_config()["weight_decay_rate"] == theirs.get_config()["weight_decay_rate"]
    rng = np.random.default_rng(0)
    names = ("kernel", "dense/bias", "layer_norm/gamma", "LayerNorm/beta")
    start = rng.normal(size=(len(names), 3)).astype(np.float32)
    steps = {}
    for optimizer in (ours, theirs):
        variables = [tf.Variable(row, name=name) for row, name in zip(start, names, strict=True)]
        gradients = np.random.default_rng(1).normal(size=(20, *start.shape)).astype(np.float32)
        steps[optimizer] = []
        for step, of_step in enumerate(gradients):
            assert float(ours.learning_rate(step)) == float(theirs.learning_rate(step))
            optimizer.apply_gradients(zip(map(tf.constant, of_step), variables, strict=True))
            steps[optimizer].append([one.numpy() for one in variables])
    np.testing.assert_allclose(steps[ours], steps[theirs], rtol=1e-5, atol=1e-6)
    assert np.abs(np.array(steps[ours])[-1] - start).max() > 0.1
