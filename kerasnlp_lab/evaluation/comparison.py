"""`compare`: several models on the same rows, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rich.box
import rich.console
import rich.table

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import TextDataset
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.evaluation.experiment import Experiment, describe_dataset, run_experiment
from kerasnlp_lab.evaluation.mcnemar import mcnemar_exact
from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.paths import write_whole
from kerasnlp_lab.training import RunDirectory, make_strategy
from kerasnlp_lab.zoo import find_model

__all__ = ["Comparison", "compare", "leaderboard_table"]

SIGNIFICANCE = 0.05


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several models on one dataset.

    Args:
        rows: The leaderboard, most accurate first: model, accuracy, interval, and so on.
        verdicts: For each pair of neighbours, a sentence with McNemar's p-value.
        experiments: The runs, by model.
    """

    rows: list[dict[str, Any]]
    verdicts: list[str]
    experiments: dict[str, Experiment]


def compare(
    models: Sequence[str],
    data: TextDataset,
    output: str | Path,
    *,
    strategy: str = "auto",
    seed: int = 0,
    console: rich.console.Console | None = None,
) -> Comparison:
    """Trains each model by its own recipe on the same rows, and ranks them on the test split.

    Args:
        models: Names in the zoo.
        data: The rows.
        output: The folder for comparison.json, report.html and a run directory a model.
        strategy: One of `kerasnlp_lab.training.strategy.STRATEGIES`.
        seed: Initial weights, dropout and order of the rows.
        console: Where to show progress; None for nowhere.

    Raises:
        KerasnlpLabError: Any of the mistakes that a user can mend.
    """
    if not models or len(set(models)) < len(models):
        raise OptionError(f"name each model to compare once, got {', '.join(models) or 'none'}")
    entries = [find_model(model) for model in models]
    make_strategy(strategy)
    for entry in entries:  # before the first is trained for an hour
        entry.prepare()
    folder = RunDirectory.create(output, {"models": list(models), "seed": seed})
    experiments = {}
    for model in models:
        if console is not None:
            console.print(f"[bold]{model}[/bold]")
        keras.backend.clear_session()
        run_folder = folder.path / folder_name(model)
        experiments[model] = run_experiment(
            model, data, run_folder, strategy=strategy, seed=seed, console=console
        )
    ranked = sorted(experiments.values(), key=lambda one: -one.evaluation.accuracy)
    rows = [_row(folder, experiment) for experiment in ranked]
    verdicts = [_verdict(a, b) for a, b in zip(ranked, ranked[1:], strict=False)]
    _write(folder, rows, verdicts, data, seed)
    return Comparison(rows, verdicts, experiments)


def folder_name(model: str) -> str:
    """Returns the name of a model's folder: slashes would make two."""
    return model.replace("/", "_")


def leaderboard_table(rows: Sequence[dict[str, Any]]) -> rich.table.Table:
    """Returns the leaderboard for the terminal, 80 columns wide but for long names."""
    table = rich.table.Table(box=rich.box.SIMPLE, pad_edge=False, padding=0)
    table.add_column("model", no_wrap=True)
    columns = ("accuracy", "95%\ninterval", "macro\nF1", "params", "train\ns")
    for column in (*columns, "train\ntexts/s", "predict\ntexts/s", "MB"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        low, high = row["interval"]
        speed = row["train_texts_per_second"]
        table.add_row(
            row["model"],
            f"[bold]{row['accuracy']:.4f}[/bold]",
            f"{low:.3f}-{high:.3f}",
            f"{row['macro_f1']:.4f}",
            _parameters(row["trained_parameters"], row["total_parameters"]),
            f"{row['train_seconds']:.0f}",
            f"{speed:.0f}" if speed else "-",
            f"{row['predict_texts_per_second']:.0f}",
            f"{row['model_bytes'] / 1e6:.1f}",
        )
    return table


def _parameters(trained: int, total: int) -> str:
    """Returns the total, behind the number trained where that rounds to less."""
    short = [f"{n / 1e6:.1f}M" if n >= 1e6 else f"{n / 1e3:.0f}k" for n in (trained, total)]
    return "/".join(dict.fromkeys(short))


def _row(folder: RunDirectory, experiment: Experiment) -> dict[str, Any]:
    evaluation, training = experiment.evaluation, experiment.training
    return {
        "model": experiment.run.read_json("config.json")["model"]["name"],
        "folder": str(experiment.run.path.relative_to(folder.path)),
        "accuracy": evaluation.accuracy,
        "interval": evaluation.interval,
        "macro_f1": evaluation.macro_f1,
        "trained_parameters": training.trained_parameters,
        "total_parameters": training.total_parameters,
        "train_seconds": training.seconds,
        "train_texts_per_second": training.texts_per_second,
        "predict_texts_per_second": evaluation.texts_per_second,
        "model_bytes": experiment.run.model_bytes(),
    }


def _verdict(better: Experiment, worse: Experiment) -> str:
    a, b = better.evaluation, worse.evaluation
    p = mcnemar_exact(a.predicted == a.labels, b.predicted == b.labels)
    names = [one.run.read_json("config.json")["model"]["name"] for one in (better, worse)]
    difference = 100 * (a.accuracy - b.accuracy)
    if p < SIGNIFICANCE:
        return f"{names[0]} is better than {names[1]} by {difference:.2f} points (p = {p:.2g})"
    return (
        f"{names[0]} and {names[1]}: a difference of {difference:.2f} points is within noise "
        f"(p = {p:.2g})"
    )


def _write(
    folder: RunDirectory,
    rows: list[dict[str, Any]],
    verdicts: list[str],
    data: TextDataset,
    seed: int,
) -> None:
    plots = [
        {
            name: (folder.path / row["folder"] / f"{file}.png").read_bytes()
            for name, file in (("confusion", "confusion"), ("curves", "learning_curves"))
        }
        for row in rows
    ]
    page = render_page(
        "comparison.html.j2",
        rows=[{**row, **images} for row, images in zip(rows, plots, strict=True)],
        verdicts=verdicts,
        dataset=describe_dataset(data),
        seed=seed,
    )
    write_whole(folder.path / "report.html", page)
    folder.write_json(
        "comparison.json",
        {"dataset": describe_dataset(data), "seed": seed, "leaderboard": rows, "mcnemar": verdicts},
    )
