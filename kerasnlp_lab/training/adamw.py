"""`AdamW`: the Model Garden's AdamW, made faster, with layer-wise learning rates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from official.nlp.optimization import AdamWeightDecay

from kerasnlp_lab._internals import DenseUpdates, OnePassDecay

__all__ = ["AdamW"]


class AdamW(DenseUpdates, OnePassDecay, AdamWeightDecay):
    """AdamW as in ``official.nlp.optimization.create_optimizer``, equal except for rounding.

    The weight decay is 0.01, and 0 for LayerNorm and biases. It is multiplied by the variable's
    learning rate. Updates of embedding tables are faster.

    Args:
        learning_rate: A number or a schedule.
        shares: The factor of the learning rate for each variable, by name; None for 1. A step
            raises KeyError for a variable without a share.
        **kwargs: Arguments of Keras' optimizer, such as ``gradient_transformers``.

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
            gradient_clip_norm=0.0,  # it would clip each replica separately
            **kwargs,
        )
        self.shares = shares

    def learning_rate_share(self, variable: tf.Variable) -> float:
        if self.shares is None:
            return 1.0
        return self.shares[re.sub(r"/replica_\d+(?=:)", "", variable.name)]
