"""`load_hub_layer`: a TF Hub module as a Keras layer, with errors that say what to do."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_text  # noqa: F401  # registers the ops that preprocessing modules call

from kerasnlp_lab._internals import handle_of
from kerasnlp_lab.errors import HubError, first_line

__all__ = ["load_hub_layer", "load_preprocessing", "module_sha256"]


def load_hub_layer(handle: Any, **kwargs: Any) -> hub.KerasLayer:
    """Returns a module of TF Hub as a Keras layer.

    Args:
        handle: A tfhub.dev address, a folder with a SavedModel, or anything else that
            hub.KerasLayer takes.
        **kwargs: Passed on to hub.KerasLayer.

    Raises:
        HubError: The module cannot be fetched or read.
    """
    with _explained(handle):
        return hub.KerasLayer(handle, **kwargs)


def load_preprocessing(handle: str) -> Any:
    """Returns the object of a preprocessing module, which has no weights.

    Reading its graph takes longer than building a small BERT, so the classifiers of one process
    share it until its files change. Within the scope of a strategy each loads its own.

    Args:
        handle: A tfhub.dev address or a folder with a SavedModel.

    Raises:
        HubError: The module cannot be fetched or read.
    """
    if tf.distribute.has_strategy() or not tf.executing_eagerly():
        return load_hub_layer(handle).resolved_object
    with _explained(handle):
        folder = Path(hub.resolve(handle))
    files = [folder / "saved_model.pb", *sorted(folder.glob("assets/*"))]
    found = [(file, file.stat()) for file in files if file.exists()]
    versions = [(str(one), of.st_ino, of.st_size, of.st_mtime_ns) for one, of in found]
    return _load_once(handle, tuple(versions))


@functools.lru_cache(maxsize=2)
def _load_once(handle: str, versions: tuple[tuple[str, int, int, int], ...]) -> Any:
    return load_hub_layer(handle).resolved_object


@contextlib.contextmanager
def _explained(handle: Any) -> Iterator[None]:
    """Turns whatever goes wrong into a HubError that says what to do."""
    try:
        yield
    except Exception as error:  # urllib, tarfile, TensorFlow and OS errors, all of them
        places = (
            f"'kerasnlp-lab hub install {handle}' tries more places and says what each answered, "
        )
        raise HubError(
            f"cannot load {handle} ({first_line(error)}); TF Hub looks in TFHUB_CACHE_DIR "
            f"({os.environ.get('TFHUB_CACHE_DIR', 'not set')}) and then fetches: "
            f"{places if '://' in str(handle) else ''}"
            "'kerasnlp-lab hub verify' finds a module that was cut short"
        ) from error


def module_sha256(layer: hub.KerasLayer) -> str:
    """Returns the SHA-256 of the graph of a layer's module, as hex digits."""
    graph = Path(hub.resolve(handle_of(layer)), "saved_model.pb")
    return hashlib.sha256(graph.read_bytes()).hexdigest()
