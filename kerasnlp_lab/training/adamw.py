"""`AdamW`: the Model Garden's AdamW with faster tables and a learning rate per variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from official.nlp.optimization import AdamWeightDecay

from kerasnlp_lab._internals import DenseUpdates, OnePassDecay

__all__ = ["AdamW"]


class AdamW(DenseUpdates, OnePassDecay, AdamWeightDecay):
    """The optimizer that ``official.nlp.optimization.create_optimizer`` makes, but for rounding.

    The weight decay is 0.01, and 0 for LayerNorm and biases. It is a part of the step, so it
    shrinks along with a variable's learning rate.

    Args:
        learning_rate: A number or a schedule.
        shares: The share of the learning rate that each variable has, by its name; None for
            all of it. A step raises KeyError for a variable that it does not name.
        **kwargs: Passed on to Keras' optimizer, ``gradient_transformers`` for one.

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
