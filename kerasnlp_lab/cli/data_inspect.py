"""`kerasnlp-lab data inspect`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.interrupts import keeps
from kerasnlp_lab.cli.json_output import Json, print_json
from kerasnlp_lab.cli.options import (
    LabelColumn,
    SplitSeed,
    TestFraction,
    TestTable,
    TextColumn,
    ValidationTable,
    given_table_options,
    import_tensorflow,
)
from kerasnlp_lab.errors import HubError, check_option, first_line

if TYPE_CHECKING:
    import numpy as np

__all__ = ["inspect"]

LONGEST = 1_000_000  # tokens are only counted, so that none need be cut


def inspect(
    table: Annotated[Path, typer.Argument(help="A table: .csv, .tsv, .jsonl or .parquet.")],
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    validation_table: ValidationTable = None,
    test_table: TestTable = None,
    validation_fraction: Annotated[
        float | None, typer.Option(help="Share of the rows to validate on (default: 0.15).")
    ] = None,
    test_fraction: TestFraction = None,
    split_seed: SplitSeed = 0,
    model: Annotated[
        str, typer.Option(help="Whose word pieces to count: see 'zoo list' and 'hub list'.")
    ] = "minilm_l6_h384",
    max_length: Annotated[
        list[int] | None,
        typer.Option(help="Tell what share of texts it cuts; several (default: 25 64 128 256)."),
    ] = None,
    show: Annotated[int, typer.Option(help="Findings of each kind to print.")] = 5,
    as_json: Json = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Also write a cleaned copy, and a list of the changes.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="The folder for results (default: runs/inspect-TIME).")
    ] = None,
) -> None:
    """Look for what is wrong with a table: it is read and never changed.

    Duplicates, texts in two splits or with two labels, likely wrong labels, encoding
    damage, mixed scripts; class balance, and what a maximum length cuts. The splits are
    those that 'train --data' makes with the same --split-seed.
    """
    import_tensorflow()
    import rich.console

    from kerasnlp_lab.data import inspection
    from kerasnlp_lab.paths import check_new

    check_option("--show", show, show >= 0, "0 or more")
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    folder = output or Path("runs") / f"inspect-{stamp}"
    check_new(folder, "name another --output")
    messages = rich.console.Console(stderr=True, soft_wrap=True)
    given = given_table_options(
        validation=validation_table,
        test=test_table,
        text_columns=text_column,
        label_column=label_column,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        max_lengths=max_length,
    )
    with messages.status("starting") as status:
        try:
            given |= _token_counter(model)
        except HubError as error:
            reason = f"words only: {model} cannot be had ({first_line(error)})"
            messages.print(reason, markup=False, highlight=False)
        found = inspection.inspect_table(
            table, seed=split_seed or 0, on_step=lambda step: status.update(step), **given
        )
        cleaned = inspection.clean(found.data) if fix else None
    with keeps(lambda: f"what was written of {folder} is incomplete; remove it"):
        inspection.write_inspection(found, folder, cleaned)
    if as_json:
        changed = None
        if cleaned is not None:
            changed = {
                "rows": cleaned.rows,
                "changes": len(cleaned.changes),
                "files": [folder / name for name in (*cleaned.files, "changes.csv")],
            }
        print_json({"folder": folder, **found.as_dict(), "cleaned": changed})
        return
    console = rich.console.Console()
    inspection.print_summary(found, console, show)
    if cleaned is not None:
        print(f"\ncleaned: {cleaned.rows} rows are left, {len(cleaned.changes)} changes")
        print("\n".join(str(folder / name) for name in (*cleaned.files, "changes.csv")))
    print(f"\nall findings: {folder / 'findings.csv'}")


def _token_counter(model: str) -> dict[str, Any]:
    """Returns the options that make an inspection count a model's tokens.

    Raises:
        HubError: The model cannot be had.
        UnknownNameError: There is no such model.
    """
    from kerasnlp_lab.text import tokenize
    from kerasnlp_lab.zoo import find_model

    entry = find_model(model)
    entry.prepare()
    vectorizer = entry.build_text(entry.options)
    vectorizer.max_length = LONGEST

    def count(texts: Sequence[str]) -> np.ndarray:
        vectorizer.adapt(texts)
        return tokenize(vectorizer, texts).lengths + vectorizer.special_tokens

    unit = "word pieces" if vectorizer.special_tokens else f"tokens of {model}"
    return {"count_tokens": count, "token_unit": unit}
