"""`kerasnlp-lab compare`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kerasnlp_lab.cli.interrupts import keeps
from kerasnlp_lab.cli.json_output import Json, print_json, said_apart
from kerasnlp_lab.cli.options import (
    BadRows,
    DataDir,
    Dataset,
    LabelColumn,
    Leaks,
    Precision,
    Seed,
    SplitSeed,
    Strategy,
    Table,
    TestFraction,
    TestTable,
    TextColumn,
    ValidationFraction,
    ValidationTable,
    import_tensorflow,
    load_rows,
)

if TYPE_CHECKING:
    from kerasnlp_lab.lab.comparison import Comparison

__all__ = ["compare"]


def compare(
    models: Annotated[str, typer.Option(help="Models, with commas between: see 'zoo list'.")],
    dataset: Dataset = None,
    table: Table = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    validation_table: ValidationTable = None,
    test_table: TestTable = None,
    test_fraction: TestFraction = None,
    bad_rows: BadRows = "stop",
    leaks: Leaks = "keep",
    output: Annotated[
        Path | None, typer.Option(help="The folder for results (default: runs/compare-TIME).")
    ] = None,
    seeds: Annotated[int, typer.Option(help="How often each is trained, from --seed on.")] = 1,
    sizes: Annotated[
        str | None,
        typer.Option(help="Training rows for a learning curve: 100,1000,all for example."),
    ] = None,
    precision: Precision = None,
    strategy: Strategy = "auto",
    seed: Seed = 0,
    split_seed: SplitSeed = None,
    validation_fraction: ValidationFraction = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Train several models on the same rows and print a leaderboard.

    Each model is trained by its own recipe. Neighbours on the leaderboard are put to
    McNemar's exact test, or with several seeds to a paired permutation test, so that a
    difference within noise is called one.
    """
    import_tensorflow()
    import rich.console

    from kerasnlp_lab import lab

    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    folder = output or Path("runs") / f"compare-{stamp}"
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
        with keeps(lambda: _finished_runs(folder), training=True):
            result = lab.compare(
                [name.strip() for name in models.split(",") if name.strip()],
                data,
                folder,
                seeds=seeds,
                sizes=[size.strip() for size in (sizes or "").split(",") if size.strip()],
                precision=precision,
                strategy=strategy,
                seed=seed,
                console=rich.console.Console(soft_wrap=True),
            )
    if as_json:
        found = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
        print_json({"folder": folder, "report": folder / "report.html", **found})
        return
    _show(result)
    if data.rejected:
        print(f"{len(data.rejected)} rows were left out: see rejects.csv of each run")
    print(f"report: {folder / 'report.html'}")


def _show(result: Comparison) -> None:
    import rich.console

    from kerasnlp_lab.lab.leaderboard import curve_table, leaderboard_table

    console = rich.console.Console()
    console.width = max(console.width, 120)  # rows of numbers are not to be wrapped
    console.print(leaderboard_table(result.rows))
    print(*(f"  {verdict}" for verdict in result.verdicts), sep="\n")
    if result.curves:
        print()
        console.print(curve_table(result.curves))
        print(*(f"  {verdict}" for verdict in result.curve_verdicts), sep="\n")


def _finished_runs(folder: Path) -> str:
    """Returns which runs of a comparison that was stopped are finished, to evaluate or export."""
    runs = sorted(file.parent for file in folder.glob("*/metrics.json"))
    return f"finished before: {', '.join(map(str, runs))}" if runs else ""
