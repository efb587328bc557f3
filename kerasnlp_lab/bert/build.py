"""`build_bert_modules`: TF Hub modules, preprocessing and encoder, from a BERT's weights."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.checkpoint import BertCheckpoint, read_checkpoint
from kerasnlp_lab.bert.encoder import bert_encoder, precision_policy, set_tensors
from kerasnlp_lab.bert.module_description import describe_module
from kerasnlp_lab.bert.preprocessing import export_preprocessing
from kerasnlp_lab.errors import HubError
from kerasnlp_lab.paths import user_path

__all__ = ["BUILD", "build_bert_modules", "build_in_a_process", "write_encoder"]

BUILD = 3  # raise it when something else is built from the same files
CANNOT_BE_BUILT = 3  # the exit status of `build_process` for a HubError


def build_bert_modules(
    checkpoint: str | Path,
    target: str | Path,
    *,
    do_lower_case: bool | None = None,
    strip_accents: bool | None = None,
    as_on_tfhub: bool = False,
) -> None:
    """Builds a preprocessing module and an encoder with TF Hub's interface.

    Args:
        checkpoint: A folder that `read_checkpoint` reads.
        target: The folder to write ``preprocess`` and ``encoder`` into.
        do_lower_case: Whether texts are lower-cased; None to follow the files.
        strip_accents: Whether texts lose their accents; None to follow the files.
        as_on_tfhub: Whether to follow the modules on TF Hub where they differ from the
            files: GELU by tanh, and tensorflow_text's BertTokenizer.

    Raises:
        HubError: The checkpoint is not a BERT's, or its weights do not fit its config.

    Source: https://www.tensorflow.org/hub/common_saved_model_apis/text; the
    interface is that of ``official.nlp.tools.export_tfhub_lib``.
    """
    read = read_checkpoint(
        checkpoint, do_lower_case=do_lower_case, strip_accents=strip_accents, heads=False
    )
    if as_on_tfhub and read.config.activation == "gelu":
        config = dataclasses.replace(read.config, activation="gelu_tanh")
        read = dataclasses.replace(read, config=config)
    target = user_path(target)
    with tempfile.TemporaryDirectory() as scratch:
        vocab_file = _write_vocabulary(read, scratch)
        export_preprocessing(
            target / "preprocess",
            vocab_file,
            do_lower_case=read.do_lower_case,
            strip_accents=read.strip_accents,
            max_length=read.config.max_position_embeddings,
            as_on_tfhub=as_on_tfhub,
        )
    write_encoder(read, target / "encoder")


def write_encoder(checkpoint: BertCheckpoint, target: Path) -> None:
    """Writes a checkpoint in memory into a folder, as an encoder with TF Hub's interface."""
    with precision_policy("float32"):
        encoder = bert_encoder(checkpoint.config)
        set_tensors(encoder, checkpoint.tensors)
        inputs = {tensor.name: tensor for tensor in encoder.inputs}
        outputs = encoder(inputs)
        outputs["default"] = outputs["pooled_output"]
        module = keras.Model(inputs, outputs)
    with tempfile.TemporaryDirectory() as scratch:
        module.vocab_file = tf.saved_model.Asset(str(_write_vocabulary(checkpoint, scratch)))
        module.do_lower_case = tf.Variable(checkpoint.do_lower_case, trainable=False)
        module.save(str(target), include_optimizer=False, save_format="tf")
    describe_module(target, checkpoint.config)


def _write_vocabulary(checkpoint: BertCheckpoint, folder: str) -> Path:
    vocab_file = Path(folder, "vocab.txt")
    vocab_file.write_text("\n".join(checkpoint.vocabulary) + "\n", encoding="utf-8")
    return vocab_file


def build_in_a_process(checkpoint: str | Path, target: str | Path, **options: bool | None) -> None:
    """Does the same as `build_bert_modules` in a process of its own: see `build_process`."""
    arguments = {"checkpoint": str(checkpoint), "target": str(target), **options}
    result = subprocess.run(
        # -P keeps Python from importing files of the current folder, perhaps the checkpoint's.
        [sys.executable, "-P", "-m", f"{__package__}.build_process", json.dumps(arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        if result.returncode < 0:
            reason = f"ended by signal {-result.returncode}, perhaps because memory ran out"
        known = result.returncode == CANNOT_BE_BUILT
        raise HubError(reason if known else f"cannot build modules ({reason})")
