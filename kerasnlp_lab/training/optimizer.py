"""The optimizers: AdamW with warm-up, as in the TensorFlow Model Garden, and Adam."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf
from official.nlp.optimization import AdamWeightDecay, WarmUp

from kerasnlp_lab._internals import DenseUpdates, OnePassDecay
from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.encoder import layer_of
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.zoo import Recipe

__all__ = ["AdamW", "adamw_with_warmup", "make_optimizer"]


class AdamW(DenseUpdates, OnePassDecay, AdamWeightDecay):
    """The optimizer that ``official.nlp.optimization.create_optimizer`` makes, but for rounding.

    The weight decay is 0.01, and 0 for LayerNorm and biases. It is a part of the step, so it
    shrinks along with a variable's learning rate. `shares` are the variables' shares of the
    learning rate, by name; None for all of it. A step raises KeyError for a variable without one.

    Source: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101.
    """

    def __init__(
        self, learning_rate: Any, *, shares: Mapping[str, float] | None = None, **kwargs: Any
    ):
        super().__init__(
            learning_rate,
            beta_1=0.9,
            beta_2=0.999,
            epsilon=1e-6,
            weight_decay_rate=0.01,
            exclude_from_weight_decay=["LayerNorm", "layer_norm", "bias"],
            gradient_clip_norm=0.0,  # its own is by the norm of one replica's gradients
            **kwargs,
        )
        self.shares = shares

    def learning_rate_share(self, variable: tf.Variable) -> float:
        if self.shares is None:
            return 1.0
        return self.shares[re.sub(r"/replica_\d+(?=:)", "", variable.name)]


def adamw_with_warmup(
    learning_rate: float,
    num_train_steps: int,
    *,
    warmup_fraction: float = 0.1,
    clip_norm: float = 1.0,
    shares: Mapping[str, float] | None = None,
) -> AdamW:
    """Returns AdamW with linear warm-up and linear decay to zero.

    Its steps are those of ``official.nlp.optimization.create_optimizer`` with one difference:
    gradients are summed over the replicas, and an embedding's rows over the tokens, before
    they are clipped by their global norm. So several devices take the same steps as one.

    Args:
        learning_rate: The peak learning rate.
        num_train_steps: The optimizer steps of the whole training: epochs times steps in an epoch.
        warmup_fraction: The share of these steps that warm up.
        clip_norm: The largest global norm of the gradients; 0 for no limit.
        shares: The factor of the learning rate for each variable, by name; None for 1.

    Raises:
        OptionError: num_train_steps is below 1.

    Source: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101; Devlin
    et al. 2019, https://arxiv.org/abs/1810.04805.

    Example:
        >>> optimizer = adamw_with_warmup(3e-5, num_train_steps=1000)
        >>> [round(1e6 * float(optimizer.learning_rate(step))) for step in (0, 50, 100, 1000)]
        [0, 15, 27, 0]
    """
    if num_train_steps < 1:
        raise OptionError(f"num_train_steps must be 1 or more, got {num_train_steps}")
    schedule = keras.optimizers.schedules.PolynomialDecay(
        learning_rate, num_train_steps, end_learning_rate=0.0
    )
    if warmup_steps := int(warmup_fraction * num_train_steps):
        schedule = WarmUp(learning_rate, schedule, warmup_steps)
    return AdamW(schedule, shares=shares, gradient_transformers=_clipping(clip_norm))


class _Adam(DenseUpdates, keras.optimizers.legacy.Adam):
    """Keras' Adam, faster on embedding tables, and equal except for rounding."""


def make_optimizer(
    recipe: Recipe, steps_per_epoch: int, *, frozen: bool, network: keras.Model
) -> keras.optimizers.legacy.Optimizer:
    """Returns the optimizer for a phase that trains a network, or a part of it.

    Raises OptionError if the recipe has a layer_decay and the network has no layers of a BERT.
    """
    rate = recipe.head_learning_rate if frozen else recipe.learning_rate
    if recipe.optimizer == "adam":
        return _Adam(rate, gradient_transformers=_clipping(recipe.clip_norm))
    has_shares = recipe.layer_decay != 1.0 and not frozen
    return adamw_with_warmup(
        rate,
        (recipe.frozen_epochs if frozen else recipe.epochs) * steps_per_epoch,
        warmup_fraction=recipe.warmup_fraction,
        clip_norm=recipe.clip_norm,
        shares=_learning_rate_shares(network.weights, recipe.layer_decay) if has_shares else None,
    )


def _learning_rate_shares(variables: Sequence[Any], layer_decay: float) -> dict[str, float]:
    """Returns the factor of the learning rate for each variable, by name.

    The factor is 1 for the head and the pooler, layer_decay for the encoder's last layer,
    layer_decay squared for the layer below, and so on down to the embeddings. Raises OptionError
    if no variable belongs to a layer of a BERT.

    Source: Howard and Ruder 2018, https://arxiv.org/abs/1801.06146; in this form
    Clark et al. 2020 (ELECTRA), https://arxiv.org/abs/2003.10555.
    """
    depths = {variable.name: layer_of(variable.name) for variable in variables}
    top = max((depth for depth in depths.values() if depth is not None), default=0)
    if not top:
        raise OptionError("layer_decay must be 1 for a model without a BERT: it has no such layers")
    return {
        name: 1.0 if depth is None else layer_decay ** (top + 1 - depth)
        for name, depth in depths.items()
    }


def _clipping(clip_norm: float) -> list[Any]:
    """Returns the gradient_transformers of a Keras optimizer."""
    return [partial(_clip_by_global_norm, clip_norm)] if clip_norm else []


def _clip_by_global_norm(clip_norm: float, grads_and_vars: list[Any]) -> list[Any]:
    """Scales gradients, summed over replicas, to a global norm of at most clip_norm."""
    gradients, variables = zip(*grads_and_vars, strict=True)
    # In one dtype: under the policy float64, only the logits are float32.
    summed = [tf.cast(_sum_rows(one), tf.float32) for one in gradients]
    clipped, _ = tf.clip_by_global_norm(summed, clip_norm)
    return [(tf.cast(one, to.dtype), to) for one, to in zip(clipped, variables, strict=True)]


def _sum_rows(gradient: Any) -> Any:
    """Adds up an embedding's gradients for the same row; TensorFlow's norm does not."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)
