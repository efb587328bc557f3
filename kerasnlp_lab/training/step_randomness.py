"""`random_by_step`: makes dropout a pure function of seed, layer and step."""

from __future__ import annotations

import contextlib
import hashlib
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import tensorflow as tf

from kerasnlp_lab._internals import (
    random_generator,
    random_layers,
    set_random_generator,
    stateless_generator,
)
from kerasnlp_lab._keras import keras

__all__ = ["random_by_step"]

CHANCES = 1 << 8
LEAST_KEY_BITS = 16  # left free for the number of a replica and of a call


@contextlib.contextmanager
def random_by_step(network: keras.Model, seed: str, step: tf.Variable) -> Iterator[None]:
    """Gives each random layer of a network numbers that depend only on the seed and the step.

    Otherwise Keras draws the next number of a sequence, and no checkpoint holds the place in it.
    Layers within layers are found too. Graphs that are traced in the block keep these numbers
    afterwards. The dropout of a TF Hub module is in its own graph, and out of reach. `step` is a
    scalar variable that differs at each step.
    """
    layers = random_layers(network)
    before = [random_generator(one) for one in layers]
    for index, layer in enumerate(layers):
        generator = stateless_generator(layer)
        generator.make_seed_for_stateless_op = _seeds(f"{seed} {index}", step)
        generator.dropout = partial(_dropout, generator)
        set_random_generator(layer, generator)
    try:
        yield
    finally:
        for layer, generator in zip(layers, before, strict=True):
            set_random_generator(layer, generator)


def _dropout(generator: Any, inputs: tf.Tensor, rate: float, noise_shape: Any = None) -> tf.Tensor:
    """Does what a generator's ``dropout`` does, with 8 random bits per number instead of 32.

    The rate of a call is one of the two multiples of 1/256 around the requested rate, chosen at
    random so that it is their mean. The numbers that stay are scaled to make up for that rate.
    """
    if noise_shape is not None or tf.is_tensor(rate):
        return type(generator).dropout(generator, inputs, rate, noise_shape)
    size = tf.size(inputs)
    words = tf.random.stateless_uniform(
        [(size + 7) // 8 + 1], generator.make_seed_for_stateless_op(), None, None, tf.uint64
    )
    low, rest = divmod(min(rate * CHANCES, CHANCES - 1), 1)
    # The last word is no part of the mask.
    above = (
        tf.cast(tf.bitwise.right_shift(words[-1], tf.constant(40, tf.uint64)), tf.float32)
        < rest * 2.0**24
    )
    dropped = tf.cast(low, tf.int32) + tf.cast(above, tf.int32)
    chances = tf.reshape(tf.bitcast(words, tf.int8), [-1])[:size]  # from -128 to 127
    kept = tf.cast(chances >= tf.cast(dropped - CHANCES // 2, tf.int8), inputs.dtype)
    scaled = kept * tf.cast(CHANCES / (CHANCES - dropped), inputs.dtype)
    return inputs * tf.reshape(scaled, tf.shape(inputs))


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
