"""Layer-wise learning rate decay scales each variable's step as expected."""

import json

import pytest
import tensorflow as tf

from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.zoo import Recipe
from tests import processes
from tests.training import layer_decay_steps
from tests.training.layer_decay_steps import shares


def expected_share(name, layer_decay, layers):
    """Returns 1 for head and pooler, layer_decay for the last layer, and so on down."""
    if "pooler" in name or "classifier" in name:
        return 1.0
    layer = next((i for i in range(layers) if f"/layer_{i}/" in name), -1)
    return layer_decay ** (layers - layer)


def assert_shares(found, layer_decay, layers):
    assert len(found) == 5 + 16 * layers + 2 + 2  # embeddings, layers, pooler, head
    for name, (moved, least, largest) in found.items():
        if moved:
            expected = pytest.approx(expected_share(name, layer_decay, layers), rel=0.01)
            assert (least, largest) == (expected, expected), name
        else:
            # A key's bias shifts all scores of a row equally, so its gradient is a rounding error.
            assert "key/bias" in name
    # Only weight decay moves the rows of unused word pieces, 14 of 20.
    assert found["word_embeddings/embeddings:0"][0] > 0.6


def test_each_layers_step_is_its_share():
    assert_shares(shares(0.8, 2, tf.distribute.get_strategy()), 0.8, 2)


@pytest.mark.slow  # tests/training/test_strategy.py has two devices
def test_on_two_devices_as_on_one():
    result = processes.run(layer_decay_steps.__name__, [])
    assert result.returncode == 0, result.stderr[-3000:]
    assert_shares(json.loads(result.stdout.splitlines()[-1]), 0.5, 1)


@pytest.mark.parametrize("layer_decay", [0.0, -0.5, 1.1])
def test_a_decay_that_cannot_be(layer_decay):
    with pytest.raises(OptionError, match="layer_decay must be above 0, and 1 at most"):
        Recipe(layer_decay=layer_decay)


def test_adam_does_not_leave_it_out_unsaid():
    with pytest.raises(OptionError, match="layer_decay must be .*adamw"):
        Recipe(optimizer="adam", layer_decay=0.8)
