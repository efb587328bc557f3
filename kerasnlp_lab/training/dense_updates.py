"""`DenseAdam` and `DenseAdamW`: embedding tables updated in one go."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from official.modeling.optimization.legacy_adamw import AdamWeightDecay

from kerasnlp_lab._keras import keras

__all__ = ["DenseAdam", "DenseAdamW"]


class _DenseUpdates(keras.optimizers.legacy.Optimizer):
    """Makes the gradient of an embedding a table, as of any other variable.

    Adam moves every row at every step, also those that no token of the batch has: its
    moments only fade. Keras does that in a dozen passes over the table and both moments,
    TensorFlow's dense kernel does the same in one.
    """

    def _resource_apply_sparse_duplicate_indices(
        self, grad: Any, handle: Any, indices: Any, **kwargs: Any
    ) -> Any:
        table = tf.math.unsorted_segment_sum(grad, indices, handle.shape[0])
        return self._resource_apply_dense(table, handle, **kwargs)


class DenseAdam(_DenseUpdates, keras.optimizers.legacy.Adam):
    """Adam, the same but for rounding."""


class DenseAdamW(_DenseUpdates, AdamWeightDecay):
    """The Model Garden's AdamW, the same but for rounding."""

    def _decay_weights_op(self, var: Any, learning_rate: Any, apply_state: Any) -> Any:
        if not self._do_use_weight_decay(var.name):
            return tf.no_op()
        rate = apply_state[(var.device, var.dtype.base_dtype)]["weight_decay_rate"]
        return tf.raw_ops.AssignVariableOp(
            resource=var.handle, value=var.read_value() * (1 - learning_rate * rate)
        )
