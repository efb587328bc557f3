"""`write_checkpoint`: a BERT as the files that Hugging Face's transformers reads."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from kerasnlp_lab.bert.checkpoint import BertCheckpoint
from kerasnlp_lab.bert.config import config_as_json, head_shapes
from kerasnlp_lab.bert.vocabulary import tokenizer_files
from kerasnlp_lab.errors import StorageError, first_line
from kerasnlp_lab.paths import whole_directory, write_whole

__all__ = ["write_checkpoint"]


def write_checkpoint(checkpoint: BertCheckpoint, folder: str | Path) -> None:
    """Writes config.json, model.safetensors, vocab.txt and tokenizer_config.json into a new folder.

    With both output layers it is what Hugging Face's BertForPreTraining reads, with the one for
    pieces BertForMaskedLM, and else BertModel. `read_checkpoint` gives the same checkpoint again.

    Raises:
        RunError: The folder is not empty.
        StorageError: The folder cannot be written.
    """
    architecture = _architecture(checkpoint)
    config = {"architectures": [architecture], **config_as_json(checkpoint.config)}
    config["pad_token_id"] = checkpoint.vocabulary.index("[PAD]")
    prefix = "" if architecture == "BertModel" else "bert."
    tensors = {f"{prefix}{name}": value for name, value in checkpoint.tensors.items()}
    tensors |= checkpoint.heads
    files = tokenizer_files(
        checkpoint.vocabulary, checkpoint.do_lower_case, checkpoint.strip_accents
    )
    with whole_directory(folder) as target:
        write_whole(target / "config.json", json.dumps(config, indent=2) + "\n")
        for name, content in files.items():
            write_whole(target / name, content)
        try:
            save_file(
                {name: np.ascontiguousarray(value) for name, value in tensors.items()},
                target / "model.safetensors",
                metadata={"format": "pt"},  # without it, older transformers refuse the file
            )
        except SafetensorError as error:  # the disk is full, say
            raise StorageError(f"cannot write {folder}: {first_line(error)}") from error


def _architecture(checkpoint: BertCheckpoint) -> str:
    """Returns the class of transformers that has a checkpoint's output layers."""

    def has(names: Collection[str]) -> bool:
        return all(name in checkpoint.heads for name in names)

    words, sentence = head_shapes(checkpoint.config).values()
    if not has(words):
        return "BertModel"
    return "BertForPreTraining" if has(sentence) else "BertForMaskedLM"
