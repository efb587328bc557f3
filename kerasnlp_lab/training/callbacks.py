"""What happens around the steps of a fit: progress, history, the best weights."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich.console
import rich.progress

from kerasnlp_lab._keras import keras
from kerasnlp_lab.paths import write_whole

__all__ = ["BestWeights", "History", "Progress"]


class History(keras.callbacks.Callback):
    """Writes a line an epoch to a CSV file, and measures the speed of training.

    Seconds and texts a second are those of the training steps alone: without
    validation and, since TensorFlow builds its graph in it, without what is first
    executed in a phase.

    Args:
        path: The CSV file.
        batch_size: Rows in a global batch.
    """

    def __init__(self, path: Path, batch_size: int):
        super().__init__()
        self.path = path
        self.batch_size = batch_size
        self.phase = ""
        self.lines: list[dict[str, Any]] = []
        self.timed_texts = 0
        self.timed_seconds = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.timed_texts, self.timed_seconds = 0, 0.0  # the last phase's speed is told

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch_began = self._measured_from = self._step_ended = time.perf_counter()
        self._steps_before = None if epoch == 0 else 0
        self._steps = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._step_ended = time.perf_counter()
        self._steps = batch + 1
        if self._steps_before is None:
            self._steps_before, self._measured_from = self._steps, self._step_ended

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        seconds = self._step_ended - self._measured_from
        texts = (self._steps - (self._steps_before or 0)) * self.batch_size
        self.timed_texts += texts
        self.timed_seconds += seconds
        self.add(
            {
                "phase": self.phase,
                **(logs or {}),
                "seconds": time.perf_counter() - self._epoch_began,
                "texts_per_second": texts / seconds if texts else 0.0,
            }
        )

    def add(self, line: dict[str, Any]) -> None:
        """Adds a line and writes the file."""
        self.lines.append({"epoch": len(self.lines) + 1, **line})
        columns = list(dict.fromkeys(column for line in self.lines for column in line))
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.lines)
        write_whole(self.path, buffer.getvalue())


class BestWeights(keras.callbacks.Callback):
    """Saves the weights whenever the validation loss is lower than ever before.

    Its ``save``, which keeps the weights, may be another in each phase.
    """

    def __init__(self) -> None:
        super().__init__()
        self.save: Callable[[], None] = lambda: None
        self.best_loss = float("inf")
        self.best_epoch = 0
        self._epochs = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epochs += 1
        loss = (logs or {}).get("val_loss", float("inf"))
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, self._epochs
            self.save()


class Progress(keras.callbacks.Callback):
    """A bar with rate and time left on a terminal; a line an epoch anywhere.

    Args:
        console: Where to show it; None for nowhere.
        steps_per_epoch: Steps an epoch.
        history: Whose phase and speed to show.
    """

    def __init__(
        self, console: rich.console.Console | None, steps_per_epoch: int, history: History
    ):
        super().__init__()
        self.console = console
        self.steps_per_epoch = steps_per_epoch
        self.history = history
        self._bar: rich.progress.Progress | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self.console is None or not self.console.is_terminal:
            return
        self._bar = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("{task.fields[rate]:.0f} texts/s"),
            rich.progress.TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        name = f"  {self.history.phase} epoch {epoch + 1}"
        self._task = self._bar.add_task(name, total=self.steps_per_epoch, rate=0.0)
        self._bar.start()
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self._bar is not None:
            texts = (batch + 1) * self.history.batch_size
            rate = texts / (time.perf_counter() - self._began)
            self._bar.update(self._task, completed=batch + 1, rate=rate)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.close()
        if self.console is None:
            return
        line = self.history.lines[-1]
        self.console.print(
            f"  {line['phase']:9} epoch {epoch + 1:2}  loss {line['loss']:.4f}"
            f"  val_loss {line['val_loss']:.4f}  val_accuracy {line['val_accuracy']:.4f}"
            f"  {line['seconds']:.1f} s  {line['texts_per_second']:.0f} texts/s",
            highlight=False,
        )

    def close(self) -> None:
        """Takes the bar off the terminal."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
