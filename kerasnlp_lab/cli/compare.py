"""`kerasnlp-lab compare`: several models, or trained runs, on the same rows."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kerasnlp_lab.cli.evaluate import rows_of_table
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
from kerasnlp_lab.cli.rows import ENTITIES, READ_COLUMNS, TABLE_FORMAT, RowsOptions, rows_options
from kerasnlp_lab.cli.running import is_given
from kerasnlp_lab.cli.train import MOVED
from kerasnlp_lab.errors import OptionError

if TYPE_CHECKING:
    from kerasnlp_lab.lab.comparison import Comparison

__all__ = ["compare"]


# With --runs the options of a table are those of --test-data.
OF_TABLE = (*READ_COLUMNS, *TABLE_FORMAT, *ENTITIES, "bad_rows")
WITH_RUNS = ("runs", "output", "as_json", *MOVED, *OF_TABLE)


WIDEST = 10_000  # a table that is as wide as its cells: no row is cut or wrapped


@rows_options()
def compare(
    context: typer.Context,
    *,
    models: Annotated[
        str | None, typer.Option(help="Models to train, separated by commas: see 'zoo list'.")
    ] = None,
    runs: Annotated[
        str | None,
        typer.Option(
            help="Or trained runs, separated by commas: tested on the first one's test rows or on "
            "--test-data; --data NEW_PLACE if their table has moved."
        ),
    ] = None,
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
    """Train several models on the same rows, or test trained --runs.

    It prints a leaderboard. Each model is trained by its own recipe. Neighbours on the leaderboard
    are compared by McNemar's exact test, with several seeds by a paired permutation test, or for
    entities and several labels by a paired bootstrap of the F1, so that a difference within noise
    is reported as such.
    """
    if (models is None) == (runs is None):
        raise OptionError("say either --models NAME,NAME (see 'zoo list') or --runs RUN,RUN")
    if runs is not None:
        _compare_runs(context, split_at_commas(runs), rows, output, as_json)
        return
    import_tensorflow()
    import rich.console

    from kerasnlp_lab import lab
    from kerasnlp_lab.tasks.registry import find_task

    folder = results_folder(output, "compare")
    with printing_to_stderr_if(as_json):
        data = rows.load(find_task(task).annotation)
        with note_what_is_kept(lambda: _finished_runs(folder), training=True):
            result = lab.compare(
                split_at_commas(str(models)),
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
        _print_json(folder)
        return
    _show(result)
    if data.rejected:
        print(f"{len(data.rejected)} rows were skipped: see rejects.csv of each run")
    print(f"report: {folder / 'report.html'}")


def _compare_runs(
    context: typer.Context, runs: list[str], rows: RowsOptions, output: Path | None, as_json: bool
) -> None:
    """Compares trained runs, and prints their table."""
    given = {one.name: one.opts[0] for one in context.command.params if is_given(context, one)}
    wrong = [flag for name, flag in given.items() if name not in WITH_RUNS]
    if wrong:
        raise OptionError(f"--runs trains nothing: leave out {', '.join(wrong)}")
    table = [given[name] for name in OF_TABLE if name in given]
    if table and rows.test_data is None:
        raise OptionError(f"{table[0]} belongs to a table: say --test-data FILE, or leave it out")
    import_tensorflow()
    import rich.console

    from kerasnlp_lab.lab import compare_runs
    from kerasnlp_lab.lab.run_comparison import runs_table
    from kerasnlp_lab.tasks import read_task
    from kerasnlp_lab.training import RunDirectory

    folder, test = results_folder(output, "compare"), None
    moved = {name: str(getattr(rows, name)) for name in MOVED if name in given}
    moved.pop("test_data", None)
    with printing_to_stderr_if(as_json):
        if rows.test_data is not None and runs:
            first = RunDirectory.open(runs[0])
            alone = dataclasses.replace(
                rows, data=rows.test_data, test_data=None, validation_data=None, data_dir=None
            )
            task = read_task(first.read_json("model/classifier.json"))
            test = rows_of_table(alone, task, {}, first)
        console = rich.console.Console(soft_wrap=True)
        result = compare_runs(runs, folder, test=test, moved=moved, console=console)
    if as_json:
        _print_json(folder)
        return
    rich.console.Console(width=WIDEST).print(runs_table(result))
    print(*(f"  {verdict}" for verdict in result.verdicts), sep="\n")
    print(f"agreement is with {result.reference}\nreport: {folder / 'report.html'}")


def _print_json(folder: Path) -> None:
    content = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    print_json({"folder": folder, "report": folder / "report.html", **content})


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
