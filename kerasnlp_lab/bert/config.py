"""`BertConfig`: the shape of a BERT, read from a checkpoint's JSON, and that of its tensors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasnlp_lab.bert.tokenizer_files import read_json_object
from kerasnlp_lab.errors import HubError

__all__ = [
    "ACTIVATIONS",
    "SIZES",
    "WORDS",
    "BertConfig",
    "config_as_json",
    "head_shapes",
    "is_release",
    "read_config",
    "tensor_shapes",
]

WORDS = "embeddings.word_embeddings.weight"  # the table that the output layer shares
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


def read_config(path: Path) -> BertConfig:
    """Returns the shape of a BERT from its folder or its JSON file.

    Raises HubError if it is no BERT, or cannot be built.
    """
    if not path.is_file():
        path /= "bert_config.json" if is_release(path) else "config.json"
    # The original BERT computes its GELU by tanh, PyTorch's exactly.
    gelu = "gelu_tanh" if path.name == "bert_config.json" else "gelu"
    return _config(read_json_object(path), gelu)


def is_release(folder: Path) -> bool:
    """Returns whether a folder holds the original release's files."""
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


_HIDDEN_ACT = {"gelu": "gelu", "gelu_tanh": "gelu_new", "relu": "relu"}


def config_as_json(config: BertConfig) -> dict[str, Any]:
    """Returns the content of Hugging Face's config.json; `read_config` of it gives the same."""
    values = dataclasses.asdict(config)
    activation = _HIDDEN_ACT[values.pop("activation")]
    return {"model_type": "bert", "hidden_act": activation, "layer_norm_eps": 1e-12, **values}


def tensor_shapes(config: BertConfig) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every tensor of a BertModel."""
    hidden, inner = config.hidden_size, config.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {
        WORDS: (config.vocab_size, hidden),
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


def head_shapes(config: BertConfig) -> dict[str, dict[str, tuple[int, ...]]]:
    """Returns the shape of every tensor of the output layers that pre-training adds.

    There are two, "masked words" and "next sentence". The names are those of Hugging Face's
    BertForPreTraining, without the matrix from vectors to pieces: it is the word table.
    """
    hidden = config.hidden_size
    return {
        "masked words": {
            "cls.predictions.transform.dense.weight": (hidden, hidden),
            "cls.predictions.transform.dense.bias": (hidden,),
            "cls.predictions.transform.LayerNorm.weight": (hidden,),
            "cls.predictions.transform.LayerNorm.bias": (hidden,),
            "cls.predictions.bias": (config.vocab_size,),
        },
        "next sentence": {
            "cls.seq_relationship.weight": (2, hidden),
            "cls.seq_relationship.bias": (2,),
        },
    }
