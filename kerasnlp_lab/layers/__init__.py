"""Layers: the parts of the from-scratch models."""

from kerasnlp_lab.layers.additive_attention import AdditiveAttention
from kerasnlp_lab.layers.masked_average_pooling import MaskedAveragePooling1D
from kerasnlp_lab.layers.self_attention import SelfAttention
from kerasnlp_lab.layers.sparse_linear import SparseLinear
from kerasnlp_lab.layers.token_and_position_embedding import TokenAndPositionEmbedding
from kerasnlp_lab.layers.token_dropout import TokenDropout
from kerasnlp_lab.layers.token_segment_position_embedding import TokenSegmentPositionEmbedding
from kerasnlp_lab.layers.transformer_block import TransformerBlock

__all__ = [
    "AdditiveAttention",
    "MaskedAveragePooling1D",
    "SelfAttention",
    "SparseLinear",
    "TokenAndPositionEmbedding",
    "TokenDropout",
    "TokenSegmentPositionEmbedding",
    "TransformerBlock",
]
