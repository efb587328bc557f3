"""`claim_run`: locks a run directory, and says what is resumed there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rich.console
import tensorflow as tf

from kerasnlp_lab.paths import user_path
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.training.strategy import is_chief

__all__ = ["claim_run", "say"]


@contextlib.contextmanager
def claim_run(
    output: str | Path,
    record: dict[str, Any],
    strategy: tf.distribute.Strategy,
    console: rich.console.Console | None,
) -> Iterator[RunDirectory]:
    """Yields the run directory; with several workers, only the chief claims it."""
    if not is_chief(strategy):
        yield RunDirectory(user_path(output))
        return
    run = RunDirectory(user_path(output))
    before = run.read_json("config.json") if run.unfinished else None
    with RunDirectory.claim(output, record) as run:
        if before is not None and console is not None:
            _print_resumed(run, before, record, console)
        yield run


def _print_resumed(
    run: RunDirectory,
    before: dict[str, Any],
    record: dict[str, Any],
    console: rich.console.Console,
) -> None:
    say(console, f"resuming the run in {run.path}")
    if not any(run.checkpoints.rglob("step-*")):
        say(console, "it has no checkpoint, so it starts from the beginning")
    if before["dataset"]["source"] != record["dataset"]["source"]:
        say(console, f"its rows are now read from {record['dataset']['source']}")
    for name in ("versions", "strategy"):
        if before[name] != record[name]:
            say(
                console,
                f"the run was started with other {name}: the result may differ in the last digits",
            )


def say(console: rich.console.Console | None, line: str) -> None:
    """Prints an indented line, if there is a console."""
    if console is not None:
        console.print(f"  {line}", markup=False, highlight=False)
