"""Takes one step of a tiny BERT with and without layer decay, on two logical CPUs."""

import json

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.checkpoint import BertConfig
from kerasnlp_lab.bert.encoder import bert_encoder
from kerasnlp_lab.training.optimizer import make_optimizer
from kerasnlp_lab.zoo import Recipe

IDS = np.array([[2, 5, 7, 3], [2, 8, 3, 0], [2, 9, 9, 3], [2, 5, 3, 0]], np.int32)
BATCH = {
    "input_word_ids": IDS,
    "input_mask": (IDS > 0).astype(np.int32),
    "input_type_ids": np.zeros_like(IDS),
}
LABELS = np.array([0, 1, 2, 1])


def step(layer_decay, layers, strategy):
    """Returns the change of each variable in the first step, by name."""
    config = BertConfig(20, 16, layers, 2, 32, 16, 2, "gelu", 0.0, 0.0)
    with strategy.scope():
        encoder = bert_encoder(config, name="encoder")
        inputs = {tensor.name: tensor for tensor in encoder.inputs}
        pooled = encoder(dict(inputs))["pooled_output"]
        network = keras.Model(inputs, keras.layers.Dense(3, name="classifier")(pooled))
        rng = np.random.default_rng(0)
        network.set_weights([rng.normal(0, 0.3, w.shape) for w in network.get_weights()])
        recipe = Recipe(learning_rate=0.1, warmup_fraction=0.0, layer_decay=layer_decay)
        optimizer = make_optimizer(recipe, 100, frozen=False, network=network)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        network.compile(optimizer, loss)
    before = {weight.name: weight.numpy() for weight in network.weights}
    network.fit(tf.data.Dataset.from_tensor_slices((BATCH, LABELS)).batch(4), verbose=0)
    return {weight.name: weight.numpy() - before[weight.name] for weight in network.weights}


def shares(layer_decay, layers, strategy):
    """Returns the smallest and largest ratio of each variable's step to its step without decay."""
    whole, decayed = step(1.0, layers, strategy), step(layer_decay, layers, strategy)
    found = {}
    for name, change in whole.items():
        moved = np.abs(change) > 1e-4  # smaller changes are rounding errors
        ratio = decayed[name][moved] / change[moved]
        found[name] = [moved.mean(), ratio.min(), ratio.max()] if moved.any() else [0, 0, 0]
    return {name: [float(number) for number in numbers] for name, numbers in found.items()}


if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    devices = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert devices.num_replicas_in_sync == 2
    print(json.dumps(shares(0.5, 1, devices)))
