"""`Inside`: a network that can be looked into, from the embeddings of its words on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from kerasnlp_lab.layers import TokenAndPositionEmbedding, TransformerBlock
from kerasnlp_lab.text.vectorizer import Features

__all__ = ["Inside", "inside_of_blocks"]


@dataclass(frozen=True)
class Inside:
    """A network in inference and in float32, in two steps.

    Args:
        ids: The name of the features that hold token ids.
        embed: From token ids, int32 [batch, seq], to what each token is, wherever it stands:
            float32 [batch, seq, hidden].
        run: From the features and what `embed` made of the ids, or something in its place, to
            the logits, float32 [batch, classes], and every layer's attention, float32
            [batch, heads, seq (from), seq (to)].
        neutral: A token that says nothing, by its name in the vocabulary.
    """

    ids: str
    embed: Callable[[tf.Tensor], tf.Tensor]
    run: Callable[[Features, tf.Tensor], tuple[tf.Tensor, list[tf.Tensor]]]
    neutral: str


def inside_of_blocks(
    embedding: TokenAndPositionEmbedding,
    blocks: Sequence[TransformerBlock],
    finish: Callable[[tf.Tensor, Any], tf.Tensor],
) -> Inside:
    """Returns what is inside a network of our own layers.

    Args:
        embedding: Its first layer.
        blocks: What follows.
        finish: From the last block's output, [batch, seq, hidden], and the mask, bool
            [batch, seq] or None, to the logits.
    """

    def run(features: Features, words: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        mask = embedding.compute_mask(features["token_ids"])
        x = words + embedding.pos_emb(tf.range(tf.shape(words)[1]))  # [batch, seq, hidden]
        attention = []
        for block in blocks:
            x, scores = block(x, training=False, mask=mask, return_attention_scores=True)
            attention.append(scores)
        return finish(x, mask), attention

    return Inside("token_ids", embedding.token_emb, run, neutral="[UNK]")
