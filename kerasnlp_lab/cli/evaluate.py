"""`kerasnlp-lab evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasnlp_lab.cli.options import (
    DataDir,
    Dataset,
    quiet_tensorflow,
)
from kerasnlp_lab.errors import DataError, UnknownNameError

__all__ = ["evaluate"]

SPLITS = ("train", "validation", "test")


def evaluate(
    run: Annotated[Path, typer.Argument(help="The directory of a finished run.")],
    dataset: Dataset,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    data_dir: DataDir = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print JSON instead of a table.")
    ] = False,
) -> None:
    """Test a trained classifier on any dataset that has its classes.

    On the dataset that it was trained on, training and validation rows are the run's own.
    """
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    quiet_tensorflow()
    import json

    import rich.console

    from kerasnlp_lab import evaluation
    from kerasnlp_lab.data import load_dataset
    from kerasnlp_lab.evaluation.report import evaluation_table
    from kerasnlp_lab.training import RunDirectory
    from kerasnlp_lab.zoo import load_classifier

    finished = RunDirectory.open(run)
    classifier = load_classifier(finished.model)
    trained_on = finished.read_json("config.json")["dataset"]
    own = trained_on if trained_on["name"] == dataset else {}
    data = load_dataset(
        dataset,
        data_dir=data_dir,
        validation_fraction=own.get("validation_fraction"),
        seed=own.get("split_seed") or 0,
    )
    if data.label_names != classifier.label_names:
        raise DataError(
            f"{dataset} has the classes {', '.join(data.label_names)}, the classifier in {run} "
            f"has {', '.join(classifier.label_names)}; evaluate it on a dataset with its own"
        )
    result = evaluation.evaluate(classifier, getattr(data, split))
    if json_output:
        print(json.dumps(result.as_json(), indent=2))
    else:
        rich.console.Console(soft_wrap=True).print(evaluation_table(result))
