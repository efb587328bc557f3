"""`transformer`: a small Transformer with masks and dropout, trained from scratch."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.layers import (
    MaskedAveragePooling1D,
    TokenAndPositionEmbedding,
    TokenDropout,
    TransformerBlock,
)
from kerasnlp_lab.tasks import HeadOptions, Task
from kerasnlp_lab.text import PieceVectorizer, TextVectorizer, WordVectorizer
from kerasnlp_lab.text.piece_vectorizer import need_pieces
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.fused_transformer import fuse_transformer
from kerasnlp_lab.zoo.inside import Inside, inside_of_blocks
from kerasnlp_lab.zoo.network import with_head
from kerasnlp_lab.zoo.options import LengthOptions

__all__ = ["TRANSFORMER"]

TOKENS = ("auto", "words", "pieces", "characters")
LONGEST_NGRAM = 2  # letters of a script without spaces, or pieces of words


@dataclass(frozen=True)
class TransformerOptions(LengthOptions):
    """The network's sizes, and the dropout rates that keep it from overfitting few rows.

    Args:
        max_length: As in `LengthOptions`, and so are long_texts and windows_in_training.
        vocab_size: The largest number of token ids, padding and [UNK] included.
        embed_dim: The size of the embeddings.
        num_heads: The number of attention heads.
        ff_dim: The size of the feed-forward layer in a block.
        num_blocks: The number of Transformer blocks.
        token_dropout: The share of words that are hidden in training.
        dropout: The dropout rate of embeddings, blocks and head.
        head_units: The size of a hidden layer with ReLU in the head; 0 for none.
        tokens: One of `TOKENS`. "words" lie between spaces. "pieces" are learned parts of words,
            and single letters in Chinese and Japanese. "characters" are single letters in every
            script. "auto" takes pieces if the training texts are of a script without spaces, and
            words otherwise.

    Raises:
        OptionError: A value is out of range.
    """

    added_since: ClassVar[Mapping[str, Any]] = {**LengthOptions.added_since, "tokens": "words"}

    max_length: int = 256
    vocab_size: int = 20000
    embed_dim: int = 48
    num_heads: int = 1
    ff_dim: int = 48
    num_blocks: int = 1
    token_dropout: float = 0.4
    dropout: float = 0.5
    head_units: int = 0
    tokens: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("embed_dim", "num_heads", "ff_dim", "num_blocks"):
            value = getattr(self, name)
            check_option(name, value, value >= 1, "1 or more")
        check_option("vocab_size", self.vocab_size, self.vocab_size >= 3, "3 or more")
        check_option("head_units", self.head_units, self.head_units >= 0, "0 or more")
        for name in ("token_dropout", "dropout"):
            value = getattr(self, name)
            check_option(name, value, 0 <= value < 1, "from 0 to below 1")
        check_option("tokens", self.tokens, self.tokens in TOKENS, f"one of {', '.join(TOKENS)}")

    @property
    def head(self) -> HeadOptions:
        return HeadOptions(self.head_units, self.dropout)

    @property
    def longest_ngram(self) -> int:
        """How many neighbouring tokens have an embedding together: words need no others."""
        return 1 if self.tokens == "words" else LONGEST_NGRAM


def _resolve_tokens(
    options: TransformerOptions, texts: Collection[str | bytes], labels: np.ndarray | None
) -> tuple[TransformerOptions, str]:
    if options.tokens != "auto":
        return options, ""
    if not need_pieces(texts):
        return dataclasses.replace(options, tokens="words"), ""
    return dataclasses.replace(options, tokens="pieces"), (
        "the texts put no spaces between words: tokens=pieces reads single Chinese and Japanese "
        "letters, and learned pieces of all other words"
    )


def _build_text(options: TransformerOptions) -> TextVectorizer:
    if options.tokens == "words":
        return WordVectorizer(options.max_length, options.vocab_size)
    characters = options.tokens == "characters"
    return PieceVectorizer(options.max_length, options.vocab_size, characters)


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


_RECIPE = Recipe(
    epochs=10,
    batch_size=64,
    learning_rate=1e-3,
    label_smoothing=0.1,
    patience=4,
    min_steps_per_epoch=60,
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
    recipe=_RECIPE,
    options=TransformerOptions(),
    build_text=_build_text,
    build_network=_build_network,
    # Smoothed targets would be far above the frequency of most labels.
    task_recipes={"multi_label": dataclasses.replace(_RECIPE, label_smoothing=0.0)},
    fuse=fuse_transformer,
    look_inside=_look_inside,
    resolve=_resolve_tokens,
)
