"""Updates of embedding tables equal the Model Garden's AdamW and Keras' Adam, except rounding."""

import numpy as np
import pytest
import tensorflow as tf
from official.nlp import optimization

from kerasnlp_lab._keras import keras
from kerasnlp_lab.training import adamw_with_warmup
from kerasnlp_lab.training.optimizer import make_optimizer
from kerasnlp_lab.zoo import Recipe


def published_adamw():
    optimizer = optimization.create_optimizer(0.1, 100, 0, optimizer_type="adamw")
    optimizer.gradient_clip_norm = 0.0  # it counts the parts of a row's gradient separately
    return optimizer


def our_adam():
    recipe = Recipe(optimizer="adam", learning_rate=0.1, clip_norm=0.0)
    return make_optimizer(recipe, 100, frozen=False, network=None)


PAIRS = {
    "adamw": (
        lambda: adamw_with_warmup(0.1, 100, warmup_fraction=0.0, clip_norm=0.0),
        published_adamw,
    ),
    "adam": (our_adam, lambda: keras.optimizers.legacy.Adam(0.1)),
}


def gradients(rows):
    """Returns gradients of a table, for four tokens of seven, and of a kernel."""
    rng = np.random.default_rng(1)
    values = tf.constant(rng.normal(size=(4, 4)), tf.float32)
    table = tf.IndexedSlices(values, rows, tf.constant([7, 4]))
    return table, tf.constant(rng.normal(size=4), tf.float32)


def six_steps(optimizer, start, graph):
    """Returns table and kernel after each step, float32 [6, 8, 4]."""
    variables = tf.Variable(start, name="embeddings"), tf.Variable(start[0], name="kernel")
    optimizer._create_all_weights(variables)

    def step(rows):
        optimizer.apply_gradients(zip(gradients(rows), variables, strict=True))

    step = tf.function(step) if graph else step
    steps = []
    # One row occurs twice in a step. Later steps use other rows; momentum still moves the first.
    for rows in [[5, 1, 5, 0]] + 5 * [[2, 1, 1, 6]]:
        step(tf.constant(rows))
        steps.append(np.vstack([one.numpy() for one in variables]))
    return np.array(steps)


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("name", PAIRS)
def test_rows_move_as_published(name, graph):
    start = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    found, expected = (six_steps(make(), start, graph) for make in PAIRS[name])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert np.abs(found[-1, 5] - found[0, 5]).max() > 0.01  # only by momentum
    idle = np.abs(found[-1, 3] - start[3]).max()  # a token that never occurred
    assert idle > 1e-4 if name == "adamw" else idle == 0.0
