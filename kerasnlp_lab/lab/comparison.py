"""`compare`: several models on the same rows, over seeds and training-set sizes."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rich.console

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import ShardedSplit, TextDataset, describe_dataset
from kerasnlp_lab.data.row_labels import strata
from kerasnlp_lab.data.splits import stratified_order
from kerasnlp_lab.errors import OptionError, check_option
from kerasnlp_lab.evaluation.plots import png_bytes
from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.lab.config import DEFAULT_TASK, ExperimentConfig
from kerasnlp_lab.lab.experiment import Experiment, run_experiment
from kerasnlp_lab.lab.leaderboard import learning_curve_figure, model_row
from kerasnlp_lab.lab.verdicts import verdict
from kerasnlp_lab.paths import write_whole
from kerasnlp_lab.training import RunDirectory, make_strategy
from kerasnlp_lab.zoo import find_model

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several models on one dataset.

    Args:
        rows: The leaderboard of the largest training set, most accurate first: model,
            accuracy, interval, and so on; means over the seeds.
        verdicts: A sentence with a p-value for each pair of neighbours.
        experiments: The runs of each model on that training set, one for each seed.
        curves: The leaderboard for each number of training rows, smallest first; empty if no
            sizes were asked for.
        curve_verdicts: A sentence on the two best models for each size.
    """

    rows: list[dict[str, Any]]
    verdicts: list[str]
    experiments: dict[str, list[Experiment]]
    curves: dict[int, list[dict[str, Any]]]
    curve_verdicts: list[str]


def compare(
    models: Sequence[str],
    data: TextDataset,
    output: str | Path,
    *,
    seeds: int = 1,
    sizes: Sequence[int | str] = (),
    task: str = DEFAULT_TASK,
    precision: str | None = None,
    strategy: str = "auto",
    seed: int = 0,
    console: rich.console.Console | None = None,
) -> Comparison:
    """Trains each model by its own recipe on the same rows and ranks them by test accuracy.

    Args:
        models: Names in the zoo.
        data: The rows.
        output: The folder for comparison.json, report.html and the run directories.
        seeds: How often each is trained, with consecutive seeds.
        sizes: Numbers of training rows, or "all", for a learning curve. Each training set is
            a part of the next larger, with the same share of each class; validation and test
            rows are the same for all.
        task: The task's name.
        precision: The precision that encoders compute in; None takes the quickest here.
        strategy: One of `kerasnlp_lab.training.strategy.STRATEGIES`.
        seed: The first seed of initial weights, dropout and order of the rows. The choice of
            rows does not depend on it.
        console: Where to show progress; None shows nothing.

    Raises:
        KerasnlpLabError: Any of the mistakes that a user can mend.
    """
    if not models or len(set(models)) < len(models):
        raise OptionError(f"name each model to compare once, got {', '.join(models) or 'none'}")
    check_option("seeds", seeds, seeds >= 1, "1 or more")
    fits = strategy != "multi_worker"
    check_option("strategy", strategy, fits, "one for a single machine; use train for several")
    parts = _training_sets(data, sizes)
    entries = [find_model(model) for model in models]
    configs = [
        ExperimentConfig(
            model,
            entry.precision_options(precision),
            task=task,
            strategy=strategy,
            seed=seed,
        )
        for model, entry in zip(models, entries, strict=True)
    ]
    make_strategy(strategy)
    for entry in entries:  # before the first is trained for an hour
        entry.prepare()
    folder = RunDirectory.create(
        output, {"models": list(models), "seed": seed, "seeds": seeds, "sizes": list(parts)}
    )
    ranked: dict[int, list[list[Experiment]]] = {}
    for size, part in parts.items():
        runs: list[list[Experiment]] = []
        for base in configs:
            runs.append([])
            for number in range(seed, seed + seeds):
                config = dataclasses.replace(base, seed=number)
                name = _run_name(base.model, size if sizes else None, number if seeds > 1 else None)
                if console is not None:
                    console.print(name, style="bold", markup=False, highlight=False)
                keras.backend.clear_session()
                where = folder.path / folder_name(name)
                first = number == seed
                runs[-1].append(run_experiment(config, part, where, console=console, notes=first))
                # The rows decide some options, once for all seeds.
                base = dataclasses.replace(base, options=runs[-1][-1].config.options)
        ranked[size] = sorted(runs, key=lambda one: -_mean_headline(one))
    return _summarize(folder, data, ranked, bool(sizes), seed)


