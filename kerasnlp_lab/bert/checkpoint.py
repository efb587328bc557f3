"""`BertCheckpoint`: a BERT's config, weights and vocabulary, from any published form.

See `tensor_files` and `config` for its files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kerasnlp_lab.bert.config import BertConfig, head_shapes, read_config, tensor_shapes
from kerasnlp_lab.bert.tensor_files import encoder_tensors, head_tensors, read_tensors
from kerasnlp_lab.bert.tokenizer_files import looks_uncased, read_casing, read_vocabulary
from kerasnlp_lab.errors import HubError
from kerasnlp_lab.paths import user_path

__all__ = [
    "BertCheckpoint",
    "BertConfig",
    "is_checkpoint",
    "read_checkpoint",
    "read_config",
    "tensor_shapes",
]


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
        heads: The weights of the output layers that pre-training adds, as far as there are any,
            by the names of Hugging Face's BertForPreTraining: see `head_shapes`.
    """

    config: BertConfig
    tensors: Mapping[str, np.ndarray]
    vocabulary: tuple[str, ...]
    do_lower_case: bool
    strip_accents: bool
    heads: Mapping[str, np.ndarray] = field(default_factory=dict)


def is_checkpoint(folder: Path) -> bool:
    """Returns whether a folder looks like one that `read_checkpoint` reads."""
    return any((folder / name).is_file() for name in ("config.json", "bert_config.json"))


def read_checkpoint(
    folder: str | Path,
    *,
    do_lower_case: bool | None = None,
    strip_accents: bool | None = None,
    heads: bool = True,
) -> BertCheckpoint:
    """Reads a BERT in Hugging Face's form or in that of the original release.

    Args:
        folder: With config.json, model.safetensors and vocab.txt or tokenizer.json;
            or with bert_config.json, bert_model.ckpt.* and vocab.txt.
        do_lower_case: Whether texts are lower-cased; None to follow the files, or the
            vocabulary's own capitals if the files say nothing.
        strip_accents: Whether texts lose their accents; None to follow the files, or
            do_lower_case if they say nothing.
        heads: Whether to read the output layers of pre-training, too.

    Raises:
        HubError: It is not a BERT's, or has a part that cannot be built, or is damaged.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805; Sanh et al. 2019
    (DistilBERT), https://arxiv.org/abs/1910.01108.
    """
    folder = user_path(folder)
    config = read_config(folder)
    found = read_tensors(folder)
    tensors = encoder_tensors(found)
    if any(".q_lin." in name for name in found):  # DistilBERT has no token types
        shape = (config.type_vocab_size, config.hidden_size)
        tensors["embeddings.token_type_embeddings.weight"] = np.zeros(shape, np.float32)
    tensors = _complete(tensors, config)
    read_heads = _checked_heads(head_tensors(found), config) if heads else {}
    vocabulary = read_vocabulary(folder, config.vocab_size)
    said_lower, said_strip = read_casing(folder)
    if do_lower_case is None:
        do_lower_case = looks_uncased(vocabulary) if said_lower is None else said_lower
    if strip_accents is None:
        strip_accents = do_lower_case if said_strip is None else said_strip
    return BertCheckpoint(config, tensors, vocabulary, do_lower_case, strip_accents, read_heads)


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
    for name in tensor_shapes(config):
        if name not in tensors:
            raise HubError(f"the weights lack the tensor {name}")
    return _checked(tensors, tensor_shapes(config))


def _checked_heads(tensors: dict[str, np.ndarray], config: BertConfig) -> dict[str, np.ndarray]:
    """Returns the tensors of output layers, each checked by its shape."""
    shapes = {name: shape for head in head_shapes(config).values() for name, shape in head.items()}
    return _checked(tensors, {name: one for name, one in shapes.items() if name in tensors})


def _checked(
    tensors: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """Returns the tensors of these shapes in float32."""
    checked = {}
    for name, shape in shapes.items():
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
        checked[name] = tensors[name].astype(np.float32)
        if not np.isfinite(checked[name]).all():
            raise HubError(f"{name} holds a value that is not a number: the file is damaged")
    return checked
