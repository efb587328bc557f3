"""`bert_encoder`: the Model Garden's BertEncoder from a config, and names of its weights."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np
from official.nlp.modeling import networks

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.config import BertConfig
from kerasnlp_lab.errors import HubError

__all__ = [
    "as_named_tensors",
    "bert_encoder",
    "cannot_rebuild",
    "canonical_name",
    "encoder_with",
    "keras_activation",
    "layer_of",
    "named_tensors",
    "precision_policy",
    "set_tensors",
]

# From a variable of the Model Garden's BertEncoder to a tensor of a Hugging Face
# BertModel; {} is the layer. Dense kernels are transposed there, and heads are flat.
_TENSOR_NAMES = {
    "word_embeddings/embeddings": "embeddings.word_embeddings.weight",
    "position_embedding/embeddings": "embeddings.position_embeddings.weight",
    "type_embeddings/embeddings": "embeddings.token_type_embeddings.weight",
    "embeddings/layer_norm/gamma": "embeddings.LayerNorm.weight",
    "embeddings/layer_norm/beta": "embeddings.LayerNorm.bias",
    "self_attention/query": "encoder.layer.{}.attention.self.query",
    "self_attention/key": "encoder.layer.{}.attention.self.key",
    "self_attention/value": "encoder.layer.{}.attention.self.value",
    "self_attention/attention_output": "encoder.layer.{}.attention.output.dense",
    "self_attention_layer_norm/gamma": "encoder.layer.{}.attention.output.LayerNorm.weight",
    "self_attention_layer_norm/beta": "encoder.layer.{}.attention.output.LayerNorm.bias",
    "intermediate": "encoder.layer.{}.intermediate.dense",
    "output": "encoder.layer.{}.output.dense",
    "output_layer_norm/gamma": "encoder.layer.{}.output.LayerNorm.weight",
    "output_layer_norm/beta": "encoder.layer.{}.output.LayerNorm.bias",
    "pooler_transform": "pooler.dense",
}
_KINDS = {"kernel": "weight", "bias": "bias"}


def bert_encoder(
    config: BertConfig, *, attention_scores: bool = False, name: str | None = None
) -> keras.Model:
    """Returns a BertEncoder of the Model Garden, with new weights.

    It takes input_word_ids, input_mask and input_type_ids, int32 [batch, seq],
    and gives sequence_output [batch, seq, hidden], pooled_output [batch, hidden]
    and encoder_outputs, every layer's [batch, seq, hidden].

    Args:
        config: Its shape.
        attention_scores: Whether it also gives attention_scores, after the
            softmax, every layer's [batch, heads, from, to].
        name: The Keras model's name.
    """
    return networks.BertEncoder(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        num_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        max_sequence_length=config.max_position_embeddings,
        type_vocab_size=config.type_vocab_size,
        inner_dim=config.intermediate_size,
        inner_activation=keras_activation(config.activation),
        output_dropout=config.hidden_dropout_prob,
        attention_dropout=config.attention_probs_dropout_prob,
        initializer=keras.initializers.TruncatedNormal(stddev=config.initializer_range),
        return_attention_scores=attention_scores,
        dict_outputs=True,
        name=name,
    )


def encoder_with(
    config: BertConfig,
    tensors: Mapping[str, np.ndarray],
    *,
    precision: str,
    dropout: float,
    attention_scores: bool = False,
    name: str | None = None,
) -> keras.Model:
    """Returns a BertEncoder with these weights, by Hugging Face's names.

    Its config, with this dropout, is its attribute `bert_config`.
    """
    config = dataclasses.replace(
        config, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout
    )
    with precision_policy(precision):
        encoder = bert_encoder(config, attention_scores=attention_scores, name=name)
    set_tensors(encoder, tensors)
    encoder.bert_config = config
    return encoder


def keras_activation(name: str) -> Callable[[Any], Any]:
    """Returns the function of a config's activation."""
    activations: dict[str, Callable[[Any], Any]] = {
        # Keras' "gelu" is the exact one; the Model Garden's is the tanh approximation.
        "gelu": keras.activations.gelu,
        "gelu_tanh": lambda x: keras.activations.gelu(x, approximate=True),
        "relu": keras.activations.relu,
    }
    return activations[name]


