"""`kerasnlp-lab data shard`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from kerasnlp_lab.cli.json_output import Json, print_json, said_apart
from kerasnlp_lab.cli.options import (
    BadRows,
    DataDir,
    Dataset,
    LabelColumn,
    Leaks,
    SplitSeed,
    Table,
    TestFraction,
    TestTable,
    TextColumn,
    ValidationFraction,
    ValidationTable,
    import_tensorflow,
    load_rows,
)

__all__ = ["shard"]


def shard(
    to: Annotated[Path, typer.Option("--to", help="The folder to write.")],
    shards: Annotated[
        int, typer.Option(help="Files of training rows; a multiple of the devices to train on.")
    ] = 64,
    dataset: Dataset = None,
    table: Table = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    validation_table: ValidationTable = None,
    test_table: TestTable = None,
    test_fraction: TestFraction = None,
    bad_rows: BadRows = "stop",
    leaks: Leaks = "keep",
    split_seed: SplitSeed = None,
    validation_fraction: ValidationFraction = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write a dataset as TFRecord files, to train on more rows than memory holds.

    Rows are checked and split once, here; 'train --data' with the folder reads them from
    the files as it needs them.
    """
    import_tensorflow()
    from kerasnlp_lab.data import write_shards
    from kerasnlp_lab.paths import check_new

    check_new(to, "name another --to")
    with said_apart(as_json):
        data = load_rows(
            dataset,
            data_dir,
            table,
            validation_fraction,
            split_seed,
            leaks=leaks,
            text_columns=text_column,
            label_column=label_column,
            validation=validation_table,
            test=test_table,
            test_fraction=test_fraction,
            bad_rows=bad_rows,
        )
        files = write_shards(data, to, shards=shards)["files"]
    rows = {part: len(getattr(data, part)) for part in ("train", "validation", "test")}
    size = sum(file["bytes"] for file in files.values())
    if as_json:
        print_json(
            {
                "folder": to,
                "dataset": data.name,
                "shards": shards,
                "rows": rows,
                "bytes": size,
                "rejected_rows": len(data.rejected),
            }
        )
        return
    print(
        f"{data.name}: {rows['train']} rows to train on in {shards} shards, "
        f"{rows['validation']} to validate on, {rows['test']} to test on; "
        f"{size / 1e6:.1f} MB in {to}"
    )
    if data.rejected:
        print(f"{len(data.rejected)} rows were left out: {to / 'rejects.csv'}")
    print(f"next: kerasnlp-lab train --data {shlex.quote(str(to))} --model transformer")
