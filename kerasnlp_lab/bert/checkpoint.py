"""`BertCheckpoint`: a BERT's config, weights and vocabulary, from any published form.

Nothing here executes code from a checkpoint. It reads JSON, safetensors and TensorFlow's
own tensor files, and never a pickle.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from safetensors import SafetensorError
from safetensors.numpy import load_file

from kerasnlp_lab.bert.tokenizer_files import (
    looks_uncased,
    read_casing,
    read_json_object,
    read_vocabulary,
)
from kerasnlp_lab.errors import HubError, first_line
from kerasnlp_lab.paths import user_path

__all__ = [
    "BertCheckpoint",
    "BertConfig",
    "is_checkpoint",
    "read_checkpoint",
    "read_config",
    "tensor_shapes",
]

ACTIVATIONS = ("gelu", "gelu_tanh", "relu")


@dataclass(frozen=True)
class BertConfig:
    """The shape of a BERT, by the names of the original release's bert_config.json.

    Args:
        activation: "gelu", "gelu_tanh" (its tanh approximation) or "relu".
    """

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int
    activation: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    initializer_range: float = 0.02

    @property
    def parameters(self) -> int:
        """The number of parameters, the pooler's included."""
        return sum(math.prod(shape) for shape in tensor_shapes(self).values())


@dataclass(frozen=True, eq=False)
class BertCheckpoint:
    """A BERT on its way from one form into another.

    Args:
        config: Its shape.
        tensors: Its weights, by the names of Hugging Face's BertModel
            ("encoder.layer.0.attention.self.query.weight"), in their shapes
            (dense kernels [outputs, inputs]).
        vocabulary: Its word pieces, in the order of their ids.
        do_lower_case: Whether texts are lower-cased.
        strip_accents: Whether texts lose their accents.
    """

    config: BertConfig
    tensors: Mapping[str, np.ndarray]
    vocabulary: tuple[str, ...]
    do_lower_case: bool
    strip_accents: bool


def is_checkpoint(folder: Path) -> bool:
    """Returns whether a folder looks like one that `read_checkpoint` reads."""
    return any((folder / name).is_file() for name in ("config.json", "bert_config.json"))


def read_checkpoint(
    folder: str | Path, *, do_lower_case: bool | None = None, strip_accents: bool | None = None
) -> BertCheckpoint:
    """Reads a BERT in Hugging Face's form or in that of the original release.

    Args:
        folder: With config.json, model.safetensors and vocab.txt or tokenizer.json;
            or with bert_config.json, bert_model.ckpt.* and vocab.txt.
        do_lower_case: Whether texts are lower-cased; None to follow the files, or the
            vocabulary's own capitals if the files say nothing.
        strip_accents: Whether texts lose their accents; None to follow the files, or
            do_lower_case if they say nothing.

    Raises:
        HubError: It is not a BERT's, or has a part that cannot be built, or is damaged.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805; Sanh et al. 2019
    (DistilBERT), https://arxiv.org/abs/1910.01108.
    """
    folder = user_path(folder)
    config = read_config(folder)
    release = _is_release(folder)
    tensors = _release_tensors(folder) if release else _safetensors(folder / "model.safetensors")
    distilled = any(".q_lin." in name for name in tensors)
    tensors = _rename(tensors)
    if distilled:  # DistilBERT has no token types
        shape = (config.type_vocab_size, config.hidden_size)
        tensors["embeddings.token_type_embeddings.weight"] = np.zeros(shape, np.float32)
    tensors = _complete(tensors, config)
    vocabulary = read_vocabulary(folder, config.vocab_size)
    said_lower, said_strip = read_casing(folder)
    if do_lower_case is None:
        do_lower_case = looks_uncased(vocabulary) if said_lower is None else said_lower
    if strip_accents is None:
        strip_accents = do_lower_case if said_strip is None else said_strip
    return BertCheckpoint(config, tensors, vocabulary, do_lower_case, strip_accents)


def read_config(folder: Path) -> BertConfig:
    """Returns the shape of a BERT; raises HubError if it is none, or cannot be built."""
    # The original BERT computes its GELU by tanh, PyTorch's exactly.
    if _is_release(folder):
        return _config(read_json_object(folder / "bert_config.json"), gelu="gelu_tanh")
    return _config(read_json_object(folder / "config.json"), gelu="gelu")


