"""`kerasnlp-lab data shard`: a dataset as TFRecord files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasnlp_lab.cli.json_output import Json, print_json, printing_to_stderr_if
from kerasnlp_lab.cli.options import import_tensorflow
from kerasnlp_lab.cli.rows import ENTITIES, RowsOptions, rows_options
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.paths import our_command

__all__ = ["shard"]


@rows_options(without=(*ENTITIES, "label_separator", "target_column"))
def shard(
    *,
    to: Annotated[Path, typer.Option("--to", help="The folder to write.")],
    shards: Annotated[
        int, typer.Option(help="Files of training rows; a multiple of the devices to train on.")
    ] = 64,
    rows: RowsOptions,
    as_json: Json = False,
) -> None:
    """Write a dataset as TFRecord files, to train on more rows than memory holds.

    Rows are checked and split once, here; 'train --data' with the folder then streams them
    from the files.
    """
    import_tensorflow()
    from kerasnlp_lab.data import write_shards
    from kerasnlp_lab.paths import check_new

    check_new(to, "name another --to")
    one = len(rows.label_column or ()) < 2
    check_option(
        "--label-column", rows.label_column, one, "one column; shards hold one label a text"
    )
    with printing_to_stderr_if(as_json):
        data = rows.load()
        files = write_shards(data, to, shards=shards)["files"]
    counts = {part: len(getattr(data, part)) for part in ("train", "validation", "test")}
    size = sum(file["bytes"] for file in files.values())
    if as_json:
        print_json(
            {
                "folder": to,
                "dataset": data.name,
                "shards": shards,
                "rows": counts,
                "bytes": size,
                "rejected_rows": len(data.rejected),
            }
        )
        return
    print(
        f"{data.name}: {counts['train']} rows to train on in {shards} shards, "
        f"{counts['validation']} to validate on, {counts['test']} to test on; "
        f"{size / 1e6:.1f} MB in {to}"
    )
    if data.rejected:
        print(f"{len(data.rejected)} rows were skipped: {to / 'rejects.csv'}")
    print(f"next: {our_command('train', '--data', to, '--model', 'transformer')}")
