"""`RunDirectory`: the folder of one run, with its lock and its files."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasnlp_lab.errors import RunError
from kerasnlp_lab.paths import (
    check_new,
    did_you_mean_path,
    explain_os_error,
    our_command,
    user_path,
    write_whole,
)
from kerasnlp_lab.zoo.registry import find_model

__all__ = ["RunDirectory", "package_versions"]

LOCK_FILE = ".lock"
# The parts of a configuration that may change before a run is resumed.
MAY_DIFFER = ("versions", "strategy", "checkpoint_every")
# Runs of version 0.1.0 name no task, and no folds.
BEFORE_TASKS: dict[str, Any] = {"task": "classification", "folds": 0}
_PACKAGES = (
    "kerasnlp_lab",
    "tensorflow",
    "tensorflow-text",
    "tensorflow-hub",
    "tensorflow-datasets",
    "tf-models-official",
    "tf_keras",
    "scikit-learn",
    "numpy",
)


def package_versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that affect results."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **versions}


@dataclass(frozen=True)
class RunDirectory:
    """The folder of one run.

    It holds config.json (everything needed to repeat the run), history.csv, tensorboard/,
    checkpoints/ (during the training), model/ (the trained classifier) and the evaluation:
    metrics.json, predictions.csv, plots and report.html. metrics.json is written last, so an
    unfinished run has none.
    """

    path: Path

    @classmethod
    def create(cls, path: str | Path, config: dict[str, Any]) -> RunDirectory:
        """Creates the folder and writes config.json.

        Raises RunError if the folder is not empty, and StorageError if it cannot be written.
        """
        path = user_path(path)
        check_new(path, "name another --output")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain_os_error(error, path) from error
        run = cls(path)
        run.write_json("config.json", config)
        return run

    @classmethod
    @contextlib.contextmanager
    def claim(cls, path: str | Path, config: dict[str, Any]) -> Iterator[RunDirectory]:
        """Locks a new run, or an unfinished one with the same configuration, for this process.

        When the block ends without an error, the lock and the checkpoints are removed.

        Args:
            path: The folder.
            config: The configuration, for config.json.

        Yields:
            The run.

        Raises:
            RunError: The folder holds something else, or another process has locked it.
            StorageError: The folder cannot be written.
        """
        run = cls(user_path(path))
        try:
            if not ((run.path / "config.json").is_file() or run._has_only_leftovers()):
                check_new(run.path, "name another --output")  # before writing anything
            run.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(run.path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise explain_os_error(error, run.path) from error
        try:
            run._lock(lock)
            run._remove_parts()
            if run.unfinished:
                run._check_same(config)
            else:
                if any(not file.name.startswith(".") for file in run.path.iterdir()):
                    (run.path / LOCK_FILE).unlink(missing_ok=True)
                    raise RunError(f"{path} already exists; remove it, or name another --output")
                run.write_json("config.json", config)
            yield run
            run.tidy()
        finally:
            os.close(lock)

    def tidy(self) -> None:
        """Removes the files that a finished run no longer needs."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        (self.path / LOCK_FILE).unlink(missing_ok=True)

    def _has_only_leftovers(self) -> bool:
        """Returns whether the folder holds only leftovers of a process that was killed early."""
        return self.path.is_dir() and all(
            file.name == LOCK_FILE or file.name.endswith(".part") for file in self.path.iterdir()
        )

    def _remove_parts(self) -> None:
        """Removes the half-written files of a process that was killed."""
        for part in self.path.glob(".*.part"):
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)

    def _lock(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a lock dies with its process
        except BlockingIOError as error:
            raise RunError(
                f"another process is training into {self.path}; wait for it, stop it, or name "
                "another --output"
            ) from error
        except OSError as error:  # a file system without locks
            raise explain_os_error(error, self.path / LOCK_FILE) from error

    def _check_same(self, config: dict[str, Any]) -> None:
        """Raises RunError unless the unfinished run here has the same configuration.

        The same rows may come from another place: config.json then names that one.
        """
        before = BEFORE_TASKS | self.read_json("config.json")
        now = json.loads(json.dumps(BEFORE_TASKS | config))  # as json reads it back
        if "model" in before and "model" in now:  # perhaps of a version with fewer options
            added = find_model(now["model"]["name"]).options.added_since
            before["model"]["options"] = added | before["model"]["options"]
        moved = [name for name in ("dataset", "distillation") if _moved(name, before, now)]
        if "distillation" in moved:  # embeddings may start from the teacher's
            options, teacher = before["model"]["options"], before["distillation"]["teacher"]
            if options.get("word_vectors") == teacher:
                options["word_vectors"] = now["distillation"]["teacher"]
        before |= {name: now[name] for name in moved}
        for name in [*now, "distillation"]:
            if name not in MAY_DIFFER and before.get(name) != now.get(name):
                command = "pretrain" if "pretraining" in before else "train"
                difference = _difference(name, before.get(name), now.get(name))
                raise RunError(
                    f"{self.path} holds an unfinished run with {difference}; name another "
                    f"--output, or resume it with {our_command(command, '--resume', self.path)}"
                )
        if moved:
            self.write_json("config.json", before)

    @property
    def unfinished(self) -> bool:
        """Whether a run was started here and did not finish."""
        written = (self.path / "config.json").is_file()
        return written and not (self.path / "metrics.json").is_file()

    @classmethod
    def open(cls, path: str | Path) -> RunDirectory:
        """Opens the folder of a finished run.

        Raises RunError if the folder is not a run directory, is a pre-training, or did not finish.
        """
        path = user_path(path)
        if not path.exists():
            raise RunError(f"there is no run directory {path}{did_you_mean_path(path)}")
        if not (path / "config.json").is_file():
            raise RunError(f"{path} is not a run directory: it has no config.json")
        if "pretraining" in cls(path).read_json("config.json"):
            raise RunError(
                f"{path} is a pre-training, which answers nothing by itself: fine-tune it with "
                f"{our_command('train', '--model', path)}, and open the run that this writes"
            )
        if not (path / "metrics.json").is_file():
            raise RunError(
                f"the run in {path} did not finish: it has no metrics.json; resume it with "
                f"{our_command('train', '--resume', path)}"
            )
        return cls(path)

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        """The folder of the trained classifier."""
        return self.path / "model"

    def read_json(self, name: str) -> dict[str, Any]:
        """Reads a JSON file of the run; raises RunError if it is missing or damaged."""
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise RunError(f"cannot read {self.path / name}: {error}") from error

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Writes a JSON file, whole or not at all; raises StorageError if it cannot be written."""
        write_whole(self.path / name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def model_bytes(self) -> int:
        """Returns the size of the trained classifier's files, in bytes."""
        return sum(file.stat().st_size for file in self.model.rglob("*") if file.is_file())


def _moved(name: str, before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Returns whether a part has the same content, by its fingerprint, and another description."""
    one, other = (config.get(name, {}) for config in (before, now))
    return one != other and one.get("fingerprint", "") == other.get("fingerprint")


def _difference(name: str, before: Any, now: Any) -> str:
    """Returns the first value in which two parts of a configuration differ, by its name."""
    if name == "distillation" and None in (before, now):
        return "no teacher" if before is None else f"the teacher {before['teacher']}"
    if isinstance(before, dict) and isinstance(now, dict):
        for key in now:
            if before.get(key) != now[key]:
                return _difference(f"{name} {key}", before.get(key), now[key])
    return f"{name} = {before!r}, not {now!r}"
