"""`kerasnlp-lab train`: one model, from rows to a run directory."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.interrupts import note_what_is_kept
from kerasnlp_lab.cli.json_output import Json, print_json, printing_to_stderr_if
from kerasnlp_lab.cli.option_groups import option_group, options_of, recipe_options
from kerasnlp_lab.cli.options import (
    CheckpointEvery,
    Deterministic,
    Precision,
    Seed,
    Strategy,
    TaskName,
    import_tensorflow,
    parse_assignments,
    results_folder,
)
from kerasnlp_lab.cli.rows import RowsOptions, rows_options
from kerasnlp_lab.cli.running import connect_workers, is_given, kept_of, stop_on_sigterm
from kerasnlp_lab.errors import OptionError

if TYPE_CHECKING:
    from kerasnlp_lab.data import TextDataset
    from kerasnlp_lab.lab import ExperimentConfig
    from kerasnlp_lab.lab.experiment import Experiment
    from kerasnlp_lab.training import RunDirectory
    from kerasnlp_lab.zoo import ZooEntry

__all__ = ["MOVED", "ModelOptions", "print_result", "train"]


@dataclass(frozen=True)
class ModelOptions:
    """The options of the command that set options of the model."""

    option: Annotated[
        list[str] | None, typer.Option(help="An option of the model, NAME=VALUE: see 'zoo show'.")
    ] = None
    max_length: Annotated[
        int | None, typer.Option(help="The longest text, in the model's own tokens.")
    ] = None
    long_texts: Annotated[
        str | None,
        typer.Option(
            help="What is read of texts longer than that: head, tail, head_tail or windows."
        ),
    ] = None
    head_units: Annotated[
        int | None, typer.Option(help="Units of a hidden layer in the head; 0 for no such layer.")
    ] = None
    frozen_layers: Annotated[
        int | None, typer.Option(help="How many of a reopened BERT's lowest layers stay frozen.")
    ] = None
    encoder: Annotated[
        str | None,
        typer.Option(help="How a BERT is run: 'module', as TF Hub has it, or 'reopened'."),
    ] = None
    precision: Precision = None

    def changes(self, entry: ZooEntry) -> dict[str, Any]:
        """Returns the options of a model that are given, by name."""
        names = ("max_length", "long_texts", "head_units", "frozen_layers", "encoder")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        given |= entry.precision_options(self.precision)
        return given | parse_assignments(self.option or [])


@recipe_options
@rows_options()
@option_group("model_options", options_of(ModelOptions), ModelOptions)
def train(
    context: typer.Context,
    *,
    model: Annotated[
        str | None,
        typer.Option(help="A name of 'zoo list' or 'hub list', or a folder with a BERT."),
    ] = None,
    preset_name: Annotated[
        str | None,
        typer.Option("--recipe", help="Model, dataset and settings by one name: 'zoo recipes'."),
    ] = None,
    task: TaskName = "classification",
    rows: RowsOptions,
    output: Annotated[
        Path | None, typer.Option(help="The run directory (default: runs/MODEL-TIME).")
    ] = None,
    recipe_changes: dict[str, Any],
    model_options: ModelOptions,
    threshold: Annotated[
        str | None,
        typer.Option(
            help="With two classes: auto, none, f1, mcc, fpr=SHARE, or a probability. With several "
            "labels a text: auto, macro_f1, micro_f1, common, or a probability."
        ),
    ] = None,
    positive_class: Annotated[
        str | None,
        typer.Option(help="With two classes, the one to detect (default: the rarer)."),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            help="Train on all rows of a table, and test by cross-validation in so many parts; 0 "
            "holds rows out."
        ),
    ] = None,
    checkpoint_every: CheckpointEvery = "5m",
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Resume this run directory, with its own settings; with --data NEW_PLACE if its "
            "table has moved."
        ),
    ] = None,
    deterministic: Deterministic = False,
    strategy: Strategy = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train one model, test it once, and write a run directory.

    Settings that are not given come from --recipe, or else from the model: see 'zoo show'.

    To resume a run that was stopped, say --resume RUN, or repeat a command with --output.
    """
    if resume is not None:
        _resume(context, resume, rows, as_json)
        return
    if task == "generation" and model is None and preset_name is None:
        model = "rnn_seq2seq"  # no other model writes texts
    if model is None and preset_name is None:
        raise OptionError("say --model NAME (see 'zoo list') or --recipe NAME (see 'zoo recipes')")
    if strategy == "multi_worker" and output is None:
        raise OptionError("multi_worker needs an --output, the same folder on all workers")
    import_tensorflow()
    from kerasnlp_lab.lab import ExperimentConfig, find_preset
    from kerasnlp_lab.tasks.registry import find_task
    from kerasnlp_lab.zoo import find_model

    with printing_to_stderr_if(as_json):
        connect_workers(strategy)
        preset = None if preset_name is None else find_preset(preset_name)
        name = preset.model if preset and not model else str(model)
        entry = find_model(name)
        options, fields = preset.settings_for(entry, find_task(task)) if preset else ({}, {})
        rows = rows.or_of_preset(preset) if preset else rows
        held_out_by = rows.held_out_by(task)
        if folds and held_out_by:
            raise OptionError(
                f"--folds does not go with {held_out_by}: it tests by all rows of one --data TABLE "
                "with a label a text; leave out --folds, or what holds rows out"
            )
        if folds is None:
            folds = preset.folds if preset else 0
            if folds and held_out_by:
                print(f"rows are held out: no cross-validation goes with {held_out_by}")
                folds = 0
        config = ExperimentConfig(
            # The whole path of a folder, so that the run can be resumed from anywhere.
            os.path.abspath(name) if os.path.isabs(entry.card.name) else name,
            options | model_options.changes(entry),
            dataclasses.replace(entry.recipe_for(task), **(fields | recipe_changes)),
            task=task,
            threshold=threshold or (preset.threshold if preset else "auto"),
            positive_class=positive_class,
            strategy=strategy,
            seed=seed,
            deterministic=deterministic,
            folds=folds,
            checkpoint_every=checkpoint_every,
        )
        data = ((folds and rows.in_folds()) or rows).load(find_task(task).annotation)
        experiment = _run(config, data, results_folder(output, preset_name or name))
    print_result(experiment, as_json)


