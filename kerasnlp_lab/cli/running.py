"""What commands that train share: several workers, signals, and notes on what is kept."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from kerasnlp_lab.cli.interrupts import die_on_interrupt
from kerasnlp_lab.errors import TrainingStopped
from kerasnlp_lab.paths import our_command

__all__ = ["connect_workers", "is_given", "kept_of", "stop_on_sigterm"]


def connect_workers(strategy: str) -> None:
    """Connects several workers, which must happen before TensorFlow does anything else."""
    from kerasnlp_lab.training import make_strategy

    if strategy != "multi_worker":
        make_strategy(strategy)
        return
    print("waiting for the other workers", file=sys.stderr)
    with die_on_interrupt():
        make_strategy(strategy)


def is_given(context: typer.Context, option: Any) -> bool:
    """Returns whether an option is given on the command line."""
    source = context.get_parameter_source(option.name)
    return source is not None and source.name == "COMMANDLINE"


def stop_on_sigterm(run: Path, command: str) -> None:
    """Ends the command on SIGTERM while there is nothing to save; the training loop saves first."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TrainingStopped(
            f"stopped by SIGTERM; resume with: {our_command(command, '--resume', run)}",
            signal.SIGTERM,
        )

    signal.signal(signal.SIGTERM, stop)


def kept_of(run: Path, command: str) -> str:
    """Returns a note on an interrupted run; empty where there is nothing of it."""
    from kerasnlp_lab.training import RunDirectory

    if RunDirectory(run).unfinished:
        return f"{run} is kept, resume with: {our_command(command, '--resume', run)}"
    return f"{run} is finished" if (run / "metrics.json").is_file() else ""
