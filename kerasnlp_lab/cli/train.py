"""`kerasnlp-lab train`."""

from __future__ import annotations

import dataclasses
import signal
import sys
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.interrupts import ends_without_words, keeps
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
    parse_assignments,
)
from kerasnlp_lab.errors import OptionError, TrainingStopped

if TYPE_CHECKING:
    from kerasnlp_lab.lab.experiment import Experiment
    from kerasnlp_lab.training import RunDirectory

__all__ = ["train"]


def train(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Option(help="A name of 'zoo list' or 'hub list', or a folder with a BERT."),
    ] = None,
    recipe_name: Annotated[
        str | None,
        typer.Option("--recipe", help="Model, dataset and settings by one name: 'zoo recipes'."),
    ] = None,
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
        Path | None, typer.Option(help="The run directory (default: runs/MODEL-TIME).")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs with everything trainable.")] = None,
    frozen_epochs: Annotated[
        int | None, typer.Option(help="Epochs before, with the encoder frozen.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows in a global batch.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The peak.")] = None,
    head_learning_rate: Annotated[
        float | None, typer.Option(help="The peak in the epochs with a frozen encoder.")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="adamw or adam.")] = None,
    warmup_fraction: Annotated[float | None, typer.Option(help="Share of warm-up steps.")] = None,
    layer_decay: Annotated[
        float | None, typer.Option(help="Learning rate of a layer by that above it; 1 for all.")
    ] = None,
    clip_norm: Annotated[
        float | None, typer.Option(help="Largest global norm of the gradients; 0 for any.")
    ] = None,
    class_weight: Annotated[
        str | None, typer.Option(help="none, balanced, or CLASS=WEIGHT with commas between.")
    ] = None,
    label_smoothing: Annotated[float | None, typer.Option(help="0 for none.")] = None,
    patience: Annotated[int | None, typer.Option(help="Epochs without a better loss.")] = None,
    min_steps_per_epoch: Annotated[
        int | None, typer.Option(help="Repeat few rows to this many steps.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="An option of the model, NAME=VALUE: see 'zoo show'.")
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="The longest text, in the model's own tokens.")
    ] = None,
    head_units: Annotated[
        int | None, typer.Option(help="Of a hidden layer in the head; 0 for none.")
    ] = None,
    frozen_layers: Annotated[
        int | None, typer.Option(help="Lowest layers of a reopened BERT that stay as they are.")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="How a BERT is run: 'module', as TF Hub has it, or 'reopened'."),
    ] = None,
    precision: Precision = None,
    threshold: Annotated[
        str | None,
        typer.Option(help="Of two classes: auto, none, f1, mcc, fpr=SHARE, or a probability."),
    ] = None,
    positive_class: Annotated[
        str | None, typer.Option(help="Of two classes, the one it is for (default: the rarer).")
    ] = None,
    checkpoint_every: Annotated[
        str, typer.Option(help="When to save what it can go on from: 60s, 5m, 200steps, off.")
    ] = "5m",
    resume: Annotated[
        Path | None,
        typer.Option(help="Go on with this run directory; all else is as it was begun."),
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Only operations that give the same every time."),
    ] = False,
    strategy: Strategy = "auto",
    seed: Seed = 0,
    split_seed: SplitSeed = None,
    validation_fraction: ValidationFraction = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Train one model, test it once, and write a run directory.

    What is not given comes from the --recipe, or else from the model's own: see 'zoo show'.

    A run that was stopped goes on with --resume RUN, or with the command that began it
    where that has an --output.
    """
    if resume is not None:
        _resume(context, resume, as_json)
        return
    if model is None and recipe_name is None:
        raise OptionError("say --model NAME (see 'zoo list') or --recipe NAME (see 'zoo recipes')")
    recipe_changes: dict[str, Any] = {
        "epochs": epochs,
        "frozen_epochs": frozen_epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "head_learning_rate": head_learning_rate,
        "optimizer": optimizer,
        "warmup_fraction": warmup_fraction,
        "layer_decay": layer_decay,
        "clip_norm": clip_norm,
        "class_weight": class_weight,
        "label_smoothing": label_smoothing,
        "patience": patience,
        "min_steps_per_epoch": min_steps_per_epoch,
    }
    import_tensorflow()
    import rich.console

    from kerasnlp_lab.lab import find_recipe, run_experiment
    from kerasnlp_lab.zoo import find_model

    if strategy == "multi_worker" and output is None:
        raise OptionError("multi_worker needs an --output, the same folder on all workers")
    with said_apart(as_json):
        _meet(strategy)
        named = None if recipe_name is None else find_recipe(recipe_name)
        if named is not None:
            model = model or named.model
            dataset = named.dataset if dataset is None and table is None else dataset
            split_seed = named.split_seed if split_seed is None else split_seed
            threshold = threshold or named.threshold
        assert model is not None
        entry = find_model(model)
        named_options, training = named.settings_for(entry) if named else ({}, {})
        given = {name: value for name, value in recipe_changes.items() if value is not None}
        recipe = dataclasses.replace(entry.recipe, **{**training, **given})
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
        shorthands = {
            "encoder": encoder,
            "max_length": max_length,
            "head_units": head_units,
            "frozen_layers": frozen_layers,
        }
        options = {name: value for name, value in shorthands.items() if value is not None}
        options |= entry.precision_options(precision)
        options = {**named_options, **options, **parse_assignments(option or [])}
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        run = output or Path("runs") / f"{(recipe_name or model).replace('/', '_')}-{stamp}"
        _note_sigterm(run)
        with keeps(lambda: _what_is_kept(run)):
            experiment = run_experiment(
                model,
                data,
                run,
                recipe=recipe,
                options=options,
                threshold=threshold or "auto",
                positive_class=positive_class,
                strategy=strategy,
                seed=seed,
                deterministic=deterministic,
                checkpoint_every=checkpoint_every,
                console=rich.console.Console(soft_wrap=True),
            )
    _show(experiment, strategy, as_json)


def _resume(context: typer.Context, run: Path, as_json: bool) -> None:
    """Goes on with a run."""
    given = [name for name in context.params if _is_given(context, name)]
    allowed = ("resume", "strategy", "as_json")
    wrong = [f"--{name.replace('_', '-')}" for name in given if name not in allowed]
    if wrong:
        raise OptionError(
            f"--resume goes on with the run as it was begun; leave out {', '.join(wrong)}"
        )
    import_tensorflow()
    import rich.console

    from kerasnlp_lab.lab import resume_experiment
    from kerasnlp_lab.training import RunDirectory

    directory = RunDirectory(run)
    if not directory.unfinished:
        finished = RunDirectory.open(run)
        finished.tidy()
        if as_json:
            print_json(_result(finished, finished.read_json("metrics.json")))
        else:
            print(f"this run is finished: {run / 'report.html'}")
        return
    strategy = directory.read_json("config.json")["strategy"]["name"]
    if "strategy" in given:
        strategy = context.params["strategy"]
    with said_apart(as_json):
        _meet(strategy)
        _note_sigterm(run)
        with keeps(lambda: _what_is_kept(run)):
            console = rich.console.Console(soft_wrap=True)
            experiment = resume_experiment(run, strategy=strategy, console=console)
    _show(experiment, strategy, as_json)


def _meet(strategy: str) -> None:
    """Lets several workers meet, which they have to before TensorFlow does anything else."""
    from kerasnlp_lab.training import make_strategy

    if strategy != "multi_worker":
        make_strategy(strategy)
        return
    print("waiting for the other workers", file=sys.stderr)
    with ends_without_words():
        make_strategy(strategy)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _note_sigterm(run: Path) -> None:
    """Ends the command on SIGTERM where nothing needs saving; a training in its steps saves."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TrainingStopped(
            f"stopped by SIGTERM; go on with: kerasnlp-lab train --resume {run}", signal.SIGTERM
        )

    signal.signal(signal.SIGTERM, stop)


