"""`transformer`: a small Transformer with masks and dropout, trained from scratch."""

from __future__ import annotations

from dataclasses import dataclass

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.layers import (
    MaskedAveragePooling1D,
    TokenAndPositionEmbedding,
    TokenDropout,
    TransformerBlock,
)
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.zoo.card import ModelCard
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.fused_transformer import fuse_transformer
from kerasnlp_lab.zoo.inside import Inside, inside_of_blocks
from kerasnlp_lab.zoo.network import with_head
from kerasnlp_lab.zoo.token_options import (
    RECIPE,
    TASK_RECIPES,
    TokenOptions,
    build_text,
    resolve_tokens,
)

__all__ = ["TRANSFORMER"]

LONGEST_NGRAM = 2  # letters of a script without spaces, or pieces of words


@dataclass(frozen=True)
class TransformerOptions(TokenOptions):
    """The network's sizes; the other options are those of `TokenOptions`.

    Args:
        num_heads: The number of attention heads.
        ff_dim: The size of the feed-forward layer in a block.
        num_blocks: The number of Transformer blocks.

    Raises:
        OptionError: A value is out of range.
    """

    num_heads: int = 1
    ff_dim: int = 48
    num_blocks: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("num_heads", "ff_dim", "num_blocks"):
            value = getattr(self, name)
            check_option(name, value, value >= 1, "1 or more")

    @property
    def longest_ngram(self) -> int:
        """How many neighbouring tokens have an embedding together: words need no others."""
        return 1 if self.tokens == "words" else LONGEST_NGRAM


def _build_network(text: TextVectorizer, task: Task, options: TransformerOptions) -> keras.Model:
    inputs = text.inputs()
    x = TokenDropout(options.token_dropout)(inputs["token_ids"])  # [batch, seq]
    x = TokenAndPositionEmbedding(
        options.max_length,
        options.vocab_size,
        options.embed_dim,
        longest_ngram=options.longest_ngram,
        name="embedding",
    )(x)
    x = keras.layers.Dropout(options.dropout)(x)  # [batch, seq, embed_dim]
    for block in range(options.num_blocks):
        x = TransformerBlock(
            options.embed_dim,
            options.num_heads,
            options.ff_dim,
            rate=options.dropout,
            name=f"block_{block}",
        )(x)
    if task.reads == "pooled":
        x = MaskedAveragePooling1D()(x)  # [batch, embed_dim]
    return with_head("transformer", inputs, x, task, options.head)


def _look_inside(network: keras.Model, task: Task, options: TransformerOptions) -> Inside:
    blocks = [network.get_layer(f"block_{block}") for block in range(options.num_blocks)]
    pool, head = MaskedAveragePooling1D(dtype="float32"), network.get_layer("head")
    return inside_of_blocks(
        network.get_layer("embedding"), blocks, lambda x, mask: head(pool(x, mask=mask))
    )


TRANSFORMER = ZooEntry(
    card=ModelCard(
        name="transformer",
        summary="a one-block Transformer with masks, trained from scratch in a minute",
        source="Vaswani et al. 2017, https://arxiv.org/abs/1706.03762",
        parameters="986,788",
        licence="Apache-2.0",
        good_for="learning how Transformers work; fast answers; thousands of rows, no download",
    ),
    recipe=RECIPE,
    options=TransformerOptions(),
    build_text=build_text,
    build_network=_build_network,
    task_recipes=TASK_RECIPES,
    fuse=fuse_transformer,
    look_inside=_look_inside,
    resolve=resolve_tokens,
)