@contextmanager
def precision_policy(precision: str) -> Iterator[None]:
    """Builds Keras layers under a precision, and leaves the global one as it was."""
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(precision)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)


def canonical_name(variable_name: str) -> str | None:
    """Returns the Hugging Face name of an encoder's variable, or None for any other variable.

    Example:
        >>> canonical_name("transformer/layer_3/self_attention/query/kernel:0")
        'encoder.layer.3.attention.self.query.weight'
    """
    path = re.sub(r":\d+$", "", variable_name)
    found = re.search(r"(?:^|/)transformer/layer_(\d+)/(.*)$", path)
    layer, path = (found[1], found[2]) if found else ("", path)
    module, _, kind = path.rpartition("/")
    for known, name in _TENSOR_NAMES.items():
        if ("{}" in name) != bool(layer):
            continue
        if path == known or (not layer and path.endswith("/" + known)):
            return name.format(layer)
        if kind in _KINDS and (module == known or (not layer and module.endswith("/" + known))):
            return f"{name.format(layer)}.{_KINDS[kind]}"
    return None


def cannot_rebuild(layer: keras.layers.Layer) -> NoReturn:
    """Is the `get_config` of layers that hold more than Keras can rebuild from a file."""
    raise NotImplementedError(
        "Keras cannot rebuild a BERT, whose encoder and word pieces come from elsewhere; save it "
        "with Classifier.save or export_classifier, or its weights alone with save_weights or "
        "ModelCheckpoint(..., save_weights_only=True)"
    )


def layer_of(variable_name: str) -> int | None:
    """Returns the layer that an encoder's variable belongs to: 0 for the embeddings, 1 for the
    first layer, and so on; None for the pooler and for any other variable."""
    name = canonical_name(variable_name)
    if name is None or name.startswith("pooler"):
        return None
    found = re.match(r"encoder\.layer\.(\d+)\.", name)
    return int(found[1]) + 1 if found else 0


def named_tensors(variables: Sequence[Any]) -> dict[str, np.ndarray]:
    """Returns an encoder's weights in the names and shapes of a Hugging Face BertModel.

    The variables are those of a BertEncoder, or of a module from TF Hub that was made from one.
    Those that are not weights (a module's do_lower_case) are left out. Raises HubError if they are
    not a BERT's.
    """
    floats = (one for one in variables if one.dtype.is_floating)
    return as_named_tensors((one.name, np.asarray(one.numpy())) for one in floats)


def as_named_tensors(values: Iterable[tuple[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Does the same with pairs of a variable's name, with or without ":0", and its value."""
    tensors: dict[str, np.ndarray] = {}
    for full_name, value in values:
        name = canonical_name(full_name)
        if name is None or name in tensors:
            raise HubError(
                f"the variable {full_name} is not one of a BERT's: only modules made from "
                "the Model Garden's BertEncoder can be reopened"
            )
        # [inputs, heads, size] and [heads, size, outputs] are matrices there.
        if value.ndim == 3:
            outputs = value.shape[-1] if ".attention.output." in name else None
            value = value.reshape(-1, outputs) if outputs else value.reshape(value.shape[0], -1)
        elif name.endswith(".bias"):
            value = value.reshape(-1)
        tensors[name] = value.T if re.search(r"kernel(:0)?$", full_name) else value
    return tensors


def set_tensors(encoder: keras.Model, tensors: Mapping[str, np.ndarray]) -> None:
    """Sets the weights of a BertEncoder from tensors by Hugging Face's names."""
    for variable in encoder.variables:
        name = canonical_name(variable.name)
        value = tensors[str(name)]
        if variable.name.endswith("kernel:0"):
            value = value.T
        variable.assign(value.reshape(variable.shape))
