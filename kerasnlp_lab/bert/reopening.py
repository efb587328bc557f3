"""`reopen`: an encoder from TF Hub as a Keras model that can be changed."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.checkpoint import BertCheckpoint
from kerasnlp_lab.bert.config import ACTIVATIONS, BertConfig
from kerasnlp_lab.bert.encoder import (
    bert_encoder,
    encoder_with,
    layer_of,
    named_tensors,
    precision_policy,
    set_tensors,
)
from kerasnlp_lab.bert.loading import load_hub_layer, load_preprocessing
from kerasnlp_lab.bert.module_description import describe_if_ours, read_described_module
from kerasnlp_lab.errors import HubError, check_option, first_line

__all__ = ["checkpoint_of_module", "freeze_layers", "reopen"]

# Not mixed_float16: its gradients need a loss scale, which the network around does not have.
PRECISIONS = ("float32", "mixed_bfloat16")
# Two ways to compute the same BERT may differ by this much; another activation differs by more.
TOLERANCE = 1e-4
TYPES = "embeddings.token_type_embeddings.weight"


def reopen(
    module: str | Path,
    *,
    layers: int | None = None,
    attention_scores: bool = False,
    precision: str = "float32",
    dropout: float = 0.1,
    types: int = 0,
    name: str | None = None,
) -> keras.Model:
    """Returns an encoder from TF Hub as the Model Garden's BertEncoder, with the module's weights.

    A BertEncoder can do more than hub.KerasLayer: mixed precision, the attention scores
    of every layer, layers that are frozen or left out one by one, dropout that follows
    Keras' seed. A module that we did not build is called once, and both must agree.

    Args:
        module: A folder with an encoder's SavedModel, or a handle of TF Hub.
        layers: How many of the lowest layers to keep; None for all.
        attention_scores: Whether it also gives attention_scores, every layer's
            [batch, heads, from, to], after the softmax.
        precision: What to compute in: "float32" or "mixed_bfloat16". Weights stay float32.
        dropout: The rate within the encoder while training. A module does not say which
            it had; published BERTs were trained with 0.1.
        name: The Keras model's name.

    Returns:
        A model of the inputs input_word_ids, input_mask and input_type_ids, int32
        [batch, seq], with the outputs sequence_output [batch, seq, hidden],
        pooled_output [batch, hidden] and encoder_outputs, a list of every layer's
        [batch, seq, hidden].

    Raises:
        HubError: The module is not a BERT, or does not compute what a BERT does.
        OptionError: The encoder has fewer layers, or the precision is unknown.

    Example:
        >>> from kerasnlp_lab.hub import minilm_modules
        >>> reopen(minilm_modules().encoder, layers=3).count_params()
        17389824
    """
    check_option("dropout", dropout, 0 <= dropout < 1, "from 0 to below 1")
    check_option("precision", precision, precision in PRECISIONS, f"one of {PRECISIONS}")
    config, tensors = _read(module)
    if layers is not None:
        most = config.num_hidden_layers
        check_option("layers", layers, 1 <= layers <= most, f"from 1 to the encoder's {most}")
        config = dataclasses.replace(config, num_hidden_layers=layers)
    if types > config.type_vocab_size:
        rows = np.repeat(tensors[TYPES][:1], types - config.type_vocab_size, axis=0)
        tensors = {**tensors, TYPES: np.concatenate([tensors[TYPES], rows])}
        config = dataclasses.replace(config, type_vocab_size=types)
    return encoder_with(
        config,
        tensors,
        precision=precision,
        dropout=dropout,
        attention_scores=attention_scores,
        name=name,
    )


def _read(module: str | Path) -> tuple[BertConfig, dict[str, np.ndarray]]:
    """Returns a module's shape and weights: by its note if it has one, else by calling it."""
    folder = Path(module)
    if described := read_described_module(folder):
        return described
    # A module cannot be called in a strategy's scope, and scopes are a thread's own.
    with ThreadPoolExecutor(1) as thread:
        layer = thread.submit(lambda: load_hub_layer(str(module))).result()
        config, tensors = thread.submit(lambda: _take_apart(layer, module)).result()
    if folder.is_dir():
        describe_if_ours(folder, config)
    return config, tensors


def freeze_layers(encoder: keras.Model, count: int) -> None:
    """Freezes the lowest `count` layers of a reopened encoder, and the embeddings below them.

    Set the encoder's own ``trainable`` before, not after: it sets that of every layer.
    """
    for layer in encoder.layers if count else []:
        depths = [layer_of(weight.name) for weight in layer.weights]
        if depths and all(depth is not None and depth <= count for depth in depths):
            layer.trainable = False


