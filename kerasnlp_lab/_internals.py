"""Every private name of TensorFlow and its libraries that this package uses.

They can change in any release: tests/test_internals.py fails for each that does. What needs
tensorflow_text or tensorflow.python is imported on first use.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab._lazy import lazy_names

_PYBINDS = "tensorflow_text.core.pybinds.pywrap_"
_HOMES = {
    # text.BertTokenizer takes a class in place of this one, which it has no public name for.
    "BasicTokenizer": "tensorflow_text.python.ops.bert_tokenizer",
    # The public tokenizers build these models too, but on a GPU would copy them for each batch.
    "build_fast_bert_normalizer_model": f"{_PYBINDS}fast_bert_normalizer_model_builder",
    "build_fast_wordpiece_model": f"{_PYBINDS}fast_wordpiece_tokenizer_model_builder",
}
__all__ = [
    *_HOMES,
    "DenseUpdates",
    "OnePassDecay",
    "RandomLayer",
    "checkpoint_keys",
    "create_slots",
    "expand_slurm_nodes",
    "handle_of",
    "parse_saved_model",
    "random_generator",
    "random_layers",
    "set_random_generator",
    "stateless_generator",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)

# Keras' own base class of Dropout, without which a layer's random numbers are not seeded.
RandomLayer = keras.__internal__.layers.BaseRandomLayer


def random_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """Returns the layers that draw random numbers, those within layers too.

    Keras has no public way to the layers within a layer.
    """
    return [one for one in network._flatten_layers() if hasattr(one, "_random_generator")]


def random_generator(layer: keras.layers.Layer) -> Any:
    """Returns what a random layer draws its numbers from, which has no public name."""
    return layer._random_generator


def set_random_generator(layer: keras.layers.Layer, generator: Any) -> None:
    """Makes a random layer draw from a generator; Keras only ever sets its own."""
    # Past the layer's __setattr__, which would track it as a part of the layer.
    layer.__dict__["_random_generator"] = generator


def stateless_generator(layer: keras.layers.Layer) -> Any:
    """Returns a generator of the kind that a random layer has, for seeds of the caller's own.

    The caller sets its ``make_seed_for_stateless_op``; a public one has a fixed seed.
    """
    return type(layer._random_generator)(rng_type="stateless")


def create_slots(
    optimizer: keras.optimizers.legacy.Optimizer, variables: Sequence[tf.Variable]
) -> None:
    """Creates an optimizer's variables before its first step, so that they can be restored."""
    optimizer._create_all_weights(variables)


class DenseUpdates(keras.optimizers.legacy.Optimizer):
    """Updates an embedding table in one pass, and lets a subclass divide the learning rate.

    Adam moves every row at every step, also those that no token of the batch has: its moments
    only fade. Keras does that in a dozen passes over the table and both moments, TensorFlow's
    dense kernel does the same in one. Keras' optimizers have no public place for either change.
    """

    def learning_rate_share(self, variable: tf.Variable) -> float:
        """Returns the share of the learning rate that a variable has."""
        return 1.0

    def _resource_apply_sparse_duplicate_indices(
        self, grad: Any, handle: Any, indices: Any, **kwargs: Any
    ) -> Any:
        table = tf.math.unsorted_segment_sum(grad, indices, handle.shape[0])
        return self._resource_apply_dense(table, handle, **kwargs)

    def _resource_apply_dense(self, grad: Any, var: Any, apply_state: Any = None) -> Any:
        share = self.learning_rate_share(var)
        if share != 1.0:
            place = (var.device, var.dtype.base_dtype)
            known = apply_state[place]
            rates = {name: known[name] * share for name in ("lr_t", "lr")}
            apply_state = {place: {**known, **rates}}
        return super()._resource_apply_dense(grad, var, apply_state)


class OnePassDecay(keras.optimizers.legacy.Optimizer):
    """Makes the Model Garden's AdamW decay a variable in one pass, which has no argument for it."""

    def _decay_weights_op(self, var: Any, learning_rate: Any, apply_state: Any) -> Any:
        if not self._do_use_weight_decay(var.name):
            return tf.no_op()
        known = apply_state[(var.device, var.dtype.base_dtype)]
        rate = tf.cast(known["weight_decay_rate"], var.dtype)
        return tf.raw_ops.AssignVariableOp(
            resource=var.handle, value=var.read_value() * (1 - learning_rate * rate)
        )


def handle_of(layer: Any) -> str:
    """Returns the address or folder that a hub.KerasLayer was made of, which it keeps to itself."""
    return str(layer._handle)


def parse_saved_model(folder: Path) -> Any:
    """Returns the SavedModel protocol buffer in a folder; the public loaders run its graph.

    Raises:
        OSError: There is none, or it is damaged.
    """
    from tensorflow.python.saved_model import loader_impl

    return loader_impl.parse_saved_model(str(folder))


def expand_slurm_nodes(nodes: str, tasks_per_node: str) -> list[tuple[str, int]]:
    """Returns each node's name and number of tasks, of SLURM's "n[1-2],m" and "2(x2),1".

    SlurmClusterResolver, which is public, wants nvidia-smi and a GPU for each task, and sorts the
    nodes by name, where SLURM counts tasks in the order of its list.

    Raises:
        ValueError: It is not SLURM's format, or the two lists differ in length.
    """
    from tensorflow.python.distribute.cluster_resolver import slurm_cluster_resolver as slurm

    hosts, tasks = slurm.expand_hostlist(nodes), slurm.expand_tasks_per_node(tasks_per_node)
    return list(zip(hosts, tasks, strict=True))


def checkpoint_keys(reader: Any) -> dict[str, str]:
    """Returns the keys of a checkpoint's tensors by the names of their variables.

    The keys are paths through objects. The names are within a protocol buffer, for which
    TensorFlow has no public reader.

    Args:
        reader: What ``tf.train.load_checkpoint`` returned.
    """
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    graph.ParseFromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    attributes = (one for node in graph.nodes for one in node.attributes)
    return {one.full_name: one.checkpoint_key for one in attributes}
