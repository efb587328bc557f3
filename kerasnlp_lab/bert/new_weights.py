"""`new_checkpoint`: a BERT with random weights, and new output layers for one that has none."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from kerasnlp_lab.bert.checkpoint import BertCheckpoint
from kerasnlp_lab.bert.config import BertConfig, head_shapes, tensor_shapes
from kerasnlp_lab.errors import HubError

__all__ = ["new_checkpoint", "with_heads"]

MOST = 2  # standard deviations


def new_checkpoint(
    config: BertConfig,
    vocabulary: Sequence[str],
    *,
    do_lower_case: bool,
    strip_accents: bool,
    seed: int = 0,
) -> BertCheckpoint:
    """Returns a BERT that has learned nothing yet, with both output layers of pre-training.

    Matrices and tables are drawn from a truncated normal distribution of the config's
    initializer_range, biases are 0, and LayerNorms change nothing. The same seed gives the same
    weights.

    Args:
        config: Its shape; the vocabulary gives its vocab_size.
        vocabulary: Its word pieces, in the order of their ids.
        do_lower_case: Whether texts are lower-cased.
        strip_accents: Whether texts lose their accents.
        seed: Which random weights.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805, and its released code.
    """
    config = dataclasses.replace(config, vocab_size=len(vocabulary))
    tensors = _draw(tensor_shapes(config), config, seed)
    new = BertCheckpoint(config, tensors, tuple(vocabulary), do_lower_case, strip_accents)
    return with_heads(new, head_shapes(config), seed)


def with_heads(checkpoint: BertCheckpoint, wanted: Collection[str], seed: int) -> BertCheckpoint:
    """Returns a checkpoint with new output layers in place of missing ones.

    Args:
        checkpoint: A BERT.
        wanted: Names of output layers, as `head_shapes` has them.
        seed: Which random weights.

    Raises:
        HubError: The checkpoint has a part of an output layer.
    """
    heads = dict(checkpoint.heads)
    for head in wanted:
        shapes = head_shapes(checkpoint.config)[head]
        missing = [name for name in shapes if name not in heads]
        if len(missing) == len(shapes):
            heads |= _draw(shapes, checkpoint.config, seed)
        elif missing:
            raise HubError(
                f"the weights have a part of the output layer for {head}, but lack "
                f"{', '.join(missing)}: take the model from where it is whole, or take the tensors "
                "cls.* out of it"
            )
    return dataclasses.replace(checkpoint, heads=heads)


def _draw(
    shapes: Mapping[str, tuple[int, ...]], config: BertConfig, seed: int
) -> dict[str, np.ndarray]:
    """Returns new tensors. Each depends on the seed and its own name alone."""
    tensors = {}
    for name, shape in shapes.items():
        if name.endswith("bias"):
            tensors[name] = np.zeros(shape, np.float32)
        elif "LayerNorm" in name:
            tensors[name] = np.ones(shape, np.float32)
        else:
            random = np.random.default_rng([seed, zlib.crc32(name.encode())])
            tensors[name] = _truncated_normal(random, shape) * np.float32(config.initializer_range)
    return tensors


def _truncated_normal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = random.standard_normal(shape, np.float32)
    while (outside := np.abs(values) > MOST).any():
        values[outside] = random.standard_normal(int(outside.sum()), np.float32)
    return values
