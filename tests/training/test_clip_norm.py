"""`clip_norm` with Adam and AdamW matches steps by hand; 0 does not clip."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.training.optimizer import make_optimizer
from kerasnlp_lab.zoo import Recipe

RATE = 0.1
GRADIENTS = [([3.0, -4.0], [12.0]), ([0.03, 0.04], [0.0]), ([30.0, 40.0], [-120.0])]  # norm 13,..


def steps_by_hand(optimizer, clip_norm):
    """Takes steps of Adam (epsilon 1e-7) or AdamW (1e-6, decay 0.01, rate to 0 in 1000 steps)."""
    weights, epsilon, decay = np.array([1.0, -2.0, 0.5]), {"adam": 1e-7, "adamw": 1e-6}, 0.0
    m = v = np.zeros(3)
    for step, (first, second) in enumerate(GRADIENTS, start=1):
        rate = RATE
        if optimizer == "adamw":
            rate, decay = RATE * (1 - (step - 1) / 1000), 0.01
        gradient = np.array([*first, *second])
        norm = np.sqrt((gradient**2).sum())  # the norm over all variables
        if clip_norm and norm > clip_norm:
            gradient = gradient * clip_norm / norm
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        weights = weights - rate * decay * weights
        corrected = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        weights = weights - corrected * m / (np.sqrt(v) + epsilon[optimizer])
    return weights


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("clip_norm", [0.0, 0.5, 5.0, 100.0])
@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_steps_are_those_of_clipped_gradients(optimizer, clip_norm, frozen):
    settings = {"optimizer": optimizer, "clip_norm": clip_norm, "warmup_fraction": 0.0}
    settings |= {"epochs": 10, "frozen_epochs": 10}
    rates = {"learning_rate": 9.0, "head_learning_rate": RATE}
    if not frozen:
        rates = {"learning_rate": RATE, "head_learning_rate": 9.0}
    found = make_optimizer(Recipe(**settings, **rates), 100, frozen=frozen, network=None)
    kernels = tf.Variable([1.0, -2.0], name="kernel"), tf.Variable([0.5], name="kernel")
    for gradients in GRADIENTS:
        found.apply_gradients(zip(map(tf.constant, gradients), kernels, strict=True))
    weights = np.concatenate([kernel.numpy() for kernel in kernels])
    np.testing.assert_allclose(weights, steps_by_hand(optimizer, clip_norm), rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_clipping_makes_a_difference_to_these_steps(optimizer):
    """Otherwise the test above would prove nothing."""
    free, clipped = (steps_by_hand(optimizer, clip_norm) for clip_norm in (0.0, 0.5))
    assert np.abs(free - clipped).max() > 1e-3


@pytest.mark.parametrize("change", [{"clip_norm": -1.0}, {"head_learning_rate": 0.0}])
def test_values_that_cannot_be(change):
    with pytest.raises(OptionError, match=f"{next(iter(change))} must be"):
        Recipe(**change)


def test_the_frozen_phase_has_a_schedule_of_its_own():
    """It warms up and decays over its own epochs, with its own peak rate."""
    recipe = Recipe(epochs=3, frozen_epochs=2, learning_rate=1e-5, head_learning_rate=1e-3)
    rate = make_optimizer(recipe, 50, frozen=True, network=None).learning_rate
    # The warm-up takes a tenth of 2 * 50 steps, so step 5 is half way.
    assert float(rate(5)) == pytest.approx(0.5e-3)
    assert float(rate(50)) == pytest.approx(0.5e-3)
    assert float(rate(100)) == 0.0
    rate = make_optimizer(recipe, 50, frozen=False, network=None).learning_rate
    assert float(rate(75)) == pytest.approx(0.5e-5)
    assert float(rate(150)) == 0.0
