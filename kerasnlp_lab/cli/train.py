"""`kerasnlp-lab train`."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kerasnlp_lab.cli.options import (
    BadRows,
    DataDir,
    Dataset,
    LabelColumn,
    Leaks,
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
    parse_assignments,
    quiet_tensorflow,
)
from kerasnlp_lab.errors import OptionError

__all__ = ["train"]


def train(
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
    threshold: Annotated[
        str | None,
        typer.Option(help="Of two classes: auto, none, f1, mcc, fpr=SHARE, or a probability."),
    ] = None,
    positive_class: Annotated[
        str | None, typer.Option(help="Of two classes, the one it is for (default: the rarer).")
    ] = None,
    strategy: Strategy = "auto",
    seed: Seed = 0,
    split_seed: SplitSeed = None,
    validation_fraction: ValidationFraction = None,
    data_dir: DataDir = None,
) -> None:
    """Train one model, test it once, and write a run directory.

    What is not given comes from the --recipe, or else from the model's own: see 'zoo show'.
    """
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
    quiet_tensorflow()
    import rich.console

    from kerasnlp_lab.evaluation import find_recipe, run_experiment
    from kerasnlp_lab.evaluation.report import evaluation_text
    from kerasnlp_lab.zoo import find_model

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
    options = {**named_options, **options, **parse_assignments(option or [])}
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    console = rich.console.Console(soft_wrap=True)
    experiment = run_experiment(
        model,
        data,
        output or Path("runs") / f"{(recipe_name or model).replace('/', '_')}-{stamp}",
        recipe=recipe,
        options=options,
        threshold=threshold or "auto",
        positive_class=positive_class,
        strategy=strategy,
        seed=seed,
        console=console,
    )
    print(evaluation_text(experiment.evaluation))
    if data.rejected:
        rejects = experiment.run.path / "rejects.csv"
        console.print(f"{len(data.rejected)} rows were left out: {rejects}", highlight=False)
    console.print(f"report: {experiment.run.path / 'report.html'}", highlight=False)