def _training_sets(data: TextDataset, sizes: Sequence[int | str]) -> dict[int, TextDataset]:
    """Returns the dataset with each number of training rows, smallest first."""
    if not sizes:
        return {len(data.train): data}
    if isinstance(data.train, ShardedSplit):
        raise OptionError("sizes need a table: give the table that the shards were made from")
    rows = len(data.train)
    numbers = set()
    for size in sizes:
        try:
            number = rows if size == "all" else int(size)
        except ValueError:
            number = 0
        check_option("a size", size, 0 < number <= rows, f"all, or from 1 to {rows} rows")
        numbers.add(number)
    order = stratified_order(strata(data.train), seed=0)
    parts = {}
    for number in sorted(numbers):
        some = np.sort(order[:number])
        train, names = data.train.take(some), data.label_names
        spans = data.annotation == "spans"
        counts = train.span_counts(names) if spans else train.label_counts(len(names))
        expected = f"large enough to include all {len(names)} classes"
        check_option("a size", number, bool(counts.all()), expected)
        parts[number] = data if number == rows else dataclasses.replace(data, train=train)
    return parts


def _run_name(model: str, size: int | None, seed: int | None) -> str:
    parts = [
        model,
        None if size is None else f"{size}-rows",
        None if seed is None else f"seed-{seed}",
    ]
    return "-".join(part for part in parts if part)


def folder_name(model: str) -> str:
    """Returns the folder name of a model: without slashes."""
    return model.replace("/", "_")


def _mean_headline(runs: Sequence[Experiment]) -> float:
    return float(np.mean([run.evaluation.headline[1] for run in runs]))


def _summarize(
    folder: RunDirectory,
    data: TextDataset,
    ranked: dict[int, list[list[Experiment]]],
    sized: bool,
    seed: int,
) -> Comparison:
    tables = {size: [model_row(folder.path, runs) for runs in all] for size, all in ranked.items()}
    largest = ranked[max(ranked)]
    result = Comparison(
        rows=tables[max(ranked)],
        verdicts=[_verdict(a, b) for a, b in itertools.pairwise(largest)],
        experiments={runs[0].config.model: runs for runs in largest},
        curves=tables if sized else {},
        curve_verdicts=[
            f"{size} rows: {_verdict(runs[0], runs[1])}"
            for size, runs in ranked.items()
            if sized and len(runs) > 1
        ],
    )
    _write(folder, result, data, seed)
    return result


def _verdict(better: Sequence[Experiment], worse: Sequence[Experiment]) -> str:
    names = better[0].config.model, worse[0].config.model
    return verdict(names, *([run.evaluation for run in runs] for runs in (better, worse)))


def _write(folder: RunDirectory, result: Comparison, data: TextDataset, seed: int) -> None:
    main_figure = next(iter(result.experiments.values()))[0].evaluation.main_figure
    files = {"main_figure": f"{main_figure}.png", "curves": "learning_curves.png"}
    plots = [
        {  # a figure that could not be drawn has no file
            name: path.read_bytes()
            for name, file in files.items()
            if (path := folder.path / row["folder"] / file).is_file()
        }
        for row in result.rows
    ]
    curve = png_bytes(learning_curve_figure(result.curves)) if result.curves else None
    if curve is not None:
        write_whole(folder.path / "learning_curve.png", curve)
    dataset = describe_dataset(data)
    page = render_page(
        "kerasnlp_lab.lab",
        "comparison.html.j2",
        rows=[{**row, **images} for row, images in zip(result.rows, plots, strict=True)],
        verdicts=result.verdicts,
        curves=result.curves,
        curve=curve,
        curve_verdicts=result.curve_verdicts,
        dataset=dataset,
        main_figure=main_figure,
        seed=seed,
    )
    write_whole(folder.path / "report.html", page)
    folder.write_json(
        "comparison.json",
        {
            "dataset": dataset,
            "seed": seed,
            "leaderboard": result.rows,
            "paired_tests": result.verdicts,
            "learning_curve": result.curves,
            "learning_curve_paired_tests": result.curve_verdicts,
        },
    )
