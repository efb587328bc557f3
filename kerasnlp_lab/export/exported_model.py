"""`ExportedModel`: an exported SavedModel, checked and opened, whose signatures can be called."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab.errors import RunError
from kerasnlp_lab.export.saved_model import INPUTS, MANIFEST
from kerasnlp_lab.paths import check_files
from kerasnlp_lab.tasks import Task, read_task

__all__ = ["ExportedModel"]


@dataclass(frozen=True)
class ExportedModel:
    """An export in memory.

    Args:
        folder: The export's folder.
        task: The task of the model.
        manifest: The content of assets.extra/manifest.json.
        loaded: TensorFlow's object for the SavedModel.
    """

    folder: Path
    task: Task
    manifest: dict[str, Any]
    loaded: Any

    @classmethod
    def open(cls, path: Path) -> ExportedModel:
        """Opens an export.

        Raises:
            RunError: The folder was not exported by this package, or a file is missing or altered.
        """
        import tensorflow_text  # noqa: F401  # registers the ops that the graph calls

        if not (path / MANIFEST).is_file():
            raise RunError(f"{path} has no {MANIFEST}: it was not exported by kerasnlp-lab export")
        try:
            manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
            task = read_task(manifest)
            tuple(manifest.get("pair") or ())
            check_files(path, manifest["sha256"], "export the run again")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RunError(
                f"{path / MANIFEST} is damaged ({error}); export the run again"
            ) from error
        return cls(path, task, manifest, tf.saved_model.load(str(path)))

    @property
    def pair(self) -> tuple[str, str] | None:
        """The names of the first and the second text, if the model answers pairs of texts."""
        return tuple(self.manifest.get("pair") or ()) or None

    def call(
        self, columns: Sequence[Sequence[bytes]], signature: str = "serving_default"
    ) -> dict[str, np.ndarray]:
        """Computes a signature's outputs.

        Args:
            columns: The texts of each input, equally many in each: of a pair, the first texts and
                the second texts.
            signature: The signature's name.

        Returns:
            The outputs by name, each with the texts as its first axis; see `export_classifier`.
        """
        given = {
            name: tf.constant(list(texts), tf.string, [len(texts)])
            for name, texts in zip(INPUTS, columns, strict=False)
        }
        outputs = self.loaded.signatures[signature](**given)
        return {name: tensor.numpy() for name, tensor in outputs.items()}
