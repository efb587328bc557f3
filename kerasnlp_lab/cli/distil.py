"""`kerasnlp-lab distil`: a small student that learns the answers of a trained run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from kerasnlp_lab.cli.interrupts import note_what_is_kept
from kerasnlp_lab.cli.json_output import Json, printing_to_stderr_if
from kerasnlp_lab.cli.option_groups import option_group, options_of, recipe_options
from kerasnlp_lab.cli.options import (
    CheckpointEvery,
    Deterministic,
    Seed,
    Strategy,
    import_tensorflow,
    results_folder,
)
from kerasnlp_lab.cli.rows import TABLE_FORMAT, RowsOptions, rows_options
from kerasnlp_lab.cli.running import kept_of, stop_on_sigterm
from kerasnlp_lab.cli.train import MOVED, ModelOptions, print_result
from kerasnlp_lab.errors import OptionError, check_option
from kerasnlp_lab.paths import our_command

__all__ = ["distil"]

OF_TEXTS = ("text_column", "second_text_column", *TABLE_FORMAT)


@recipe_options
@rows_options(*OF_TEXTS, "bad_rows", "leaks", *MOVED)
@option_group("model_options", options_of(ModelOptions), ModelOptions)
def distil(
    *,
    run: Annotated[Path, typer.Argument(help="The teacher: the directory of a finished run.")],
    student: Annotated[
        str, typer.Option(help="The model to train: a name of 'zoo list', or a folder with a BERT.")
    ] = "transformer",
    unlabelled: Annotated[
        list[str] | None,
        typer.Option(
            help="More texts for the teacher to answer: a file with a text a line, a table, a "
            "folder, 'PATTERN*', or -; several."
        ),
    ] = None,
    rows: RowsOptions,
    output: Annotated[
        Path | None, typer.Option(help="The run directory (default: runs/STUDENT-TIME).")
    ] = None,
    hard: Annotated[
        float, typer.Option(help="Share of a row's own label in its loss, from 0 to 1.")
    ] = 0.5,
    temperature: Annotated[
        float, typer.Option(help="Divisor of both models' logits in the soft loss.")
    ] = 1.0,
    recipe_changes: dict[str, Any],
    model_options: ModelOptions,
    checkpoint_every: CheckpointEvery = "5m",
    deterministic: Deterministic = False,
    strategy: Strategy = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train a small model on the answers of a trained one.

    The small one, the student, is nearly as accurate and many times as fast. It learns from the
    teacher's own rows, and from more texts without labels, whose table the options of columns are
    for. It comes out as any other run. To resume one that was stopped, repeat the command or say
    'train --resume RUN'. --data, --validation-data, --test-data and --data-dir name the new places
    of files that the teacher was trained on, if they have moved.
    """
    check_option("--bad-rows", rows.bad_rows, rows.bad_rows in ("stop", "skip"), "stop or skip")
    for name in () if unlabelled else OF_TEXTS:
        if getattr(rows, name) is not None:
            flag = f"--{name.replace('_', '-')}"
            raise OptionError(f"{flag} is for more texts: say --unlabelled FILE, or leave it out")
    check_option("--leaks", rows.leaks, rows.leaks in ("keep", "drop"), "keep or drop")
    import_tensorflow()
    import rich.console

    from kerasnlp_lab.data.unlabelled_files import UnlabelledFiles
    from kerasnlp_lab.lab import run_experiment
    from kerasnlp_lab.lab.distillation import Distillation, Teaching, teacher_rows
    from kerasnlp_lab.zoo import find_model

    moved = {name: str(place) for name in MOVED if (place := getattr(rows, name)) is not None}
    with printing_to_stderr_if(as_json):
        entry = find_model(student)
        texts = UnlabelledFiles(
            paths=tuple(unlabelled or ()),
            text_columns=tuple(rows.text_column or ()),
            second_text_column=rows.second_text_column or "",
            format=rows.table_format(),
            skip_bad_rows=rows.bad_rows == "skip",
        )
        settings = Distillation(
            teacher=str(run),
            unlabelled=texts,
            leaks=rows.leaks,
            temperature=temperature,
            hard=hard,
        )
        teaching = Teaching(settings, teacher_rows(settings, moved))
        config = teaching.student(
            os.path.abspath(student) if os.path.isabs(entry.card.name) else student,
            model_options.changes(entry),
            recipe_changes,
            strategy=strategy,
            seed=seed,
            deterministic=deterministic,
            checkpoint_every=checkpoint_every,
        )
        folder = results_folder(output, student)
        stop_on_sigterm(folder, "train")
        console = rich.console.Console(soft_wrap=True)
        with note_what_is_kept(lambda: kept_of(folder, "train")):
            done = run_experiment(config, teaching.data, folder, teaching=teaching, console=console)
    print_result(done, as_json)
    if not as_json and "," not in f"{teaching.run.path}{folder}":
        runs = f"{teaching.run.path},{folder}"
        print(f"compare both: {our_command('compare', '--runs', runs)}")
