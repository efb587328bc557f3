"""Every public layer with example inputs and the documented treatment of masks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import (
    AdditiveAttention,
    MaskedAveragePooling1D,
    SelfAttention,
    SparseLinear,
    TokenAndPositionEmbedding,
    TokenDropout,
    TokenSegmentPositionEmbedding,
    TransformerBlock,
)

TOKEN_IDS = np.array([[7, 3, 9, 0, 0], [5, 1, 2, 8, 0]], np.int32)
SEGMENT_IDS = np.array([[0, 0, 1, 0, 0], [0, 1, 1, 2, 0]], np.int32)
EMBEDDINGS = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)
EMBEDDINGS[TOKEN_IDS == 0] = 0.0  # padding, from which Provide makes a mask
SPARSE_IDS = np.array([[3, 7, 0], [2, 0, 0]], np.int32)
SPARSE_VALUES = np.array([[0.5, 1.5, 0.0], [2.0, 0.0, 0.0]], np.float32)


@dataclass(frozen=True)
class LayerCase:
    """The arguments and inputs of a layer. None is a default, so that a lost argument shows.

    ``mask`` is the layer's treatment of masks: "made", "handed on" or "dropped".
    """

    layer: type
    arguments: dict[str, Any]
    inputs: Any
    mask: str
    floats: bool = True

    def make(self, **more: Any) -> keras.layers.Layer:
        return self.layer(**self.arguments, **more)

    def symbolic_inputs(self) -> Any:
        # Batches change their length, so layers must build without a static length.
        def symbol(array):
            return keras.Input((None, *array.shape[2:]), dtype=array.dtype)

        return tf.nest.map_structure(symbol, self.inputs)

    def built(self, **more: Any) -> keras.layers.Layer:
        """Returns the layer with random weights, so that swapped weights show."""
        layer = self.make(**more)
        layer(self.inputs)
        rng = np.random.default_rng(1)
        layer.set_weights([rng.normal(0, 0.5, w.shape) for w in layer.get_weights()])
        return layer

    def model(self, layer: keras.layers.Layer, behind: Callable | None = None) -> keras.Model:
        inputs = self.symbolic_inputs()
        outputs = layer(inputs)
        return keras.Model(inputs, behind(outputs) if behind else outputs)


CASES = [
    LayerCase(AdditiveAttention, {"units": 3}, EMBEDDINGS, mask="dropped"),
    LayerCase(MaskedAveragePooling1D, {}, EMBEDDINGS, mask="dropped"),
    LayerCase(
        SparseLinear,
        {"num_features": 10, "units": 4},
        (SPARSE_IDS, SPARSE_VALUES),
        mask="not needed",
    ),
    LayerCase(
        TokenAndPositionEmbedding,
        {"maxlen": 6, "vocab_size": 11, "embed_dim": 4},
        TOKEN_IDS,
        mask="made",
    ),
    LayerCase(
        TokenAndPositionEmbedding,
        {"maxlen": 6, "vocab_size": 11, "embed_dim": 4, "mask_zero": False},
        TOKEN_IDS,
        mask="handed on",
    ),
    LayerCase(
        TokenAndPositionEmbedding,
        {"maxlen": 6, "vocab_size": 11, "embed_dim": 4, "longest_ngram": 3, "ngram_buckets": 7},
        TOKEN_IDS,
        mask="made",
    ),
    LayerCase(
        TokenDropout,
        {"rate": 0.25, "replacement_id": 3},
        TOKEN_IDS,
        mask="handed on",
        floats=False,
    ),
    LayerCase(
        TokenSegmentPositionEmbedding,
        {"maxlen": 6, "vocab_size": 11, "embed_dim": 4, "segments": 3, "rate": 0.3, "epsilon": 0.1},
        (TOKEN_IDS, SEGMENT_IDS),
        mask="made",
    ),
    LayerCase(
        TokenSegmentPositionEmbedding,
        {"maxlen": 6, "vocab_size": 11, "embed_dim": 4, "mask_zero": False, "normalize": False},
        TOKEN_IDS,
        mask="handed on",
    ),
    LayerCase(SelfAttention, {"num_heads": 3, "key_dim": 4}, EMBEDDINGS, mask="handed on"),
    LayerCase(
        TransformerBlock,
        {"embed_dim": 8, "num_heads": 3, "ff_dim": 5, "rate": 0.3},
        EMBEDDINGS,
        mask="handed on",
    ),
]
