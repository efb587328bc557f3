"""`verify_modules`: checks that each cached module is whole and can be called."""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab.bert.loading import load_hub_layer, load_preprocessing
from kerasnlp_lab.errors import HubError, first_line
from kerasnlp_lab.hub.catalogue import entries
from kerasnlp_lab.hub.handles import TFHUB, parse_handle, tfhub_cache_dir
from kerasnlp_lab.hub.module_files import check_module, read_manifest
from kerasnlp_lab.paths import cache_dir

__all__ = ["SENTENCE", "Verified", "cached_modules", "verify_modules"]

SENTENCE = "I love transformers"
# [CLS] i love transformers [SEP] in BERT's English vocabulary, for an encoder whose
# preprocessing is not here.
_IDS = [101, 1045, 2293, 19081, 102]


@dataclass(frozen=True)
class Verified:
    """The result of checking one cached module.

    `answer` is its output for `SENTENCE`: ids of word pieces, or the first numbers and the
    Euclidean norm of pooled_output.
    """

    handle: str  # its address, or the folder's name if the address is unknown
    folder: Path
    whole: bool  # whether its files are all there and as they were written
    works: bool  # whether it could be called
    answer: str
    problem: str  # "" for none


def cached_modules() -> dict[Path, str]:
    """Returns the folders of all modules on this machine, and the handle of each."""
    addresses = [f"{TFHUB}/{name}/{v}" for name in entries() for v in range(1, 6)]
    known = {hashlib.sha1(a.encode("utf-8")).hexdigest(): a for a in addresses}
    modules: dict[Path, str] = {}
    cache = tfhub_cache_dir()
    for folder in sorted(cache.iterdir()) if cache.is_dir() else []:
        if re.fullmatch(r"[0-9a-f]{40}", folder.name) and not folder.is_symlink():
            modules[folder] = _handle(folder, known)
    for folder in sorted((cache_dir() / "modules").glob("[!.]*")):
        for part in ("preprocess", "encoder"):
            modules[folder / part] = f"{folder.name}/{part}"
    return modules


def _handle(folder: Path, known: dict[str, str]) -> str:
    try:
        if manifest := read_manifest(folder):
            return manifest["handle"]
        descriptor = folder.with_name(f"{folder.name}.descriptor.txt")  # TF Hub's own note
        found = re.search(r"https?://\S+", descriptor.read_text(encoding="utf-8"))
        return found[0].rstrip(",") if found else folder.name
    except (HubError, OSError, ValueError):
        return known.get(folder.name, folder.name)


def verify_modules() -> list[Verified]:
    """Checks every cached module: each byte, then a call.

    Calling a module runs the graph in it: do so with modules of publishers you trust.
    """
    return [_verify(folder, handle) for folder, handle in cached_modules().items()]


def _verify(folder: Path, handle: str) -> Verified:
    try:
        check_module(folder)
    except HubError as error:
        return Verified(handle, folder, False, False, "", str(error))
    try:
        return Verified(handle, folder, True, True, _ask(folder, handle), "")
    except Exception as error:  # a module may raise anything when it is called
        problem = f"whole, but cannot be called ({first_line(error)})"
        return Verified(handle, folder, True, False, "", problem)


def _ask(folder: Path, handle: str) -> str:
    module = load_hub_layer(str(folder))
    if hasattr(module.resolved_object, "bert_pack_inputs"):
        inputs = module(tf.constant([SENTENCE]))
        real = inputs["input_mask"][0].numpy() > 0
        return "ids " + " ".join(map(str, inputs["input_word_ids"][0].numpy()[real]))
    dtypes = _dtypes_taken(module)
    if dtypes == {tf.string}:  # as nnlm and the Universal Sentence Encoder do
        outputs = module(tf.constant([SENTENCE]))
        name, output = "vector", outputs["default"] if isinstance(outputs, dict) else outputs
    elif dtypes and all(dtype.is_floating for dtype in dtypes - {tf.bool}):  # images, say
        return "takes neither texts nor word ids: not called"
    else:
        outputs = module(_encoder_inputs(folder, handle))
        name, output = "pooled_output", outputs["pooled_output"]
    vector = np.asarray(output[0], np.float32)
    if not np.isfinite(vector).all():
        raise HubError(f"{name} is not finite")
    start = " ".join(f"{value:+.4f}" for value in vector[:3])
    return f"{name} {start} ..., norm {np.linalg.norm(vector):.4f}"


def _dtypes_taken(module: Any) -> set[tf.DType]:
    """Returns the dtypes of a module's inputs, or none if it does not declare them."""
    called = getattr(module.resolved_object, "__call__", None)  # noqa: B004  # the function itself
    return {
        spec.dtype
        for function in getattr(called, "concrete_functions", [])
        for spec in tf.nest.flatten(function.structured_input_signature)
        if isinstance(spec, tf.TensorSpec)
    }


def _encoder_inputs(folder: Path, handle: str) -> dict[str, Any]:
    """Returns the sentence as the encoder's own preprocessing module packs it, if present."""
    beside = folder.parent / "preprocess" if folder.name == "encoder" else None
    if handle.startswith(TFHUB) and (companion := parse_handle(handle).preprocessing):
        beside = companion.folder
    if beside is not None and beside.is_dir():
        with contextlib.suppress(Exception):  # it has a line of its own
            check_module(beside)
            inputs = load_preprocessing(str(beside))(tf.constant([SENTENCE]))
            return {name: value[:, : len(_IDS) + 3] for name, value in inputs.items()}
    ids = tf.constant([_IDS], tf.int32)
    return {
        "input_word_ids": ids,
        "input_mask": tf.ones_like(ids),
        "input_type_ids": tf.zeros_like(ids),
    }
