"""A tiny BERT with random weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

TINY_VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] the a cat dog sat ran oil stock team game goal match chip "
    "code web war vote ##s ##ed ##ing . , ' !"
).split()


def write_tiny_checkpoint(
    folder: Path,
    *,
    vocabulary: Sequence[str] = TINY_VOCABULARY,
    hidden: int = 16,
    inner: int = 32,
    layers: int = 2,
    heads: int = 2,
    positions: int = 64,
    types: int = 2,
    activation: str = "gelu",
    heads_of_pretraining: bool = False,
) -> Path:
    """Writes a BERT with random weights in Hugging Face's format, and returns its folder.

    With `heads_of_pretraining` it is a BertForPreTraining, else a BertModel.
    """
    config = {
        "model_type": "bert",
        "vocab_size": len(vocabulary),
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "hidden_act": activation,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
    }
    rng = np.random.default_rng(0)
    tensors = {}

    def add(name: str, *shape: int) -> None:
        tensors[name] = rng.normal(0, 0.3, shape).astype(np.float32)

    def add_dense(name: str, inputs: int, outputs: int) -> None:
        add(f"{name}.weight", outputs, inputs)
        add(f"{name}.bias", outputs)

    def add_norm(name: str) -> None:
        add(f"{name}.weight", hidden)
        add(f"{name}.bias", hidden)

    add("embeddings.word_embeddings.weight", len(vocabulary), hidden)
    add("embeddings.position_embeddings.weight", positions, hidden)
    add("embeddings.token_type_embeddings.weight", types, hidden)
    add_norm("embeddings.LayerNorm")
    for layer in range(layers):
        prefix = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            add_dense(f"{prefix}.attention.self.{part}", hidden, hidden)
        add_dense(f"{prefix}.attention.output.dense", hidden, hidden)
        add_norm(f"{prefix}.attention.output.LayerNorm")
        add_dense(f"{prefix}.intermediate.dense", hidden, inner)
        add_dense(f"{prefix}.output.dense", inner, hidden)
        add_norm(f"{prefix}.output.LayerNorm")
    add_dense("pooler.dense", hidden, hidden)
    if heads_of_pretraining:
        tensors = {f"bert.{name}": value for name, value in tensors.items()}
        add_dense("cls.predictions.transform.dense", hidden, hidden)
        add_norm("cls.predictions.transform.LayerNorm")
        add("cls.predictions.bias", len(vocabulary))
        add_dense("cls.seq_relationship", hidden, 2)

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    save_file(tensors, folder / "model.safetensors")
    return folder


def build_beside(preprocess: Path, checkpoint: Path, folder: Path) -> None:
    """Builds a checkpoint's encoder beside a copy of a preprocessing module for its vocabulary.

    Writing the preprocessing module takes as long as the encoder, and it would be the same.
    """
    from kerasnlp_lab.bert.build import write_encoder
    from kerasnlp_lab.bert.checkpoint import read_checkpoint

    shutil.copytree(preprocess, folder / "preprocess")
    write_encoder(read_checkpoint(checkpoint, do_lower_case=True), folder / "encoder")
