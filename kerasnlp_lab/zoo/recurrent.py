"""`lstm` and `rnn_attention`: bidirectional recurrent networks, trained from scratch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.layers import AdditiveAttention, TokenDropout
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.features import Features
from kerasnlp_lab.zoo.card import ModelCard
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.inside import Inside
from kerasnlp_lab.zoo.network import with_head
from kerasnlp_lab.zoo.token_options import (
    RECIPE,
    TASK_RECIPES,
    TokenOptions,
    build_text,
    resolve_tokens,
)

__all__ = ["LSTM", "RNN_ATTENTION"]


@dataclass(frozen=True)
class RecurrentOptions(TokenOptions):
    """The network's size; the other options are those of `TokenOptions`.

    Args:
        units: The size of the state in each direction, and of the attention's projection.

    Raises:
        OptionError: A value is out of range.
    """

    units: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        check_option("units", self.units, self.units >= 1, "1 or more")


def _build_network(
    name: str, text: TextVectorizer, task: Task, options: RecurrentOptions
) -> keras.Model:
    inputs = text.inputs()
    x = TokenDropout(options.token_dropout)(inputs["token_ids"])  # [batch, seq]
    x = keras.layers.Embedding(
        options.vocab_size, options.embed_dim, mask_zero=True, name="embedding"
    )(x)
    x = keras.layers.Dropout(options.dropout)(x)  # [batch, seq, embed_dim]
    pooled = task.reads == "pooled"
    cell, last_state = (
        (keras.layers.GRU, False) if name == "rnn_attention" else (keras.layers.LSTM, pooled)
    )
    # A mask keeps the state at padding, so that the direction from the end begins at the last word.
    recurrent = cell(options.units, return_sequences=not last_state, name="recurrent")
    x = keras.layers.Bidirectional(recurrent, name="states")(x)  # [batch, (seq,) 2 * units]
    if pooled and not last_state:
        x = keras.layers.Dropout(options.dropout)(x)
        x = AdditiveAttention(options.units, name="attention")(x)  # [batch, 2 * units]
    return with_head(name, inputs, x, task, options.head)


def _look_inside(network: keras.Model, task: Task, options: RecurrentOptions) -> Inside:
    embedding, states = network.get_layer("embedding"), network.get_layer("states")
    attention = next((one for one in network.layers if one.name == "attention"), None)
    head = network.get_layer("head")

    def run(features: Features, words: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        mask = embedding.compute_mask(features["token_ids"])
        x = states(words, mask=mask, training=False)
        if attention is None:
            return head(x, training=False), []
        x, scores = attention(x, mask=mask, return_attention_scores=True)
        return head(x, training=False), [scores[:, tf.newaxis, tf.newaxis]]

    return Inside("token_ids", embedding, run, neutral="[UNK]", pools=attention is not None)


def _entry(card: ModelCard, options: RecurrentOptions) -> ZooEntry:
    return ZooEntry(
        card=card,
        recipe=RECIPE,
        options=options,
        build_text=build_text,
        build_network=partial(_build_network, card.name),
        task_recipes=TASK_RECIPES,
        look_inside=_look_inside,
        resolve=resolve_tokens,
    )


LSTM = _entry(
    ModelCard(
        name="lstm",
        summary="a bidirectional LSTM and its last states, trained from scratch",
        source="Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735",
        parameters="2,068,996",
        licence="Apache-2.0",
        good_for="the baseline before attention: one state has to hold the whole text",
    ),
    RecurrentOptions(embed_dim=96, units=96),
)

RNN_ATTENTION = _entry(
    ModelCard(
        name="rnn_attention",
        summary="a bidirectional GRU and additive attention over its states, from scratch",
        source="Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473; as a pool Yang et al. 2016, "
        "https://aclanthology.org/N16-1174",
        parameters="1,012,612",
        licence="Apache-2.0",
        good_for="learning what attention adds to a recurrent network; explain shows its weights",
    ),
    RecurrentOptions(dropout=0.3),
)
