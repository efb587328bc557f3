"""`kerasnlp-lab export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasnlp_lab.cli.options import quiet_tensorflow

__all__ = ["export"]


def export(
    run: Annotated[Path, typer.Argument(help="The directory of a finished run.")],
    to: Annotated[Path, typer.Option(help="The folder to write the SavedModel into.")],
) -> None:
    """Write a run's classifier as a SavedModel from strings to class names.

    It needs only tensorflow and tensorflow_text to run.
    """
    quiet_tensorflow()
    from kerasnlp_lab.export import export_classifier
    from kerasnlp_lab.training import RunDirectory
    from kerasnlp_lab.zoo import load_classifier

    finished = RunDirectory.open(run)
    trained = {
        "config": finished.read_json("config.json"),
        "test": finished.read_json("metrics.json")["test"],
    }
    export_classifier(load_classifier(finished.model), to, trained=trained)
    print(f"exported to {to}; try: kerasnlp-lab predict {to} 'Your text'")
