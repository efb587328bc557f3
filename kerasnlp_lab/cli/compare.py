"""`kerasnlp-lab compare`: several models on the same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kerasnlp_lab.cli.interrupts import note_what_is_kept
from kerasnlp_lab.cli.json_output import Json, print_json, printing_to_stderr_if
from kerasnlp_lab.cli.options import (
    Precision,
    Seed,
    Strategy,
    TaskName,
    import_tensorflow,
    results_folder,
    split_at_commas,
)
from kerasnlp_lab.cli.rows import RowsOptions, rows_options

if TYPE_CHECKING:
    from kerasnlp_lab.lab.comparison import Comparison

__all__ = ["compare"]


@rows_options()
def compare(
    *,
    models: Annotated[str, typer.Option(help="Models, separated by commas: see 'zoo list'.")],
    task: TaskName = "classification",
    rows: RowsOptions,
    output: Annotated[
        Path | None, typer.Option(help="The folder for results (default: runs/compare-TIME).")
    ] = None,
    seeds: Annotated[
        int, typer.Option(help="How often to train each, with seeds from --seed on.")
    ] = 1,
    sizes: Annotated[
        str, typer.Option(help="Training rows for a learning curve: 100,1000,all for example.")
    ] = "",
    precision: Precision = None,
    strategy: Strategy = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train several models on the same rows and print a leaderboard.

    Each model is trained by its own recipe. Neighbours on the leaderboard are compared by
    McNemar's exact test, with several seeds by a paired permutation test, or for entities and
    several labels by a paired bootstrap of the F1, so that a difference within noise is reported
    as such.
    """
    import_tensorflow()
    import rich.console

    from kerasnlp_lab import lab
    from kerasnlp_lab.tasks.registry import find_task

    folder = results_folder(output, "compare")
    with printing_to_stderr_if(as_json):
        data = rows.load(find_task(task).annotation)
        with note_what_is_kept(lambda: _finished_runs(folder), training=True):
            result = lab.compare(
                split_at_commas(models),
                data,
                folder,
                seeds=seeds,
                sizes=split_at_commas(sizes),
                task=task,
                precision=precision,
                strategy=strategy,
                seed=seed,
                console=rich.console.Console(soft_wrap=True),
            )
    if as_json:
        content = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
        print_json({"folder": folder, "report": folder / "report.html", **content})
        return
    _show(result)
    if data.rejected:
        print(f"{len(data.rejected)} rows were skipped: see rejects.csv of each run")
    print(f"report: {folder / 'report.html'}")


def _show(result: Comparison) -> None:
    import rich.console

    from kerasnlp_lab.lab.leaderboard import curve_table, leaderboard_table

    console = rich.console.Console()
    console.width = max(console.width, 120)  # never wraps a row of numbers
    console.print(leaderboard_table(result.rows))
    print(*(f"  {verdict}" for verdict in result.verdicts), sep="\n")
    if result.curves:
        print()
        console.print(curve_table(result.curves))
        print(*(f"  {verdict}" for verdict in result.curve_verdicts), sep="\n")


def _finished_runs(folder: Path) -> str:
    """Returns a note on the finished runs of an interrupted comparison."""
    runs = sorted(file.parent for file in folder.glob("*/metrics.json"))
    return f"finished before: {', '.join(map(str, runs))}" if runs else ""
