"""`kerasnlp-lab compare`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

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
    load_rows,
    quiet_tensorflow,
)

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
) -> None:
    """Train several models on the same rows and print a leaderboard.

    Each model is trained by its own recipe. Neighbours on the leaderboard are put to
    McNemar's exact test, or with several seeds to a paired permutation test, so that a
    difference within noise is called one.
    """
    quiet_tensorflow()
    import rich.console

    from kerasnlp_lab import evaluation
    from kerasnlp_lab.evaluation.leaderboard import curve_table, leaderboard_table

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
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    folder = output or Path("runs") / f"compare-{stamp}"
    console = rich.console.Console(soft_wrap=True)
    result = evaluation.compare(
        [name.strip() for name in models.split(",") if name.strip()],
        data,
        folder,
        seeds=seeds,
        sizes=[size.strip() for size in (sizes or "").split(",") if size.strip()],
        precision=precision,
        strategy=strategy,
        seed=seed,
        console=console,
    )
    rich.console.Console(width=max(console.width, 120)).print(leaderboard_table(result.rows))
    for verdict in result.verdicts:
        console.print(f"  {verdict}", highlight=False)
    if result.curves:
        console.print()
        rich.console.Console(width=max(console.width, 120)).print(curve_table(result.curves))
        for verdict in result.curve_verdicts:
            console.print(f"  {verdict}", highlight=False)
    if data.rejected:
        console.print(f"{len(data.rejected)} rows were left out: see rejects.csv of each run")
    console.print(f"report: {folder / 'report.html'}", highlight=False)
