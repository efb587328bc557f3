"""`Inside`: gives access to a network's word embeddings and attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from kerasnlp_lab.layers import TokenAndPositionEmbedding, TransformerBlock
from kerasnlp_lab.text.features import Features

__all__ = ["Inside", "inside_of_blocks"]


@dataclass(frozen=True)
class Inside:
    """A network split in two steps, for inference in float32.

    Args:
        ids: The name of the feature with the token ids.
        embed: Turns token ids, int32 [batch, seq], into word embeddings without positions,
            float32 [batch, seq, hidden].
        run: Takes the features and word embeddings, from `embed` or altered. It returns the
            logits, float32 [batch, classes], and every layer's attention, float32
            [batch, heads, seq (from), seq (to)]. A pool has [batch, 1, 1, seq (to)]; a model
            without attention has none.
        neutral: The vocabulary's token without meaning, such as "[MASK]".
        pools: Whether the attention is that of one pool over the whole text.
    """

    ids: str
    embed: Callable[[tf.Tensor], tf.Tensor]
    run: Callable[[Features, tf.Tensor], tuple[tf.Tensor, list[tf.Tensor]]]
    neutral: str
    pools: bool = False


def inside_of_blocks(
    embedding: TokenAndPositionEmbedding,
    blocks: Sequence[TransformerBlock],
    finish: Callable[[tf.Tensor, Any], tf.Tensor],
) -> Inside:
    """Returns the `Inside` of a network made of this package's layers.

    Args:
        embedding: The network's first layer.
        blocks: The blocks after it.
        finish: Takes the last block's output, float32 [batch, seq, hidden], and the mask, bool
            [batch, seq] or None. It returns the logits, float32 [batch, classes].
    """

    def run(features: Features, words: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        mask = embedding.compute_mask(features["token_ids"])
        x = words + embedding.pos_emb(tf.range(tf.shape(words)[1]))  # [batch, seq, hidden]
        attention = []
        for block in blocks:
            x, scores = block(x, training=False, mask=mask, return_attention_scores=True)
            attention.append(scores)
        return finish(x, mask), attention

    return Inside("token_ids", embedding.embed_tokens, run, neutral="[UNK]")
