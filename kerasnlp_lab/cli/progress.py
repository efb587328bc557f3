"""Progress bars for downloads on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import rich.console
import rich.progress

from kerasnlp_lab.hub.sources import Report

__all__ = ["transfer_progress"]


@contextmanager
def transfer_progress() -> Iterator[Report]:
    """Yields a callback for `install`, called with (name, bytes so far, bytes in total)."""
    console = rich.console.Console(stderr=True)
    columns = ("{task.description}", rich.progress.BarColumn(), rich.progress.DownloadColumn())
    tasks: dict[str, rich.progress.TaskID] = {}
    with rich.progress.Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:

        def report(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name.rpartition("/")[2][:40], total=total)
            progress.update(tasks[name], completed=done, total=total)

        yield report
