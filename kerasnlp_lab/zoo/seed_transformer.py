"""`seed_transformer`: the Keras tutorial's Transformer, reproduced exactly."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.layers import TokenAndPositionEmbedding, TransformerBlock
from kerasnlp_lab.tasks import HeadOptions, Task
from kerasnlp_lab.text import TextVectorizer, WordVectorizer
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.inside import Inside, inside_of_blocks
from kerasnlp_lab.zoo.network import with_head
from kerasnlp_lab.zoo.options import LengthOptions

__all__ = ["SEED_TRANSFORMER"]


@dataclass(frozen=True)
class SeedTransformerOptions(LengthOptions):
    """The network's sizes, with the tutorial's values as defaults.

    Raises:
        OptionError: A value is out of range.
    """

    max_length: int = 256
    vocab_size: int = 20000
    embed_dim: int = 32
    num_heads: int = 2
    ff_dim: int = 32
    head_units: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("embed_dim", "num_heads", "ff_dim", "head_units"):
            value = getattr(self, name)
            check_option(name, value, value >= 1, "1 or more")
        check_option("vocab_size", self.vocab_size, self.vocab_size >= 3, "3 or more")

    @property
    def head(self) -> HeadOptions:
        return HeadOptions(self.head_units, dropout=0.1)


def _build_text(options: SeedTransformerOptions) -> WordVectorizer:
    return WordVectorizer(options.max_length, options.vocab_size, fixed_length=True)


def _build_network(
    text: TextVectorizer, task: Task, options: SeedTransformerOptions
) -> keras.Model:
    inputs = text.inputs()
    x = TokenAndPositionEmbedding(
        options.max_length, options.vocab_size, options.embed_dim, mask_zero=False, name="embedding"
    )(inputs["token_ids"])  # [batch, 256, 32]
    x = TransformerBlock(options.embed_dim, options.num_heads, options.ff_dim, name="block")(x)
    if task.reads == "pooled":
        x = keras.layers.GlobalAveragePooling1D()(x)  # [batch, 32]
    x = keras.layers.Dropout(0.1)(x)
    # The loss and the export apply the tutorial's softmax.
    return with_head("seed_transformer", inputs, x, task, options.head)


def _look_inside(network: keras.Model, task: Task, options: SeedTransformerOptions) -> Inside:
    head = network.get_layer("head")
    return inside_of_blocks(
        network.get_layer("embedding"),
        [network.get_layer("block")],
        lambda x, mask: head(tf.reduce_mean(x, axis=1)),
    )


SEED_TRANSFORMER = ZooEntry(
    card=ModelCard(
        name="seed_transformer",
        summary="the tutorial's one-block Transformer, padded to 256 words, no masks",
        source="https://keras.io/examples/nlp/text_classification_with_transformer/",
        parameters="659,592",
        licence="Apache-2.0",
        good_for="running the tutorial's code unchanged; a baseline for transformer",
    ),
    recipe=Recipe(epochs=6, batch_size=128, learning_rate=1e-3, optimizer="adam", clip_norm=0.0),
    options=SeedTransformerOptions(),
    build_text=_build_text,
    build_network=_build_network,
    look_inside=_look_inside,
)