def _what_is_kept(run: Path) -> str:
    from kerasnlp_lab.training import RunDirectory

    if RunDirectory(run).unfinished:
        return f"{run} is kept, go on with: kerasnlp-lab train --resume {run}"
    return f"{run} is finished" if (run / "metrics.json").is_file() else ""


def _show(experiment: Experiment, strategy: str, as_json: bool) -> None:
    from kerasnlp_lab.evaluation.report import evaluation_text

    run, training = experiment.run, experiment.training
    if as_json:
        metrics = {"test": experiment.evaluation.as_json(), "training": vars(training)}
        print_json(_result(run, metrics))
        return
    if strategy == "multi_worker":  # to see that all workers have the same
        print(f"final state {training.final_sha256[:16]}")
    print(evaluation_text(experiment.evaluation))
    print(f"report: {run.path / 'report.html'}")
    rejected = run.read_json("config.json")["dataset"]["rejected_rows"]
    if rejected:
        print(f"{rejected} rows were left out: {run.path / 'rejects.csv'}")


def _result(run: RunDirectory, metrics: dict[str, Any]) -> dict[str, Any]:
    """Returns what --json prints of a finished run."""
    config = run.read_json("config.json")
    return {
        "run": run.path,
        "report": run.path / "report.html",
        "model": config["model"]["name"],
        "dataset": config["dataset"]["name"],
        "rejected_rows": config["dataset"]["rejected_rows"],
        "test": metrics["test"],
        "training": metrics["training"],
    }
