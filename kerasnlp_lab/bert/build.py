"""`build_bert_modules`: a TF Hub preprocessing module and encoder out of a BERT's weights."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.checkpoint import BertCheckpoint, read_checkpoint
from kerasnlp_lab.bert.encoder import bert_encoder, precision_policy, set_tensors
from kerasnlp_lab.bert.preprocessing import export_preprocessing
from kerasnlp_lab.errors import HubError

__all__ = ["BUILD", "build_bert_modules", "build_in_a_process", "write_encoder"]


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
        do_lower_case: Whether texts are lower-cased; None for what the files say.
        strip_accents: Whether texts lose their accents; None for what the files say.
        as_on_tfhub: Whether to do as the modules on TF Hub, where they differ from what
            the files say: GELU by tanh, and tensorflow_text's BertTokenizer.

    Raises:
        HubError: The checkpoint is not a BERT's, or its weights do not fit its config.

    Source: https://www.tensorflow.org/hub/common_saved_model_apis/text; the
    interface is that of ``official.nlp.tools.export_tfhub_lib``.
    """
    read = read_checkpoint(checkpoint, do_lower_case=do_lower_case, strip_accents=strip_accents)
    if as_on_tfhub and read.config.activation == "gelu":
        config = dataclasses.replace(read.config, activation="gelu_tanh")
        read = dataclasses.replace(read, config=config)
    target = Path(target)
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
    """Writes an encoder with TF Hub's interface, out of a checkpoint in memory, into a folder."""
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


def _write_vocabulary(checkpoint: BertCheckpoint, folder: str) -> Path:
    vocab_file = Path(folder, "vocab.txt")
    vocab_file.write_text("\n".join(checkpoint.vocabulary) + "\n", encoding="utf-8")
    return vocab_file


BUILD = 3  # to be raised when something else is built of the same files

# A module keeps the seed that its dropout was built with. A process of its own gives every
# machine the same one, and leaves the caller's random numbers where they were.
_BUILD = """
import sys
from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import HubError
from kerasnlp_lab.bert.build import build_bert_modules
keras.utils.set_random_seed(0)
choices = {"True": True, "False": False, "None": None}
checkpoint, target, do_lower_case, strip_accents, as_on_tfhub = sys.argv[1:]
try:
    build_bert_modules(
        checkpoint,
        target,
        do_lower_case=choices[do_lower_case],
        strip_accents=choices[strip_accents],
        as_on_tfhub=choices[as_on_tfhub],
    )
except HubError as error:
    print(error, file=sys.stderr)
    sys.exit(3)
"""


def build_in_a_process(
    checkpoint: str | Path,
    target: str | Path,
    *,
    do_lower_case: bool | None = None,
    strip_accents: bool | None = None,
    as_on_tfhub: bool = False,
) -> None:
    """Does as `build_bert_modules`, in a process of its own: the same everywhere.

    Raises:
        HubError: The checkpoint cannot be built.
    """
    arguments = [checkpoint, target, do_lower_case, strip_accents, as_on_tfhub]
    result = subprocess.run(
        # -P: not a Python file of the folder that it is called in, which may be the checkpoint's.
        [sys.executable, "-P", "-c", _BUILD, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        if result.returncode < 0:
            reason = f"ended by signal {-result.returncode}, perhaps for want of memory"
        whole = reason if result.returncode == 3 else f"cannot build modules ({reason})"
        raise HubError(whole)