def _is_release(folder: Path) -> bool:
    return (folder / "bert_config.json").is_file() and not (folder / "config.json").is_file()


# DistilBERT's words for the same things.
_DISTILBERT_KEYS = {
    "dim": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "hidden_dim": "intermediate_size",
    "activation": "hidden_act",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
}
SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
)
_RATES = ("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range")


def _config(raw: Mapping[str, Any], gelu: str) -> BertConfig:
    kind = raw.get("model_type", "bert")
    if kind not in ("bert", "distilbert"):
        raise HubError(
            f"expected model_type 'bert' or 'distilbert' in config.json, got {kind!r}: "
            "another architecture cannot be put into a BERT"
        )
    if kind == "distilbert":
        renamed = {_DISTILBERT_KEYS.get(key, key): value for key, value in raw.items()}
        raw = {**renamed, "type_vocab_size": 2}
    missing = [key for key in (*SIZES, "hidden_act") if key not in raw]
    if missing:
        raise HubError(f"config.json lacks {', '.join(missing)}")
    for key in SIZES:
        if type(raw[key]) is not int or raw[key] < 1:
            raise HubError(f"config.json: {key} must be 1 or more, got {raw[key]!r}")
    for key in _RATES:
        if key in raw and (type(raw[key]) not in (int, float) or not 0 <= raw[key] < 1):
            raise HubError(f"config.json: {key} must be from 0 to below 1, got {raw[key]!r}")
    if raw["hidden_size"] % raw["num_attention_heads"]:
        raise HubError(
            f"config.json: hidden_size {raw['hidden_size']} is no multiple of "
            f"num_attention_heads {raw['num_attention_heads']}"
        )
    for key, expected in (("position_embedding_type", "absolute"), ("layer_norm_eps", 1e-12)):
        if raw.get(key, expected) != expected:
            raise HubError(f"{key} {raw[key]!r} is not supported; only {expected!r} is")
    if raw.get("quantization_config"):
        raise HubError("config.json has a quantization_config: quantized weights are not supported")
    for key in ("is_decoder", "add_cross_attention"):
        if raw.get(key):
            raise HubError(f"config.json says {key}: only an encoder can be built")
    activations = {"gelu": gelu, "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"}
    activation = activations.get(raw["hidden_act"], raw["hidden_act"])
    if activation not in ACTIVATIONS:
        raise HubError(f"hidden_act {raw['hidden_act']!r} is not supported; gelu and relu are")
    values = {key: raw[key] for key in (*SIZES, *_RATES) if key in raw}
    return BertConfig(activation=activation, **values)


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        more = ""
        for pickle in sorted(path.parent.glob("*.bin")):
            more = f"; {pickle.name} is a pickle, which could run code and is never read"
        if (path.parent / "model.safetensors.index.json").is_file():
            more = "; weights in several files are not supported, save them as one"
        raise HubError(f"cannot read {path}: it is missing{more}")
    try:
        return load_file(path)
    except (OSError, SafetensorError, TypeError, KeyError) as error:
        raise HubError(f"cannot read {path}: {first_line(error)}") from error


def _release_tensors(folder: Path) -> dict[str, np.ndarray]:
    """Returns the tensors of a TensorFlow 1 checkpoint by Hugging Face's names."""
    prefix = str(folder / "bert_model.ckpt")
    try:
        reader = tf.train.load_checkpoint(prefix)
        names = [
            name
            for name in reader.get_variable_to_shape_map()
            if name.startswith("bert/") and not name.endswith(("/adam_m", "/adam_v"))
        ]
        values = {name: reader.get_tensor(name) for name in names}  # each is checked by its CRC
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:  # cut short: Index
        raise HubError(f"cannot read {prefix}.*: {first_line(error)}") from error
    tensors = {}
    for name, value in values.items():
        path = re.sub(r"layer_(\d+)", r"layer.\1", name.removeprefix("bert/")).replace("/", ".")
        if path.endswith(".kernel"):
            path, value = path.removesuffix("kernel") + "weight", value.T
        elif path.endswith("_embeddings"):
            path += ".weight"
        tensors[path] = value
    return tensors


