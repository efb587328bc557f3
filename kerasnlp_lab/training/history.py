"""`History`: records a line for each epoch, in history.csv and for TensorBoard."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from kerasnlp_lab.paths import write_whole

__all__ = ["History"]


class History:
    """The lines of a training so far; each is written into the folder, if any, when it is added.

    `lines` are those of a training that is being resumed.
    """

    def __init__(self, folder: Path | None, lines: list[dict[str, Any]] | None = None):
        self.folder = folder
        self.lines: list[dict[str, Any]] = []
        self._writers: dict[Path, tf.summary.SummaryWriter] = {}
        for line in lines or []:
            self.add(line)

    @staticmethod
    def clear(folder: Path) -> None:
        """Removes the files of an earlier process, which may be ahead of its checkpoint."""
        (folder / "history.csv").unlink(missing_ok=True)
        shutil.rmtree(folder / "tensorboard", ignore_errors=True)

    def add(self, line: dict[str, Any]) -> None:
        """Adds a line and numbers it: ``epoch`` counts over all phases, from 1."""
        self.lines.append({"epoch": len(self.lines) + 1} | line)
        if self.folder is not None:
            self._write_csv(self.folder / "history.csv")
            self._write_scalars(self.folder / "tensorboard" / line["phase"], self.lines[-1])

    def _write_csv(self, path: Path) -> None:
        columns = list(dict.fromkeys(column for line in self.lines for column in line))
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.lines)
        write_whole(path, buffer.getvalue())

    def _write_scalars(self, folder: Path, line: dict[str, Any]) -> None:
        if "loss" not in line:  # a solver's line is an attempt, not an epoch
            return
        validation = [name for name in line if name.startswith("val_")]
        train = [name.removeprefix("val_") for name in validation]
        for part, names in (("train", train), ("validation", validation)):
            path = folder / part
            if path not in self._writers:
                self._writers[path] = tf.summary.create_file_writer(str(path))
            with self._writers[path].as_default(step=line["epoch"]):
                for name in names:
                    tf.summary.scalar(f"epoch_{name.removeprefix('val_')}", line[name])
            self._writers[path].flush()
