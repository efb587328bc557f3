"""Options that several commands share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.interrupts import ends_at_once
from kerasnlp_lab.errors import OptionError, check_option
from kerasnlp_lab.quiet import quiet_tensorflow

if TYPE_CHECKING:
    from kerasnlp_lab.data import TextDataset
    from kerasnlp_lab.zoo import Classifier

__all__ = [
    "BadRows",
    "DataDir",
    "Dataset",
    "LabelColumn",
    "Leaks",
    "Precision",
    "Seed",
    "SplitSeed",
    "Strategy",
    "Table",
    "TestFraction",
    "TestTable",
    "TextColumn",
    "ValidationFraction",
    "ValidationTable",
    "check_source",
    "given_table_options",
    "load_rows",
    "parse_assignments",
    "import_tensorflow",
    "refuse_table_options",
    "say_precision",
]

Dataset = Annotated[str | None, typer.Option(help="The dataset: see 'data list'.")]
Table = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="A table of your own in its place: .csv, .tsv, .jsonl, .parquet; or what "
        "'data shard' wrote.",
    ),
]
ValidationTable = Annotated[
    Path | None, typer.Option("--validation-data", help="A table to validate on.")
]
TestTable = Annotated[Path | None, typer.Option("--test-data", help="A table to test on.")]
TextColumn = Annotated[
    list[str] | None, typer.Option(help="The table's column of texts; several are joined.")
]
LabelColumn = Annotated[str | None, typer.Option(help="The table's column of labels.")]
TestFraction = Annotated[
    float | None, typer.Option(help="Share of a table's rows to test on (default: 0.15).")
]
BadRows = Annotated[
    str, typer.Option(help="stop at a row that cannot be used, or skip it into rejects.csv.")
]
Leaks = Annotated[
    str,
    typer.Option(help="keep texts that are tested on too, or drop them from the training rows."),
]
DataDir = Annotated[
    Path | None, typer.Option(help="TensorFlow Datasets' folder (default: its own).")
]
ValidationFraction = Annotated[
    float | None, typer.Option(help="Share of training rows to validate on (default: dataset's).")
]
SplitSeed = Annotated[
    int | None, typer.Option(help="Which rows are held out (default: the dataset's, mostly 0).")
]
Seed = Annotated[
    int,
    typer.Option(help="Initial weights, order of the rows, and dropout outside TF Hub modules."),
]
Precision = Annotated[
    str | None,
    typer.Option(
        help="What a BERT computes in: float32 or mixed_bfloat16 (default: what is quick here)."
    ),
]
Strategy = Annotated[str, typer.Option(help="Devices: auto, cpu, gpu, mirrored or multi_worker.")]


def load_rows(
    dataset: str | None,
    data_dir: Path | None,
    table: Path | None,
    validation_fraction: float | None,
    split_seed: int | None,
    *,
    leaks: str = "keep",
    **options: Any,
) -> TextDataset:
    """Returns the dataset that a command line names, or the table or shards of the user's own.

    Raises:
        OptionError: It names neither or both, or an option of a table without one.
    """
    from kerasnlp_lab.data import without_leaks

    check_option("--leaks", leaks, leaks in ("keep", "drop"), "keep or drop")
    data = _load(dataset, data_dir, table, validation_fraction, split_seed, **options)
    if leaks == "keep":
        return data
    clean = without_leaks(data)
    left_out = clean.leaks_left_out
    assert left_out is not None
    print(
        f"left out because their texts are tested on: {left_out.train} rows of "
        f"{len(data.train)} to train on, {left_out.validation} of {len(data.validation)} to "
        "validate on"
    )
    return clean


def _load(
    dataset: str | None,
    data_dir: Path | None,
    table: Path | None,
    validation_fraction: float | None,
    split_seed: int | None,
    **options: Any,
) -> TextDataset:
    from kerasnlp_lab.data import load_dataset, load_table

    bad_rows = options.pop("bad_rows")
    check_source(dataset, table, bad_rows)
    if table is not None and table.is_dir():
        options |= {"validation_fraction": validation_fraction, "split_seed": split_seed}
        return _load_shards(table, bad_rows=None if bad_rows == "stop" else bad_rows, **options)
    if table is not None:
        given = given_table_options(validation_fraction=validation_fraction, **options)
        return load_table(table, seed=split_seed or 0, skip_bad_rows=bad_rows == "skip", **given)
    refuse_table_options(**options)
    return load_dataset(
        str(dataset), data_dir=data_dir, validation_fraction=validation_fraction, seed=split_seed
    )


def _load_shards(folder: Path, **options: Any) -> TextDataset:
    from kerasnlp_lab.data import load_shards

    for name, value in options.items():
        if value is not None:
            raise OptionError(
                f"{folder} is a folder of shards, whose rows were read and split when it was "
                f"written: say {TABLE_OPTIONS[name]} to 'kerasnlp-lab data shard'"
            )
    return load_shards(folder)


TABLE_OPTIONS = {
    "text_columns": "--text-column",
    "label_column": "--label-column",
    "validation": "--validation-data",
    "test": "--test-data",
    "test_fraction": "--test-fraction",
    "validation_fraction": "--validation-fraction",
    "split_seed": "--split-seed",
    "bad_rows": "--bad-rows",
}


def given_table_options(**options: Any) -> dict[str, Any]:
    """Returns the options of a table that are given, not None.

    Raises:
        OptionError: A split is given both as a table and as a share of the rows.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for part in ("validation", "test"):
        if part in given and f"{part}_fraction" in given:
            raise OptionError(f"say either --{part}-data or --{part}-fraction, not both")
    return given


def check_source(dataset: str | None, table: Path | None, bad_rows: str) -> None:
    """Raises OptionError unless one of both is named, and bad rows are to stop or to skip."""
    if (dataset is None) == (table is None):
        raise OptionError("say either --dataset NAME (see 'data list') or --data FILE")
    if bad_rows not in ("stop", "skip"):
        raise OptionError(f"--bad-rows must be stop or skip, got {bad_rows!r}")


def refuse_table_options(**given: Any) -> None:
    """Raises OptionError if an option of a table is given, where there is no table."""
    for name, value in given.items():
        if value is not None:
            raise OptionError(
                f"{TABLE_OPTIONS[name]} belongs to a table of your own: "
                "say --data FILE in place of --dataset"
            )


def parse_assignments(assignments: list[str]) -> dict[str, str]:
    """Turns ["name=value", ...] into a dictionary.

    Raises:
        OptionError: One has no "=".
    """
    pairs = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise OptionError(f"expected --option NAME=VALUE, got {assignment!r}")
        pairs[name] = value
    return pairs


def say_precision(classifier: Classifier) -> None:
    """Tells on standard error what an encoder computes in."""
    from kerasnlp_lab.machine import precision_note

    if hasattr(classifier.options, "precision"):
        print(precision_note(classifier.options.precision), file=sys.stderr)


def import_tensorflow() -> None:
    """Imports TensorFlow, quiet; Ctrl-C while it does ends the command."""
    with ends_at_once():
        quiet_tensorflow()
