"""Computes a gradient of a tiny BERT on one and on two logical CPUs, for test_pretraining_network.

It prints the largest difference, relative to the largest gradient, and the precision.
"""

import dataclasses
import json
import sys

import numpy as np
import tensorflow as tf

from kerasnlp_lab.bert.config import BertConfig
from kerasnlp_lab.bert.new_weights import new_checkpoint
from kerasnlp_lab.bert.pretraining_network import pretraining_network

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"p{i}" for i in range(35))]
CONFIG = BertConfig(40, 32, 2, 4, 64, 24, 2, initializer_range=0.3)


def batch_of(rows, seed, width=16):
    """Random rows, all but the first padded, with every third position hidden."""
    random = np.random.default_rng(seed)
    lengths = np.linspace(width, 4, rows).astype(int)[:, None]
    place = np.arange(width)[None]
    real = place < lengths
    hidden = real & (place % 3 == 1)
    features = {
        "input_word_ids": random.integers(1, 40, (rows, width)) * real,
        "input_mask": real,
        "input_type_ids": real & (place >= lengths // 2),
        "masked_positions": np.flatnonzero(hidden),
    }
    targets = {
        "masked_ids": random.integers(0, 40, hidden.sum()),
        "next_sentence": random.integers(0, 2, rows),
    }
    return (
        {name: tf.constant(value.astype(np.int32)) for name, value in part.items()}
        for part in (features, targets)
    )


def joined(batches):
    """Returns several batches as one."""
    features, targets = zip(*batches, strict=True)
    moved, places = [], 0
    for one in features:
        moved.append({**one, "masked_positions": one["masked_positions"] + places})
        places += tf.size(one["input_mask"])
    return [
        {name: tf.concat([one[name] for one in part], axis=0) for name in part[0]}
        for part in (moved, targets)
    ]


def loss_of(outputs, targets):
    """The sums of both losses."""
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits
    words = entropy(labels=targets["masked_ids"], logits=outputs["masked_words"])
    pairs = entropy(labels=targets["next_sentence"], logits=outputs["next_sentence"])
    return tf.reduce_sum(words) + tf.reduce_sum(pairs)


def gradient_of(network, features, targets):
    with tf.GradientTape() as tape:
        loss = loss_of(network(features, training=True), targets)
    found = tape.gradient(loss, network.trainable_variables)
    return [tf.convert_to_tensor(one) for one in found]


def main(precision):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    config = dataclasses.replace(CONFIG, num_hidden_layers=1)
    checkpoint = new_checkpoint(config, VOCABULARY, do_lower_case=True, strip_accents=True)
    with strategy.scope():
        network = pretraining_network(checkpoint, precision=precision, dropout=0.0).network
    batches = [tuple(batch_of(rows, seed)) for seed, rows in enumerate((3, 5))]
    parts = [
        strategy.experimental_distribute_values_from_function(
            lambda context, part=part: batches[context.replica_id_in_sync_group][part]
        )
        for part in range(2)
    ]

    @tf.function
    def on_both(features, targets):
        found = strategy.run(lambda *batch: gradient_of(network, *batch), (features, targets))
        return [strategy.reduce("SUM", one, axis=None) for one in found]

    both = on_both(*parts)
    alone = gradient_of(
        pretraining_network(checkpoint, precision=precision, dropout=0.0).network, *joined(batches)
    )
    flat_both, flat_alone = (
        np.concatenate([one.numpy().ravel() for one in gradients]) for gradients in (both, alone)
    )
    error = np.abs(flat_both - flat_alone).max() / np.abs(flat_alone).max()
    cosine = flat_both @ flat_alone / np.linalg.norm(flat_both) / np.linalg.norm(flat_alone)
    replicas = strategy.num_replicas_in_sync
    print(json.dumps({"replicas": replicas, "error": float(error), "cosine": float(cosine)}))


if __name__ == "__main__":
    main(sys.argv[1])