def checkpoint_of_module(encoder: Any, preprocess: str | Path) -> BertCheckpoint:
    """Returns the weights of an encoder, perhaps fine-tuned, as a checkpoint in memory.

    The encoder is a hub.KerasLayer or from `reopen`; the preprocessing module belongs to it. Raises
    HubError if the encoder is not a BERT, or the preprocessing has no vocabulary.
    """
    if hasattr(encoder, "bert_config"):
        # Reopened: known already, and in mixed precision its outputs would not tell.
        config, tensors = encoder.bert_config, named_tensors(encoder.variables)
    else:
        config, tensors = _take_apart(encoder, "the encoder")
    module = load_preprocessing(str(preprocess))
    vocab_file = Path(hub.resolve(str(preprocess)), "assets", "vocab.txt")
    if not vocab_file.is_file():
        raise HubError(f"{preprocess} has no assets/vocab.txt: only word pieces can be taken along")
    vocabulary = tuple(vocab_file.read_text(encoding="utf-8").removesuffix("\n").split("\n"))
    # What the module does to a word, its tokenizer does to every text. A word that is no
    # piece proves nothing: [UNK] equals [UNK].
    word = next((piece for piece in vocabulary if re.fullmatch("[a-z]+", piece)), "e")
    words = tf.constant([word, word.upper(), f"{word}\u0301"])
    plain, capital, accented = module.tokenize(words).to_list()
    return BertCheckpoint(config, tensors, vocabulary, capital == plain, accented == plain)


def _take_apart(encoder: Any, what: Any) -> tuple[BertConfig, dict[str, np.ndarray]]:
    """Returns an encoder's shape and weights. It finds the activation by trying each."""
    try:
        tensors = named_tensors(encoder.variables)
        if not tensors:
            raise HubError("it has no weights")
        config = _config_of(tensors, encoder.variables)
    except (HubError, KeyError) as error:
        message = f"{what} cannot be reopened: {error}; train it by --encoder module"
        raise HubError(message) from error
    ids = np.random.default_rng(0).integers(0, config.vocab_size, (2, 12))
    batch = {
        "input_word_ids": tf.constant(ids, tf.int32),
        "input_mask": tf.constant([[1] * 12, [1] * 7 + [0] * 5], tf.int32),
        "input_type_ids": tf.constant([[0] * 6 + [1] * 6, [0] * 12], tf.int32),
    }
    try:
        expected = _real_outputs(encoder(batch), batch)
    except Exception as error:  # a module may raise anything when it is called
        raise HubError(f"{what} cannot be called as an encoder ({first_line(error)})") from error
    differences = {}
    for activation in ACTIVATIONS:
        tried = dataclasses.replace(config, activation=activation)
        with precision_policy("float32"):
            candidate = bert_encoder(tried)
        set_tensors(candidate, tensors)
        found = _real_outputs(candidate(batch), batch)
        differences[activation] = float(np.abs(found - expected).max())
        if differences[activation] < TOLERANCE / 10:
            break
    best = min(differences, key=differences.__getitem__)
    if not differences[best] < TOLERANCE:
        raise HubError(
            f"{what} cannot be reopened: it has a BERT's weights, but a BERT with them gives other "
            f"outputs, by {differences[best]:.2g}"
        )
    return dataclasses.replace(config, activation=best), tensors


def _real_outputs(outputs: Any, batch: Mapping[str, Any]) -> np.ndarray:
    """Returns an encoder's outputs in one row, without those at padding."""
    real = batch["input_mask"].numpy() > 0
    parts = (outputs["sequence_output"].numpy()[real], outputs["pooled_output"].numpy())
    return np.concatenate([part.astype(np.float32).ravel() for part in parts])


def _config_of(tensors: Mapping[str, np.ndarray], variables: Any) -> BertConfig:
    words = tensors["embeddings.word_embeddings.weight"].shape
    count = sum(name.endswith(".attention.self.query.bias") for name in tensors)
    # [hidden, heads, size]; the matrix of Hugging Face does not tell the heads apart.
    query = next(v for v in variables if v.name.endswith("self_attention/query/kernel:0"))
    return BertConfig(
        vocab_size=words[0],
        hidden_size=words[1],
        num_hidden_layers=count,
        num_attention_heads=query.shape[1],
        intermediate_size=len(tensors["encoder.layer.0.intermediate.dense.bias"]),
        max_position_embeddings=len(tensors["embeddings.position_embeddings.weight"]),
        type_vocab_size=len(tensors["embeddings.token_type_embeddings.weight"]),
    )
