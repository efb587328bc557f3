"""The optimizers: AdamW with warm-up from the TensorFlow Model Garden, and Adam."""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf
from official.nlp import optimization

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.training.dense_updates import DenseAdam, DenseAdamW
from kerasnlp_lab.training.layer_decay import use_layer_decay
from kerasnlp_lab.zoo import Recipe

__all__ = ["adamw_with_warmup", "make_optimizer"]


def adamw_with_warmup(
    learning_rate: float,
    num_train_steps: int,
    *,
    warmup_fraction: float = 0.1,
    clip_norm: float = 1.0,
) -> keras.optimizers.legacy.Optimizer:
    """Returns AdamW with linear warm-up and linear decay to zero.

    It is ``official.nlp.optimization.create_optimizer``: weight decay of 0.01,
    none on LayerNorm and bias. One thing differs: gradients are clipped by the
    norm of their sum over the replicas, an embedding's rows summed as well, and
    not before, so that several devices take the same steps as one.

    Args:
        learning_rate: The peak.
        num_train_steps: Optimizer steps of the whole training: steps an epoch
            times epochs.
        warmup_fraction: The share of these steps that warm up.
        clip_norm: The largest global norm of the gradients; 0 for any.

    Raises:
        OptionError: There is no step to train for.

    Source: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101; Devlin
    et al. 2019, https://arxiv.org/abs/1810.04805.

    Example:
        >>> optimizer = adamw_with_warmup(3e-5, num_train_steps=1000)
        >>> [round(1e6 * float(optimizer.learning_rate(step))) for step in (0, 50, 100, 1000)]
        [0, 15, 27, 0]
    """
    if num_train_steps < 1:
        raise OptionError(f"num_train_steps must be 1 or more, got {num_train_steps}")
    optimizer = optimization.create_optimizer(
        init_lr=learning_rate,
        num_train_steps=num_train_steps,
        num_warmup_steps=int(warmup_fraction * num_train_steps),
        optimizer_type="adamw",
    )
    optimizer.__class__ = DenseAdamW  # create_optimizer has no argument for it
    optimizer.gradient_clip_norm = 0.0
    return _clipping(optimizer, clip_norm)


def _clipping(
    optimizer: keras.optimizers.legacy.Optimizer, clip_norm: float
) -> keras.optimizers.legacy.Optimizer:
    if clip_norm:
        optimizer.gradient_transformers = [partial(_clip_by_global_norm, clip_norm)]
    return optimizer


def _clip_by_global_norm(clip_norm: float, grads_and_vars: list[Any]) -> list[Any]:
    """Scales gradients, summed over replicas, to a global norm of at most clip_norm."""
    gradients, variables = zip(*grads_and_vars, strict=True)
    clipped, _ = tf.clip_by_global_norm([_sum_rows(one) for one in gradients], clip_norm)
    return list(zip(clipped, variables, strict=True))


def _sum_rows(gradient: Any) -> Any:
    """Sums the parts of an embedding's gradient on one row, which TensorFlow's norm does not."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def make_optimizer(
    recipe: Recipe, steps_per_epoch: int, *, frozen: bool, network: keras.Model
) -> keras.optimizers.legacy.Optimizer:
    """Returns the optimizer of one phase; step counts follow from the data and the recipe."""
    rate = recipe.head_learning_rate if frozen else recipe.learning_rate
    if recipe.optimizer == "adam":
        return _clipping(DenseAdam(rate), recipe.clip_norm)
    optimizer = adamw_with_warmup(
        rate,
        (recipe.frozen_epochs if frozen else recipe.epochs) * steps_per_epoch,
        warmup_fraction=recipe.warmup_fraction,
        clip_norm=recipe.clip_norm,
    )
    if recipe.layer_decay != 1.0 and not frozen:
        use_layer_decay(optimizer, network.weights, recipe.layer_decay)
    return optimizer
