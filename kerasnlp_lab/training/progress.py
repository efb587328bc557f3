"""`Progress`: shows the progress of an epoch on the terminal."""

from __future__ import annotations

import time
from typing import Any

import rich.console
import rich.progress

__all__ = ["Progress", "progress_bar"]


def progress_bar(
    console: rich.console.Console | None, *columns: rich.progress.ProgressColumn
) -> rich.progress.Progress:
    """Returns a bar with more columns before the time left, which only a terminal shows."""
    return rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        *columns,
        rich.progress.TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=console is None or not console.is_terminal,
    )


class Progress:
    """On a terminal, a bar with rate and time left; everywhere, a line for each epoch."""

    def __init__(self, console: rich.console.Console | None, batch_size: int, unit: str = "texts"):
        self.console, self.batch_size, self.unit = console, batch_size, unit
        self._bar: rich.progress.Progress | None = None

    def begin(self, name: str, steps: int, done: int) -> None:
        """Shows the bar of an epoch of `steps` steps, `done` of which are done."""
        if self.console is None or not self.console.is_terminal:
            return
        rates = rich.progress.TextColumn(f"{{task.fields[rate]:.0f}} {self.unit}/s")
        self._bar = progress_bar(self.console, rates)
        self._task = self._bar.add_task(f"  {name}", total=steps, completed=done, rate=0.0)
        self._bar.start()
        self._began, self._first = time.perf_counter(), done

    def step(self, done: int) -> None:
        """Moves the bar to `done` steps."""
        if self._bar is not None:
            texts = (done - self._first) * self.batch_size
            rate = texts / (time.perf_counter() - self._began)
            self._bar.update(self._task, completed=done, rate=rate)

    def end(self, epoch: int, line: dict[str, Any]) -> None:
        """Removes the bar and prints the epoch's line of history."""
        self.close()
        rate = line["texts_per_second"]  # 0 if the only call was the one that builds the graph
        speed = f"  {rate:.0f} {self.unit}/s" if rate else ""
        validation = "".join(
            f"  {name} {value:.4f}" for name, value in line.items() if name.startswith("val_")
        )
        self.say(
            f"{line['phase']:9} epoch {epoch:2}  loss {line['loss']:.4f}{validation}"
            f"  {line['seconds']:.1f} s{speed}"
        )

    def say(self, words: str) -> None:
        """Prints a line."""
        if self.console is not None:
            self.console.print(f"  {words}", markup=False, highlight=False)

    def close(self) -> None:
        """Removes the bar from the terminal."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