def _run(config: ExperimentConfig, data: TextDataset, run: Path) -> Experiment:
    import rich.console

    from kerasnlp_lab.lab import run_experiment

    stop_on_sigterm(run, "train")
    with note_what_is_kept(lambda: kept_of(run, "train")):
        return run_experiment(config, data, run, console=rich.console.Console(soft_wrap=True))


MOVED = ("data", "validation_data", "test_data", "data_dir")  # the options for files that moved


def _resume(context: typer.Context, run: Path, rows: RowsOptions, as_json: bool) -> None:
    """Resumes a run, or prints the results of one that is finished."""
    given = {one.name: one.opts[0] for one in context.command.params if is_given(context, one)}
    allowed = ("resume", "strategy", "as_json", *MOVED)
    wrong = [flag for name, flag in given.items() if name not in allowed]
    if wrong:
        raise OptionError(
            f"--resume takes every setting from the run directory; leave out {', '.join(wrong)}"
        )
    import_tensorflow()
    import rich.console

    from kerasnlp_lab.lab import resume_experiment
    from kerasnlp_lab.training import RunDirectory

    directory = RunDirectory(run)
    if not directory.unfinished:
        _print_finished(RunDirectory.open(run), as_json)
        return
    strategy = directory.read_json("config.json")["strategy"]["name"]
    if "strategy" in given:
        strategy = context.params["strategy"]
    with printing_to_stderr_if(as_json):
        connect_workers(strategy)
        stop_on_sigterm(run, "train")
        with note_what_is_kept(lambda: kept_of(run, "train")):
            console = rich.console.Console(soft_wrap=True)
            moved = {name: str(getattr(rows, name)) for name in MOVED if name in given}
            experiment = resume_experiment(run, moved=moved, strategy=strategy, console=console)
    print_result(experiment, as_json)


def print_result(experiment: Experiment, as_json: bool) -> None:
    """Prints the results of a run."""
    run, training = experiment.run, experiment.training
    if as_json:
        config = experiment.config.to_json() | {"dataset": experiment.dataset}
        metrics = {"test": experiment.evaluation.as_json(), "training": vars(training)}
        print_json(_result(run, config, metrics))
        return
    if experiment.config.strategy == "multi_worker":  # shows that all workers have the same
        print(f"final state {training.final_sha256[:16]}")
    print(experiment.evaluation.as_text())
    print(f"report: {run.path / 'report.html'}")
    if rejected := experiment.dataset["rejected_rows"]:
        print(f"{rejected} rows were skipped: {run.path / 'rejects.csv'}")


def _print_finished(run: RunDirectory, as_json: bool) -> None:
    run.tidy()
    if as_json:
        print_json(_result(run, run.read_json("config.json"), run.read_json("metrics.json")))
    else:
        print(f"this run is finished: {run.path / 'report.html'}")


def _result(
    run: RunDirectory, config: Mapping[str, Any], metrics: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the keys that --json prints for a finished run."""
    return {
        "run": run.path,
        "report": run.path / "report.html",
        "model": config["model"]["name"],
        "dataset": config["dataset"]["name"],
        "rejected_rows": config["dataset"]["rejected_rows"],
        "test": metrics["test"],
        "training": metrics["training"],
    }
