"""`random_by_step`: dropout as a pure function of seed, layer and step."""

from __future__ import annotations

import contextlib
import hashlib
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras

__all__ = ["random_by_step"]

CHANCES = 1 << 16
LEAST_KEY_BITS = 16  # left free for the number of a replica and of a call


@contextlib.contextmanager
def random_by_step(network: keras.Model, seed: str, step: tf.Variable) -> Iterator[None]:
    """Gives each random layer of a network numbers that depend on nothing but the step.

    What Keras draws otherwise is the next of a sequence whose place no checkpoint
    holds. Graphs that are traced in the block keep these numbers after it. A module
    from TF Hub has its dropout in its own graph, out of reach.

    Args:
        network: The network; layers within layers are found too.
        seed: What the numbers depend on besides: another text gives others.
        step: A scalar variable that differs at each step.
    """
    layers = [one for one in network._flatten_layers() if hasattr(one, "_random_generator")]
    before = [one._random_generator for one in layers]
    for index, layer in enumerate(layers):
        generator = type(layer._random_generator)(rng_type="stateless")
        generator.make_seed_for_stateless_op = _seeds(f"{seed} {index}", step)
        generator.dropout = partial(_dropout, generator)
        _put(layer, generator)
    try:
        yield
    finally:
        for layer, generator in zip(layers, before, strict=True):
            _put(layer, generator)


def _dropout(generator: Any, inputs: tf.Tensor, rate: float, noise_shape: Any = None) -> tf.Tensor:
    """Does what a generator's ``dropout`` does, with 16 random bits a number in place of 32.

    Rates are rounded to a multiple of 1 / 65,536.
    """
    if noise_shape is not None or tf.is_tensor(rate):
        return type(generator).dropout(generator, inputs, rate, noise_shape)
    dropped = min(round(rate * CHANCES), CHANCES - 1)
    size = tf.size(inputs)
    words = tf.random.stateless_uniform(
        [(size + 3) // 4], generator.make_seed_for_stateless_op(), None, None, tf.uint64
    )
    chances = tf.reshape(tf.bitcast(words, tf.int16), [-1])[:size]  # from -32,768 to 32,767
    kept = tf.cast(chances >= dropped - CHANCES // 2, inputs.dtype)
    scaled = kept * (CHANCES / (CHANCES - dropped))
    return inputs * tf.reshape(scaled, tf.shape(inputs))


def _put(layer: keras.layers.Layer, generator: object) -> None:
    # Keras does not track it, and would if it were assigned in the usual way.
    layer.__dict__["_random_generator"] = generator


def _seeds(seed: str, step: tf.Variable) -> Callable[[], tf.Tensor]:
    """Returns a function that gives the seed, int64 [2], of the next call of a layer in a graph."""
    digest = hashlib.sha256(seed.encode()).digest()
    key = int.from_bytes(digest[:8], "big") >> 1 & -(1 << LEAST_KEY_BITS)
    calls: weakref.WeakKeyDictionary[tf.Graph, int] = weakref.WeakKeyDictionary()

    def next_seed() -> tf.Tensor:
        # A layer that a network shares (ALBERT's) is called several times in a step.
        graph = tf.compat.v1.get_default_graph()
        calls[graph] = call = calls.get(graph, -1) + 1
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        place = tf.constant(key + (call << 8), tf.int64) + tf.cast(replica, tf.int64)
        return tf.stack([place, tf.cast(step.read_value(), tf.int64)])

    return next_seed
