"""`Checkpoints`: the files from which a stopped training resumes."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from kerasnlp_lab.errors import RunError, StorageError
from kerasnlp_lab.paths import explain_os_error, whole_file

__all__ = ["Checkpoints", "arrays_sha256"]

KEPT = 2


class Checkpoints:
    """Safetensors files in a folder, each with arrays, a state, and a hash of both.

    Keeps only the two newest checkpoints and the files of best weights that they name. A process
    that does not write keeps the best weights in memory, and reads the checkpoints of another.
    """

    def __init__(self, folder: Path, *, writes: bool = True):
        self.folder = folder
        self.writes = writes
        self._in_memory: dict[str, dict[str, np.ndarray]] = {}
        if writes:  # remove files that a killed process has left half written
            for file in folder.glob(".*.part"):
                file.unlink()

    def save(self, number: int, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        """Writes a checkpoint, then removes older ones that are no longer needed.

        Args:
            number: The number of steps so far; higher than in the checkpoints before.
            arrays: The arrays by name.
            state: A JSON-compatible state; its ``best_file`` names a file of best weights.

        Raises:
            StorageError: The checkpoint cannot be written; older ones are unchanged.
        """
        if self.writes:
            path = self.folder / f"step-{number:012d}.safetensors"
            self._write(path, arrays, state)
            for file in self._files():  # broken ones, newer than the one resumed from
                if file.name > path.name:
                    file.unlink()
            self._remove_unneeded(state["best_file"])

    def save_best(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Writes the best weights so far; raises StorageError if they cannot be written."""
        if self.writes:
            self._write(self.folder / name, arrays, {})
            self._remove_unneeded(name)
        else:
            self._in_memory = {name: dict(arrays)}

    @property
    def saved(self) -> bool:
        """Whether there is a checkpoint."""
        return bool(self._files())

    def newest(self) -> tuple[dict[str, np.ndarray], dict[str, Any], list[str]] | None:
        """Returns the newest intact checkpoint; None if there is no checkpoint at all.

        It is arrays, a state, and a message for each newer checkpoint, which is broken. Raises
        RunError if all are broken.
        """
        broken: list[str] = []
        for file in reversed(self._files()):
            try:
                arrays, state = _read(file)
                if state["best_file"]:
                    _read(self.folder / state["best_file"])
                return arrays, state, broken
            except RunError as error:
                broken.append(str(error))
        if broken:
            raise RunError(f"no checkpoint can be used: {'; '.join(broken)}; train again")
        return None

    def best(self, name: str) -> dict[str, np.ndarray]:
        """Returns what `save_best` has written; raises RunError if it is missing or altered."""
        if name in self._in_memory:
            return self._in_memory[name]
        return _read(self.folder / name)[0]

    def remove(self) -> None:
        """Removes all checkpoints once the run is finished."""
        if self.writes:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.safetensors"))

    def _remove_unneeded(self, best_file: str) -> None:
        files = self._files()
        for file in files[:-KEPT]:
            file.unlink()
        needed = {best_file, *(_state(file).get("best_file") for file in files[-KEPT:])}
        for file in self.folder.glob("best-*.safetensors"):
            if file.name not in needed:
                file.unlink()

    def _write(
        self, path: Path, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]
    ) -> None:
        whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        text = json.dumps(state)
        metadata = {"state": text, "sha256": arrays_sha256(whole, text)}
        with whole_file(path) as temporary:
            try:
                safetensors.numpy.save_file(whole, temporary, metadata)
            except safetensors.SafetensorError as error:  # such as a full disk, reported by Rust
                raise _storage_error(error, path) from error


def _storage_error(error: Exception, path: Path) -> StorageError:
    message = str(error)
    number = int(message.partition("os error ")[2].partition(")")[0] or 0)
    return explain_os_error(OSError(number, message), path)


def _state(path: Path) -> dict[str, Any]:
    try:
        with safetensors.safe_open(path, "numpy") as file:
            return json.loads(file.metadata()["state"])
    except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError):
        return {}  # a broken file; reading it raises the error


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        with safetensors.safe_open(path, "numpy") as file:
            metadata = file.metadata()
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text, sha256 = metadata["state"], metadata["sha256"]
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing") from error
    except (OSError, safetensors.SafetensorError, KeyError, TypeError) as error:
        raise RunError(f"{path} is broken: {error}") from error
    if arrays_sha256(arrays, text) != sha256:
        raise RunError(f"{path} has been altered since it was written")
    return arrays, json.loads(text)


def arrays_sha256(arrays: Mapping[str, np.ndarray], text: str = "") -> str:
    """Returns the SHA-256 of arrays, their names, and a text, as hex digits."""
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"\0{name} {array.dtype} {array.shape}\0".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return digest.hexdigest()
