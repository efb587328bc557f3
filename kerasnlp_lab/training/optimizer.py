"""The optimizers: AdamW with warm-up from the TensorFlow Model Garden, and Adam."""

from __future__ import annotations

from official.nlp import optimization

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.zoo import Recipe

__all__ = ["adamw_with_warmup", "make_optimizer"]

HEAD_LEARNING_RATE = 1e-3


def adamw_with_warmup(
    learning_rate: float,
    num_train_steps: int,
    *,
    warmup_fraction: float = 0.1,
    clip_norm: float = 1.0,
) -> keras.optimizers.legacy.Optimizer:
    """Returns AdamW with linear warm-up and linear decay to zero.

    It is ``official.nlp.optimization.create_optimizer``: weight decay of 0.01,
    none on LayerNorm and bias. One thing differs: gradients are clipped after
    they are summed over the replicas, not before, so that several devices take
    the same steps as one.

    Args:
        learning_rate: The peak.
        num_train_steps: Optimizer steps of the whole training: steps an epoch
            times epochs.
        warmup_fraction: The share of these steps that warm up.
        clip_norm: The largest global norm of the gradients.

    Raises:
        OptionError: There is no step to train for.

    Source: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101; Devlin
    et al. 2019, https://arxiv.org/abs/1810.04805.

    Example:
        >>> optimizer = adamw_with_warmup(3e-5, num_train_steps=1000)
        >>> float(optimizer.learning_rate(100)), float(optimizer.learning_rate(1000))
        (2.700000...e-05, 0.0)
    """
    if num_train_steps < 1:
        raise OptionError(f"num_train_steps must be 1 or more, got {num_train_steps}")
    optimizer = optimization.create_optimizer(
        init_lr=learning_rate,
        num_train_steps=num_train_steps,
        num_warmup_steps=int(warmup_fraction * num_train_steps),
        optimizer_type="adamw",
    )
    optimizer.gradient_clip_norm = 0.0
    optimizer.global_clipnorm = clip_norm
    return optimizer


def make_optimizer(
    recipe: Recipe, steps_per_epoch: int, *, frozen: bool
) -> keras.optimizers.legacy.Optimizer:
    """Returns the optimizer of one phase; step counts follow from the data and the recipe."""
    if frozen:
        return keras.optimizers.legacy.Adam(HEAD_LEARNING_RATE)
    if recipe.optimizer == "adam":
        return keras.optimizers.legacy.Adam(recipe.learning_rate)
    return adamw_with_warmup(
        recipe.learning_rate,
        recipe.epochs * steps_per_epoch,
        warmup_fraction=recipe.warmup_fraction,
    )
