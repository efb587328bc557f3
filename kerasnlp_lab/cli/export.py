"""`kerasnlp-lab export`: a trained classifier as a SavedModel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasnlp_lab.cli.json_output import Json, print_json, printing_to_stderr_if
from kerasnlp_lab.cli.options import Precision, import_tensorflow, report_precision
from kerasnlp_lab.paths import our_command

__all__ = ["export"]


def export(
    run: Annotated[Path, typer.Argument(help="The directory of a finished run.")],
    to: Annotated[Path, typer.Option(help="The folder to write the SavedModel into.")],
    precision: Precision = None,
    as_json: Json = False,
) -> None:
    """Write a run's classifier as a SavedModel from strings to classes.

    It needs only tensorflow and tensorflow_text to run. It computes in --precision on every
    machine: say float32 for machines without bfloat16.
    """
    import_tensorflow()
    from kerasnlp_lab.export import export_classifier
    from kerasnlp_lab.training import RunDirectory
    from kerasnlp_lab.zoo import load_classifier

    finished = RunDirectory.open(run)
    trained = {
        "config": finished.read_json("config.json"),
        "test": finished.read_json("metrics.json")["test"],
    }
    with printing_to_stderr_if(as_json):
        classifier = load_classifier(finished.model, precision=precision)
        report_precision(classifier)
        export_classifier(classifier, to, trained=trained)
    if as_json:
        print_json(
            {
                "folder": to,
                "model": classifier.name,
                "label_names": classifier.label_names,
                "precision": classifier.options.encoder_precision,
                "bytes": sum(file.stat().st_size for file in to.rglob("*") if file.is_file()),
            }
        )
        return
    texts = [f"Your {name}" for name in classifier.pair or ["text"]]
    print(f"exported to {to}; try: {our_command('predict', to, *texts)}")
