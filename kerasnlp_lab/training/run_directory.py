"""`RunDirectory`: what a run leaves, and where."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasnlp_lab.errors import RunError
from kerasnlp_lab.paths import check_new, explain_os_error, write_whole

__all__ = ["RunDirectory", "package_versions"]

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
    """Returns the version of Python and of each package that a result depends on."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **versions}


@dataclass(frozen=True)
class RunDirectory:
    """The folder of one run.

    config.json (all that is needed to repeat it), history.csv, tensorboard/,
    model/ (the trained classifier), then evaluation: metrics.json,
    predictions.csv, plots and report.html. metrics.json is written last: where
    it is missing, the run did not finish.
    """

    path: Path

    @classmethod
    def create(cls, path: str | Path, config: dict[str, Any]) -> RunDirectory:
        """Makes the folder and writes config.json.

        Raises:
            RunError: There is something in the folder already.
            StorageError: It cannot be written.
        """
        path = Path(path)
        check_new(path, "name another --output")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain_os_error(error, path) from error
        run = cls(path)
        run.write_json("config.json", config)
        return run

    @classmethod
    def open(cls, path: str | Path) -> RunDirectory:
        """Opens the folder of a finished run.

        Raises:
            RunError: It is no run directory, or the run did not finish.
        """
        path = Path(path)
        if not (path / "config.json").is_file():
            raise RunError(f"{path} is not a run directory: it has no config.json")
        if not (path / "metrics.json").is_file():
            raise RunError(f"the run in {path} did not finish: it has no metrics.json; train again")
        return cls(path)

    @property
    def model(self) -> Path:
        """The folder of the trained classifier."""
        return self.path / "model"

    def read_json(self, name: str) -> dict[str, Any]:
        """Returns what a JSON file of the run holds.

        Raises:
            RunError: It is missing or damaged.
        """
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise RunError(f"cannot read {self.path / name}: {error}") from error

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Writes a JSON file, whole or not at all."""
        write_whole(self.path / name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def model_bytes(self) -> int:
        """Returns the size of the trained classifier's files, in bytes."""
        return sum(file.stat().st_size for file in self.model.rglob("*") if file.is_file())