_WORDS = "embeddings.word_embeddings.weight"
_PARTS = {  # DistilBERT's, and the original release's
    r"transformer\.layer\.(\d+)\.attention\.q_lin": r"encoder.layer.\1.attention.self.query",
    r"transformer\.layer\.(\d+)\.attention\.k_lin": r"encoder.layer.\1.attention.self.key",
    r"transformer\.layer\.(\d+)\.attention\.v_lin": r"encoder.layer.\1.attention.self.value",
    r"transformer\.layer\.(\d+)\.attention\.out_lin": r"encoder.layer.\1.attention.output.dense",
    r"transformer\.layer\.(\d+)\.sa_layer_norm": r"encoder.layer.\1.attention.output.LayerNorm",
    r"transformer\.layer\.(\d+)\.ffn\.lin1": r"encoder.layer.\1.intermediate.dense",
    r"transformer\.layer\.(\d+)\.ffn\.lin2": r"encoder.layer.\1.output.dense",
    r"transformer\.layer\.(\d+)\.output_layer_norm": r"encoder.layer.\1.output.LayerNorm",
    r"LayerNorm\.gamma$": "LayerNorm.weight",
    r"LayerNorm\.beta$": "LayerNorm.bias",
}


def _rename(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the encoder's tensors by BertModel's names, without heads and the like."""
    prefixes = [name.removesuffix(_WORDS) for name in tensors if name.endswith(_WORDS)]
    if len(prefixes) != 1:
        raise HubError(
            f"expected one tensor named {_WORDS}, perhaps after a prefix as 'bert.', "
            f"found {len(prefixes)}: these are not a BERT's weights"
        )
    renamed = {}
    for name, value in tensors.items():
        if not name.startswith(prefixes[0]):
            continue
        name = name.removeprefix(prefixes[0])
        for pattern, replacement in _PARTS.items():
            name = re.sub(pattern, replacement, name)
        renamed[name] = value
    return renamed


def _complete(tensors: dict[str, np.ndarray], config: BertConfig) -> dict[str, np.ndarray]:
    """Returns just the tensors that the config asks for, each checked by its shape."""
    if not any(name.startswith("pooler.") for name in tensors):
        # Without a pooler, pooled_output is tanh of [CLS]'s own vector.
        tensors["pooler.dense.weight"] = np.eye(config.hidden_size, dtype=np.float32)
        tensors["pooler.dense.bias"] = np.zeros(config.hidden_size, np.float32)
    if any(name.startswith(f"encoder.layer.{config.num_hidden_layers}.") for name in tensors):
        raise HubError(
            f"the weights have more than the {config.num_hidden_layers} layers of config.json: "
            "they do not belong together"
        )
    complete = {}
    for name, shape in tensor_shapes(config).items():
        if name not in tensors:
            raise HubError(f"the weights lack the tensor {name}")
        if tensors[name].shape != shape:
            raise HubError(
                f"{name} has shape {tensors[name].shape}, which does not fit the {shape} that "
                "config.json asks for"
            )
        kind = tensors[name].dtype
        if not (np.issubdtype(kind, np.floating) or kind.name == "bfloat16"):
            raise HubError(
                f"{name} is {kind}: quantized weights are not supported; save the model in "
                "float32, float16 or bfloat16"
            )
        complete[name] = tensors[name].astype(np.float32)
        if not np.isfinite(complete[name]).all():
            raise HubError(f"{name} holds a value that is not a number: the file is damaged")
    return complete


def tensor_shapes(config: BertConfig) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every tensor of a BertModel."""
    hidden, inner = config.hidden_size, config.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {
        _WORDS: (config.vocab_size, hidden),
        "embeddings.position_embeddings.weight": (config.max_position_embeddings, hidden),
        "embeddings.token_type_embeddings.weight": (config.type_vocab_size, hidden),
    }

    def add(name: str, *shape: int) -> None:
        shapes[f"{name}.weight"] = shape
        shapes[f"{name}.bias"] = shape[:1]

    add("embeddings.LayerNorm", hidden)
    for layer in range(config.num_hidden_layers):
        prefix = f"encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            add(f"{prefix}.attention.{part}", hidden, hidden)
        add(f"{prefix}.attention.output.LayerNorm", hidden)
        add(f"{prefix}.intermediate.dense", inner, hidden)
        add(f"{prefix}.output.dense", hidden, inner)
        add(f"{prefix}.output.LayerNorm", hidden)
    add("pooler.dense", hidden, hidden)
    return shapes
