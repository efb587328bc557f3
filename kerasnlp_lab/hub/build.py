"""`build_bert_modules`: a TF Hub preprocessing module and encoder out of published weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from official.nlp.modeling import networks
from official.nlp.tools import export_tfhub_lib
from safetensors import SafetensorError
from safetensors.numpy import load_file

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import HubError

__all__ = ["bert_encoder", "build_bert_modules"]

DEFAULT_SEQ_LENGTH = 128
_CONFIG_KEYS = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "hidden_act",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "initializer_range",
)

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


def bert_encoder(config: Mapping[str, Any]) -> keras.Model:
    """Returns a BertEncoder of the Model Garden with the shape that a config.json gives.

    Args:
        config: The keys of a Hugging Face BertConfig.

    Raises:
        HubError: The config is not a BERT's, or has a part that this cannot build.
    """
    if config.get("model_type") != "bert":
        raise HubError(
            f"expected model_type 'bert' in config.json, got {config.get('model_type')!r}"
        )
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise HubError(
            f"position_embedding_type {config['position_embedding_type']!r} is not supported; "
            "only 'absolute' is"
        )
    missing = [key for key in _CONFIG_KEYS if key not in config]
    if missing:
        raise HubError(f"config.json lacks {', '.join(missing)}")
    if config["hidden_act"] not in ("gelu", "relu"):
        raise HubError(f"hidden_act {config['hidden_act']!r} is not supported")
    if config.get("layer_norm_eps", 1e-12) != 1e-12:
        raise HubError(f"layer_norm_eps {config['layer_norm_eps']} is not supported; only 1e-12 is")
    return networks.BertEncoder(
        vocab_size=config["vocab_size"],
        hidden_size=config["hidden_size"],
        num_layers=config["num_hidden_layers"],
        num_attention_heads=config["num_attention_heads"],
        max_sequence_length=config["max_position_embeddings"],
        type_vocab_size=config["type_vocab_size"],
        inner_dim=config["intermediate_size"],
        # Keras' "gelu" is the exact one, as in the weights' own training; the
        # Model Garden's is the tanh approximation.
        inner_activation=keras.activations.get(config["hidden_act"]),
        output_dropout=config["hidden_dropout_prob"],
        attention_dropout=config["attention_probs_dropout_prob"],
        initializer=keras.initializers.TruncatedNormal(stddev=config["initializer_range"]),
        dict_outputs=True,
    )


def build_bert_modules(checkpoint: str | Path, target: str | Path, *, do_lower_case: bool) -> None:
    """Builds a preprocessing module and an encoder with TF Hub's interface.

    Args:
        checkpoint: A folder in Hugging Face's form: config.json,
            model.safetensors, vocab.txt.
        target: The folder to write ``preprocess`` and ``encoder`` into.
        do_lower_case: Whether texts are lower-cased and stripped of accents.

    Raises:
        HubError: The checkpoint is not a BERT's, or its weights do not fit its config.

    Source: https://www.tensorflow.org/hub/common_saved_model_apis/text; the
    interface is that of ``official.nlp.tools.export_tfhub_lib``.
    """
    checkpoint, target = Path(checkpoint), Path(target)
    if not (checkpoint / "vocab.txt").is_file():
        raise HubError(f"{checkpoint} has no vocab.txt")
    try:
        config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HubError(f"cannot read {checkpoint / 'config.json'}: {error}") from error
    try:
        tensors = load_file(checkpoint / "model.safetensors")
    except (OSError, SafetensorError) as error:
        raise HubError(f"cannot read {checkpoint / 'model.safetensors'}: {error}") from error
    encoder = bert_encoder(config)
    _set_weights(encoder, tensors)
    vocab_file = str(checkpoint / "vocab.txt")
    export_tfhub_lib.export_preprocessing(
        str(target / "preprocess"),
        vocab_file=vocab_file,
        do_lower_case=do_lower_case,
        tokenize_with_offsets=False,
        default_seq_length=min(DEFAULT_SEQ_LENGTH, config["max_position_embeddings"]),
    )
    inputs = {tensor.name: tensor for tensor in encoder.inputs}
    outputs = encoder(inputs)
    outputs["default"] = outputs["pooled_output"]
    module = keras.Model(inputs, outputs)
    module.vocab_file = tf.saved_model.Asset(vocab_file)
    module.do_lower_case = tf.Variable(do_lower_case, trainable=False)
    module.save(str(target / "encoder"), include_optimizer=False, save_format="tf")


def _set_weights(encoder: keras.Model, tensors: Mapping[str, np.ndarray]) -> None:
    values = []
    for variable in encoder.variables:
        name = _tensor_name(variable.name)
        if name not in tensors:
            raise HubError(f"model.safetensors lacks the tensor {name}")
        value = tensors[name]
        if variable.name.split("/")[-1] == "kernel:0":
            value = value.T
        # Heads are flat there: as many numbers are not enough, one end must agree.
        ends = {value.shape[:1] == variable.shape[:1], value.shape[-1:] == variable.shape[-1:]}
        if value.size != np.prod(variable.shape) or (value.ndim > 1 and True not in ends):
            raise HubError(
                f"{name} has shape {value.shape}, which does not fit the {tuple(variable.shape)} "
                "that config.json asks for"
            )
        values.append(value.reshape(variable.shape).astype(np.float32))
    encoder.set_weights(values)


def _tensor_name(variable_name: str) -> str:
    """Returns the Hugging Face tensor that a BertEncoder variable's values come from."""
    path = variable_name.removesuffix(":0")
    layer = ""
    if path.startswith("transformer/layer_"):
        _, layer, path = path.split("/", 2)
        layer = layer.removeprefix("layer_")
    if path in _TENSOR_NAMES:
        return _TENSOR_NAMES[path].format(layer)
    module, kind = path.rsplit("/", 1)
    suffix = {"kernel": "weight", "bias": "bias"}[kind]
    return f"{_TENSOR_NAMES[module].format(layer)}.{suffix}"
