"""Reads a BERT's tensors, and gives them the names of Hugging Face's BertModel.

Nothing here executes code from a checkpoint. It reads safetensors and TensorFlow's own tensor
files, and never a pickle.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors import SafetensorError
from safetensors.numpy import load_file

from kerasnlp_lab.bert.config import WORDS, is_release
from kerasnlp_lab.errors import HubError, first_line

__all__ = ["encoder_tensors", "head_tensors", "read_tensors"]


def read_tensors(folder: Path) -> dict[str, np.ndarray]:
    """Returns the tensors of a checkpoint, by the names of its file or by Hugging Face's.

    Raises HubError if they cannot be read.
    """
    if is_release(folder):
        return _release_tensors(folder)
    return _safetensors(folder / "model.safetensors")


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
            if name.startswith(("bert/", "cls/")) and not name.endswith(("/adam_m", "/adam_v"))
        ]
        values = {name: reader.get_tensor(name) for name in names}  # each is checked by its CRC
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:  # cut short: Index
        raise HubError(f"cannot read {prefix}.*: {first_line(error)}") from error
    tensors = {}
    for name, value in values.items():
        path = re.sub(r"layer_(\d+)", r"layer.\1", name).replace("/", ".")
        if path.endswith(".kernel"):
            path, value = path.removesuffix("kernel") + "weight", value.T
        elif path.endswith("_embeddings"):
            path += ".weight"
        path = path.replace(".output_weights", ".weight").replace(".output_bias", ".bias")
        tensors[path] = value
    return tensors


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
_HEADS = {  # DistilBERT's, and the original release's
    r"^vocab_transform\.": "cls.predictions.transform.dense.",
    r"^vocab_layer_norm\.": "cls.predictions.transform.LayerNorm.",
    r"^vocab_projector\.": "cls.predictions.decoder.",
    r"LayerNorm\.gamma$": "LayerNorm.weight",
    r"LayerNorm\.beta$": "LayerNorm.bias",
}


def encoder_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the encoder's tensors by BertModel's names, without heads and the like.

    Raises HubError if there is not one word table.
    """
    prefix = _prefix(tensors)
    renamed = {}
    for name, value in tensors.items():
        if not name.startswith(prefix):
            continue
        name = name.removeprefix(prefix)
        for pattern, replacement in _PARTS.items():
            name = re.sub(pattern, replacement, name)
        renamed[name] = value
    return renamed


def head_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the tensors of the output layers that pre-training adds: see `head_shapes`.

    Raises HubError if the matrix from vectors to pieces is not the word table.
    """
    prefix = _prefix(tensors)
    words = tensors[f"{prefix}{WORDS}"]
    around = re.sub(r"(distil)?bert\.$", "", prefix)
    renamed = {}
    for name, value in tensors.items():
        name = name.removeprefix(around)
        for pattern, replacement in _HEADS.items():
            name = re.sub(pattern, replacement, name)
        if name.startswith(("cls.predictions.", "cls.seq_relationship.")):
            renamed[name] = value
    decoder = renamed.pop("cls.predictions.decoder.weight", words)
    if decoder is not words and not np.array_equal(decoder, words):
        raise HubError(
            "the weights have an output layer with a matrix of its own "
            "(cls.predictions.decoder.weight): expected the table of word embeddings there; save "
            "the model with tie_word_embeddings, or take out the tensors cls.predictions.*"
        )
    bias = renamed.pop("cls.predictions.decoder.bias", None)  # the same one under another name
    if bias is not None:
        renamed.setdefault("cls.predictions.bias", bias)
    return renamed


def _prefix(tensors: Mapping[str, np.ndarray]) -> str:
    """Returns what stands before the names of the encoder's tensors, perhaps "bert."."""
    prefixes = [name.removesuffix(WORDS) for name in tensors if name.endswith(WORDS)]
    if len(prefixes) != 1:
        raise HubError(
            f"expected one tensor named {WORDS}, perhaps after a prefix as 'bert.', "
            f"found {len(prefixes)}: these are not a BERT's weights"
        )
    return prefixes[0]
