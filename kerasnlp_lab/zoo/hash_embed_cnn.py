"""`hash_embed_cnn`: spaCy's network of hashed word features and convolutions, from scratch."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.tasks import HeadOptions, Task
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.hashed_words import FEATURE_NAMES, HashedWords
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.network import with_head
from kerasnlp_lab.zoo.options import ModelOptions

__all__ = ["HASH_EMBED_CNN"]


@dataclass(frozen=True)
class HashEmbedCnnOptions(ModelOptions):
    """The network's sizes, and the dropout rate.

    Args:
        max_length: The longest window in words; longer texts are read in several windows.
        buckets: The number of ids of each word feature.
        embed_dim: The size of the embedding of each word feature.
        width: The size of the vector of a word.
        depth: The number of convolutions, each over three words.
        dropout: The dropout rate of word vectors, convolutions and head.
        head_units: The size of a hidden layer with ReLU in the head; 0 for none.

    Raises:
        OptionError: A value is out of range.
    """

    max_length: int = 256
    buckets: int = 10000
    embed_dim: int = 48
    width: int = 128
    depth: int = 3
    dropout: float = 0.3
    head_units: int = 0

    def __post_init__(self) -> None:
        for name in ("max_length", "embed_dim", "width", "depth"):
            value = getattr(self, name)
            check_option(name, value, value >= 1, "1 or more")
        check_option("buckets", self.buckets, self.buckets >= 2, "2 or more")
        check_option("head_units", self.head_units, self.head_units >= 0, "0 or more")
        check_option("dropout", self.dropout, 0 <= self.dropout < 1, "from 0 to below 1")

    @property
    def head(self) -> HeadOptions:
        return HeadOptions(self.head_units, self.dropout)


def _build_text(options: HashEmbedCnnOptions) -> HashedWords:
    return HashedWords(options.max_length, options.buckets)


def _build_network(text: TextVectorizer, task: Task, options: HashEmbedCnnOptions) -> keras.Model:
    inputs = text.inputs()
    real = tf.cast(inputs["words"] != 0, tf.float32)[:, :, tf.newaxis]  # [batch, seq, 1]
    embedded = [
        keras.layers.Embedding(options.buckets, options.embed_dim, name=f"{name}_embedding")(
            inputs[name]
        )
        for name in FEATURE_NAMES
    ]
    x = keras.layers.Concatenate()(embedded)  # [batch, seq, 4 * embed_dim]
    x = keras.layers.Dropout(options.dropout)(x)
    x = keras.layers.Dense(options.width, activation="relu", name="mix")(x)
    x = keras.layers.LayerNormalization(name="mix_norm")(x)  # [batch, seq, width]
    for number in range(options.depth):
        # A convolution beside padding must see what it sees beside the end of a longer batch.
        around = keras.layers.Conv1D(
            options.width, 3, padding="same", activation="relu", name=f"conv_{number}"
        )(x * real)
        around = keras.layers.LayerNormalization(name=f"norm_{number}")(around)
        x = x + keras.layers.Dropout(options.dropout)(around)
    return with_head("hash_embed_cnn", inputs, x, task, options.head)


HASH_EMBED_CNN = ZooEntry(
    card=ModelCard(
        name="hash_embed_cnn",
        summary="hashed words, prefixes, suffixes and shapes, and convolutions, from scratch",
        source="spaCy's HashEmbedCNN, https://spacy.io/api/architectures#HashEmbedCNN",
        parameters="2,094,473",
        licence="Apache-2.0",
        good_for="entities without a BERT, in a minute; to see whether a BERT pays",
    ),
    recipe=Recipe(epochs=15, batch_size=32, learning_rate=2e-3, patience=4, min_steps_per_epoch=30),
    options=HashEmbedCnnOptions(),
    build_text=_build_text,
    build_network=_build_network,
    tasks=("entities",),
)
