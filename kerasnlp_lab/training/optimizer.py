"""The optimizers: AdamW with warm-up, as in the TensorFlow Model Garden, and Adam."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import tensorflow as tf
from official.nlp.optimization import WarmUp

from kerasnlp_lab._internals import DenseUpdates
from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.training.adamw import AdamW
from kerasnlp_lab.training.layer_decay import learning_rate_shares
from kerasnlp_lab.zoo import Recipe

__all__ = ["adamw_with_warmup", "make_optimizer"]


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
    """Returns the optimizer for one phase.

    Args:
        recipe: The recipe.
        steps_per_epoch: The number of optimizer steps in an epoch.
        frozen: Whether the encoder is frozen in this phase.
        network: The network, or the part of it that is trained.

    Raises:
        OptionError: The recipe has a layer_decay and the network has no layers of a BERT.
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
        shares=learning_rate_shares(network.weights, recipe.layer_decay) if has_shares else None,
    )


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
