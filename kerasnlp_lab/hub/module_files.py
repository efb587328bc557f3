"""A module's files: checks that they are whole, manifests, and locks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import tensorflow as tf

from kerasnlp_lab._internals import parse_saved_model
from kerasnlp_lab.bert.module_description import MANIFEST
from kerasnlp_lab.errors import HubError, IntegrityError, RunError, first_line
from kerasnlp_lab.paths import check_files, explain_os_error, sha256_of_files, write_whole

__all__ = [
    "check_module",
    "is_module",
    "is_preprocessing",
    "lock",
    "read_manifest",
    "remove_leftovers",
    "write_manifest",
]

LOCK_TIMEOUT = 3600.0  # seconds; the other process is loading gigabytes


def is_module(folder: Path) -> bool:
    """Returns whether a folder claims to be a SavedModel."""
    return (folder / "saved_model.pb").is_file() or (folder / "saved_model.pbtxt").is_file()


def write_manifest(folder: Path, address: str, source: str) -> None:
    """Writes into a module where it came from, and the SHA-256 of each of its files."""
    (folder / MANIFEST).unlink(missing_ok=True)  # of the cache that the module was copied from
    content = {"handle": address, "source": source, "sha256": sha256_of_files(folder)}
    write_whole(folder / MANIFEST, json.dumps(content, indent=2) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Returns what `write_manifest` wrote, {} if nothing; raises IntegrityError if unreadable."""
    if not (folder / MANIFEST).is_file():
        return {}
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {
            "handle": str(manifest["handle"]),
            "source": str(manifest["source"]),
            "sha256": {str(name): str(sha256) for name, sha256 in manifest["sha256"].items()},
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{folder / MANIFEST} cannot be read ({first_line(error)})") from error


def check_module(folder: Path) -> None:
    """Checks that a SavedModel's files are all there and as they were written.

    This parses the graph, reads every tensor (TensorFlow compares its CRC-32C), looks for the
    assets that the graph names and, if there is a manifest, compares the SHA-256 of every file.
    Nothing in the module is executed. Raises HubError if it is not a SavedModel, and IntegrityError
    if a file is missing, cut short or altered.
    """
    if not folder.is_dir() or not is_module(folder):
        found = sorted(path.name for path in folder.iterdir())[:5] if folder.is_dir() else []
        raise HubError(f"{folder} has no saved_model.pb; found {', '.join(found) or 'nothing'}")
    manifest = read_manifest(folder)
    try:
        check_files(folder, manifest.get("sha256", {}), "install it again")
    except RunError as error:
        raise IntegrityError(str(error)) from error
    _check_assets(folder)
    _check_variables(folder)


def is_preprocessing(folder: Path) -> bool:
    """Returns whether a whole SavedModel has TF Hub's interface of a preprocessing module."""
    graph = parse_saved_model(folder).meta_graphs[0].object_graph_def
    children = graph.nodes[0].children if graph.nodes else []
    return any(child.local_name == "bert_pack_inputs" for child in children)


def _check_assets(folder: Path) -> None:
    try:
        model = parse_saved_model(folder)
    except (OSError, tf.errors.OpError, ValueError) as error:
        raise IntegrityError(f"{folder}/saved_model.pb is damaged ({first_line(error)})") from error
    if not model.meta_graphs:
        raise IntegrityError(f"{folder}/saved_model.pb is empty")
    for graph in model.meta_graphs:
        for asset in graph.asset_file_def:
            if not (folder / "assets" / asset.filename).is_file():
                raise IntegrityError(f"{folder}/assets/{asset.filename} is missing")
    if model.meta_graphs[0].object_graph_def.ByteSize() and not (folder / "variables").is_dir():
        raise IntegrityError(f"{folder}/variables is missing")


def _check_variables(folder: Path) -> None:
    variables = folder / "variables"
    if not variables.is_dir():
        return
    try:
        reader = tf.train.load_checkpoint(str(variables / "variables"))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:
        raise IntegrityError(
            f"{variables} is cut short or damaged ({first_line(error)})"
        ) from error


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keeps other processes from making the same folder; a killed process releases it.

    Raises HubError if another holds it for an hour, StorageError if its parent is not writable.
    """
    held = filelock.FileLock(folder.with_name(f".{folder.name}.lock"), timeout=LOCK_TIMEOUT)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        held.acquire()
    except filelock.Timeout as error:
        raise HubError(f"another process is busy with {folder}; wait for it, or end it") from error
    except OSError as error:
        raise explain_os_error(error, folder) from error
    try:
        yield
    finally:
        held.release()


def remove_leftovers(folder: Path) -> None:
    """Removes the leftovers of a killed process that made a folder; call it within `lock`."""
    for leftover in folder.parent.glob(f".{folder.name}.*.part"):
        shutil.rmtree(leftover, ignore_errors=True)
