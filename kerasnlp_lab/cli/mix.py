"""`kerasnlp-lab mix`: several finished runs as one that averages their answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasnlp_lab.cli.json_output import Json, print_json, printing_to_stderr_if
from kerasnlp_lab.cli.options import import_tensorflow
from kerasnlp_lab.cli.rows import RowsOptions, rows_options
from kerasnlp_lab.cli.train import MOVED

__all__ = ["mix"]


@rows_options(*MOVED)
def mix(
    *,
    runs: Annotated[list[Path], typer.Argument(help="The directories of 2 to 4 finished runs.")],
    rows: RowsOptions,
    output: Annotated[Path, typer.Option(help="The run directory to write.")],
    as_json: Json = False,
) -> None:
    """Mix finished runs into one that averages their logits.

    The weights are chosen on the validation rows, which must be the same for all. The result is a
    run like any other: evaluate, predict, export and compare take it. --data, --validation-data,
    --test-data and --data-dir name the new places of files that have moved.
    """
    import_tensorflow()
    import rich.console

    from kerasnlp_lab.lab.mixing import mix_runs

    moved = {name: str(place) for name in MOVED if (place := getattr(rows, name)) is not None}
    with printing_to_stderr_if(as_json):
        console = rich.console.Console(soft_wrap=True)
        done = mix_runs(runs, output, moved=moved, console=console)
    report = done.run.path / "report.html"
    if as_json:
        options = done.run.read_json("config.json")["model"]["options"]
        print_json(
            {
                "run": done.run.path,
                "report": report,
                **options,
                "dataset": done.dataset["name"],
                "test": done.evaluation.as_json(),
            }
        )
        return
    print(done.evaluation.as_text())
    print(f"report: {report}")
