"""`kerasnlp-lab evaluate`: a trained classifier on any rows with its classes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.json_output import Json, print_json, printing_to_stderr_if
from kerasnlp_lab.cli.options import (
    Precision,
    import_tensorflow,
    parse_assignments,
    report_precision,
)
from kerasnlp_lab.cli.rows import ENTITIES, READ_COLUMNS, TABLE_FORMAT, RowsOptions, rows_options
from kerasnlp_lab.display import listed, shown_names
from kerasnlp_lab.errors import DataError, OptionError, UnknownNameError, check_option

if TYPE_CHECKING:
    from kerasnlp_lab.data import Split, TableFiles
    from kerasnlp_lab.tasks import Task
    from kerasnlp_lab.training import RunDirectory

__all__ = ["evaluate", "rows_of_table"]

MOST = 30  # classes whose recall is printed
SPLITS = ("train", "validation", "test")


@rows_options(
    *("dataset", "data", *READ_COLUMNS, "bad_rows", "data_dir", *TABLE_FORMAT),
    *ENTITIES,
)
def evaluate(
    *,
    run: Annotated[Path, typer.Argument(help="The directory of a finished run.")],
    rows: RowsOptions,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    fpr: Annotated[
        list[float] | None,
        typer.Option(help="Also the recall of each class at this false-positive rate; several."),
    ] = None,
    rename_type: Annotated[
        list[str] | None,
        typer.Option(
            help="Entities: a type of the file and the model's name for it, as in PER=person; "
            "PER= leaves it out; several."
        ),
    ] = None,
    precision: Precision = None,
    as_json: Json = False,
) -> None:
    """Test a classifier on any dataset or table that has its classes.

    Every row of a table is tested. On the dataset that the classifier was trained on, the
    training and validation rows are the run's own.
    """
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    rows.check_source()
    for share in fpr or ():
        check_option("--fpr", share, 0 <= share <= 1, "a share from 0 to 1")
    renamed = parse_assignments(rename_type or (), "--rename-type")
    import_tensorflow()
    from kerasnlp_lab import evaluation
    from kerasnlp_lab.lab.reading import note_on_unknown
    from kerasnlp_lab.training import RunDirectory
    from kerasnlp_lab.zoo import load_classifier

    with printing_to_stderr_if(as_json):
        finished = RunDirectory.open(run)
        classifier = load_classifier(finished.model, precision=precision)
        report_precision(classifier)
        fits = not renamed or (rows.data is not None and classifier.task.annotation == "spans")
        check_option("--rename-type", rename_type, fits, "left out unless --data has entities")
        if rows.data is not None:
            tested = rows_of_table(rows, classifier.task, renamed, finished)
        else:
            tested = _rows_of_dataset(rows, split, finished, classifier.task)
        if note := note_on_unknown(classifier.entry, classifier.text, tested.texts):
            print(note, file=sys.stderr)
        result = evaluation.evaluate(classifier, tested)
    if fpr and not isinstance(result, evaluation.ClassificationEvaluation):
        raise OptionError(f"--fpr is for classification, not {classifier.task.name}; leave it out")
    recalls = {
        f"{rate:g}": {name: result.recall_at_fpr(name, rate) for name in result.label_names}
        for rate in fpr or ()
    }
    if as_json:
        print_json(result.as_json() | ({"recall_at_fpr": recalls} if recalls else {}))
        return
    print(result.as_text())
    for rate, of_class in recalls.items():
        print(f"recall at a false-positive rate of {rate}: {_lowest_first_of_many(of_class)}")


def _lowest_first_of_many(recalls: Mapping[str, float | None]) -> str:
    """Returns the recall of each class; of many classes, the lowest recalls."""
    pairs = list(zip(shown_names(list(recalls)), recalls.values(), strict=True))
    if len(pairs) > MOST:
        pairs.sort(key=lambda pair: (pair[1] is None, pair[1] or 0.0))
    shown = [f"{name} {'-' if one is None else format(one, '.4f')}" for name, one in pairs[:MOST]]
    more = [f"and {len(pairs) - MOST:,} more classes"] if len(pairs) > MOST else []
    return ", ".join(shown + more)


def rows_of_table(
    rows: RowsOptions, task: Task, renamed: Mapping[str, str], run: RunDirectory
) -> Split:
    """Returns every row of a table or of annotation files, and reports those that were skipped."""
    from kerasnlp_lab.data import load_entity_rows, load_labelled_rows

    given = rows.table_settings(task.annotation)
    columns: dict[str, Any] = {name: given.get(name) for name in ENTITIES} | {"renamed": renamed}
    load: Callable[..., Any] = load_entity_rows
    if task.annotation != "spans":
        load = load_labelled_rows
        columns = rows.columns(task.annotation) | {"trained_on": _table_of(run)}
        columns["number_names"] = columns.pop("label_names", None)
    found, rejected = load(
        str(rows.data),
        task.label_names,
        skip_bad_rows=rows.bad_rows == "skip",
        format=rows.table_format(),
        on_note=lambda note: print(f"{rows.data}: {note}", file=sys.stderr),
        **{name: value for name, value in columns.items() if value is not None},
    )
    for row in rejected:
        print(f"skipped: {row.path}, line {row.line}: {row.reason}", file=sys.stderr)
    return found


def _table_of(run: RunDirectory) -> TableFiles | None:
    """Returns the table that a run was trained on; None if it was none."""
    from kerasnlp_lab.data import Shards, TableFiles
    from kerasnlp_lab.data.source import source_from_json

    source, _ = source_from_json(run.read_json("config.json")["dataset"])
    source = source.made_from if isinstance(source, Shards) else source
    return source if isinstance(source, TableFiles) else None


def _rows_of_dataset(rows: RowsOptions, split: str, run: RunDirectory, task: Task) -> Split:
    """Returns a split of a dataset; of the run's own dataset, the split that the run made."""
    from kerasnlp_lab.data import load_dataset, without_leaks
    from kerasnlp_lab.data.source import source_from_json

    dataset = str(rows.dataset)
    described = run.read_json("config.json")["dataset"]
    own = described["name"] == dataset
    source, leaks_left_out = source_from_json(described)
    data = load_dataset(
        dataset,
        data_dir=rows.data_dir,
        validation_fraction=source.validation_fraction if own else None,
        seed=source.split_seed if own else None,
    )
    task.check_annotation(data)
    if data.label_names != task.label_names:
        raise DataError(
            f"{dataset} has the classes {listed(data.label_names)}, the classifier in "
            f"{run.path} has {listed(task.label_names)}; evaluate it on a dataset with its own"
        )
    if own and leaks_left_out is not None:
        data = without_leaks(data)
    if split == "train" and own and described["train_rows"] != len(data.train):
        raise DataError(
            f"{run.path} was trained on {described['train_rows']} of the {len(data.train)} rows; "
            "evaluate it on --split validation or test"
        )
    return getattr(data, split)
