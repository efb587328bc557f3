"""Options and small steps that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kerasnlp_lab.cli.interrupts import exit_on_interrupt
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.quiet import quiet_tensorflow

if TYPE_CHECKING:
    from kerasnlp_lab.zoo import Classifier

__all__ = [
    "Cased",
    "CheckpointEvery",
    "DataDir",
    "Deterministic",
    "Precision",
    "Seed",
    "Strategy",
    "TaskName",
    "import_tensorflow",
    "parse_assignments",
    "report_precision",
    "results_folder",
    "split_at_commas",
]

DataDir = Annotated[
    Path | None, typer.Option(help="TensorFlow Datasets' folder (default: its own).")
]
Seed = Annotated[
    int,
    typer.Option(
        help="Seed of initial weights, order of the rows, and dropout outside TF Hub modules."
    ),
]
Precision = Annotated[
    str | None,
    typer.Option(
        help="Precision of a BERT: float32 or mixed_bfloat16 (default: the quickest here)."
    ),
]
TaskName = Annotated[str, typer.Option("--task", help="The task: see 'zoo tasks'.")]
Cased = Annotated[
    bool, typer.Option("--cased/--uncased", help="Keep capitals, or lower-case all texts.")
]
CheckpointEvery = Annotated[
    str, typer.Option(help="When to save a checkpoint to resume from: 60s, 5m, 200steps, off.")
]
Deterministic = Annotated[
    bool, typer.Option("--deterministic", help="Only operations that give the same every time.")
]
Strategy = Annotated[str, typer.Option(help="Devices: auto, cpu, gpu, mirrored or multi_worker.")]


def results_folder(output: Path | None, name: str) -> Path:
    """Returns the folder for results that was asked for, or one in runs/ with name and time."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    return output or Path("runs") / f"{name.replace('/', '_')}-{stamp}"


def split_at_commas(words: str) -> list[str]:
    """Returns the parts of a list with commas, without spaces and empty parts."""
    return [part.strip() for part in words.split(",") if part.strip()]


def parse_assignments(assignments: Sequence[str], flag: str = "--option") -> dict[str, str]:
    """Turns ["name=value", ...] into a dictionary.

    Raises:
        OptionError: One has no "=".
    """
    pairs = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise OptionError(f"expected {flag} NAME=VALUE, got {assignment!r}")
        pairs[name] = value
    return pairs


def report_precision(classifier: Classifier) -> None:
    """Prints the precision of an encoder on standard error."""
    from kerasnlp_lab.machine import precision_note

    precision = classifier.options.encoder_precision
    if precision is not None:
        print(precision_note(precision), file=sys.stderr)


def import_tensorflow() -> None:
    """Imports TensorFlow with its messages off; Ctrl-C meanwhile ends the command."""
    with exit_on_interrupt():
        quiet_tensorflow()
