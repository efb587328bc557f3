"""`kerasnlp-lab evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kerasnlp_lab.cli.json_output import Json, print_json, said_apart
from kerasnlp_lab.cli.options import (
    BadRows,
    DataDir,
    Dataset,
    LabelColumn,
    Precision,
    Table,
    TextColumn,
    check_source,
    import_tensorflow,
    refuse_table_options,
    say_precision,
)
from kerasnlp_lab.errors import DataError, UnknownNameError, check_option

if TYPE_CHECKING:
    from kerasnlp_lab.data import Split
    from kerasnlp_lab.training import RunDirectory

__all__ = ["evaluate"]

SPLITS = ("train", "validation", "test")


def evaluate(
    run: Annotated[Path, typer.Argument(help="The directory of a finished run.")],
    dataset: Dataset = None,
    table: Table = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    bad_rows: BadRows = "stop",
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    fpr: Annotated[
        list[float] | None,
        typer.Option(help="Also the recall of each class at this false-positive rate; several."),
    ] = None,
    precision: Precision = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Test a classifier on any dataset or table that has its classes.

    Of a table, every row is tested. On the dataset that it was trained on, training and
    validation rows are the run's own.
    """
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    check_source(dataset, table, bad_rows)
    for share in fpr or ():
        check_option("--fpr", share, 0 <= share <= 1, "a share from 0 to 1")
    if table is None:
        refuse_table_options(text_columns=text_column, label_column=label_column)
    import_tensorflow()
    from kerasnlp_lab import evaluation
    from kerasnlp_lab.data import load_labelled_rows
    from kerasnlp_lab.evaluation.report import evaluation_text
    from kerasnlp_lab.training import RunDirectory
    from kerasnlp_lab.zoo import load_classifier

    with said_apart(as_json):
        finished = RunDirectory.open(run)
        classifier = load_classifier(finished.model, precision=precision)
        say_precision(classifier)
        if table is not None:
            rows, rejected = load_labelled_rows(
                table,
                classifier.label_names,
                text_columns=text_column or (),
                label_column=label_column,
                skip_bad_rows=bad_rows == "skip",
            )
            for row in rejected:
                print(f"left out: {row.path}, line {row.line}: {row.reason}", file=sys.stderr)
        else:
            rows = _rows_of(str(dataset), split, data_dir, finished, classifier.label_names)
        result = evaluation.evaluate(classifier, rows)
    recalls = {
        f"{rate:g}": {name: result.recall_at_fpr(name, rate) for name in result.label_names}
        for rate in fpr or ()
    }
    if as_json:
        asked = {"recall_at_fpr": recalls} if recalls else {}
        print_json({**result.as_json(), **asked})
        return
    print(evaluation_text(result))
    for rate, of_class in recalls.items():
        shown = ", ".join(
            f"{name} {'-' if recall is None else format(recall, '.4f')}"
            for name, recall in of_class.items()
        )
        print(f"recall at a false-positive rate of {rate}: {shown}")


def _rows_of(
    dataset: str, split: str, data_dir: Path | None, run: RunDirectory, classes: tuple[str, ...]
) -> Split:
    """Returns a split of a dataset, as the run divided it if it was trained on that."""
    from kerasnlp_lab.data import load_dataset, without_leaks
    from kerasnlp_lab.data.source import source_from_json

    described = run.read_json("config.json")["dataset"]
    own = described["name"] == dataset
    source, leaks_left_out = source_from_json(described)
    data = load_dataset(
        dataset,
        data_dir=data_dir,
        validation_fraction=source.validation_fraction if own else None,
        seed=source.split_seed if own else None,
    )
    if data.label_names != classes:
        raise DataError(
            f"{dataset} has the classes {', '.join(data.label_names)}, the classifier in "
            f"{run.path} has {', '.join(classes)}; evaluate it on a dataset with its own"
        )
    if own and leaks_left_out is not None:
        data = without_leaks(data)
    if split == "train" and own and described["train_rows"] != len(data.train):
        raise DataError(
            f"{run.path} was trained on {described['train_rows']} of the {len(data.train)} rows; "
            "evaluate it on --split validation or test"
        )
    return getattr(data, split)
