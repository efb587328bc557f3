"""A note in an encoder's module: the BERT's config, and hashes of the files it describes.

`reopen` reads the weights of such a module straight from its checkpoint. It need not load the
module's graph and try each activation.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasnlp_lab._internals import checkpoint_keys
from kerasnlp_lab.bert.config import SIZES, BertConfig, tensor_shapes
from kerasnlp_lab.bert.encoder import as_named_tensors
from kerasnlp_lab.errors import HubError, RunError, StorageError
from kerasnlp_lab.paths import cache_dir, check_files, sha256_of, write_whole

__all__ = ["MANIFEST", "describe_if_ours", "describe_module", "read_described_module"]

# Within assets.extra, which a SavedModel keeps free for what others want to add.
MANIFEST = "assets.extra/kerasnlp_lab.json"  # written by `install`, with a hash of each file
DESCRIPTION = "assets.extra/kerasnlp_lab_bert.json"
# What `reopen` sees in a module: not the rates of dropout, and not how weights were initialized.
_FIELDS = (*SIZES, "activation")


def describe_module(folder: Path, config: BertConfig) -> None:
    """Writes the note into a module whose graph is known to compute a BERT of this config.

    Raises StorageError if it cannot be written.
    """
    values = dataclasses.asdict(config)
    content = {
        "config": {name: values[name] for name in _FIELDS},
        "sha256": {name: sha256_of(folder / name) for name in _graph_and_weights(folder)},
    }
    write_whole(folder / DESCRIPTION, json.dumps(content, indent=2) + "\n")


def describe_if_ours(folder: Path, config: BertConfig) -> None:
    """Does the same for a module in a cache of ours; leaves all others, and full disks, alone."""
    folder = folder.resolve()
    is_built = folder.is_relative_to((cache_dir() / "modules").resolve())
    is_installed = re.fullmatch("[0-9a-f]{40}", folder.name) and (folder / MANIFEST).is_file()
    if is_built or is_installed:
        with contextlib.suppress(StorageError, OSError):
            describe_module(folder, config)


def read_described_module(folder: Path) -> tuple[BertConfig, dict[str, np.ndarray]] | None:
    """Returns the config of a module, and the weights as `named_tensors` gives them, by its note.

    None if there is no note, or if a file is not what it was when the note was written.
    """
    try:
        content = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        hashes = content["sha256"]
        if set(hashes) != set(_graph_and_weights(folder)):
            return None
        check_files(folder, hashes, "")
        config = BertConfig(**{name: content["config"][name] for name in _FIELDS})
        reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        dtypes = reader.get_variable_to_dtype_map()
        keys = {n: key for n, key in checkpoint_keys(reader).items() if dtypes[key].is_floating}
        tensors = as_named_tensors((name, reader.get_tensor(key)) for name, key in keys.items())
        fits = {name: one.shape for name, one in tensors.items()} == tensor_shapes(config)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    except (RunError, HubError, tf.errors.OpError, RuntimeError, IndexError):
        return None
    return (config, tensors) if fits else None


def _graph_and_weights(folder: Path) -> list[str]:
    variables = sorted(path.name for path in (folder / "variables").iterdir())
    return ["saved_model.pb", *(f"variables/{name}" for name in variables)]
