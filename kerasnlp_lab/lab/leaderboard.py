"""The leaderboard: one row for each model, for the terminal, JSON and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rich.box
import rich.table
from matplotlib.figure import Figure
from rich.markup import escape

from kerasnlp_lab.display import printable, shortened
from kerasnlp_lab.evaluation.fonts import any_text, legend_label
from kerasnlp_lab.lab.experiment import Experiment

__all__ = ["curve_table", "leaderboard_table", "learning_curve_figure", "model_row"]

SECOND = ("macro_f1", "micro_f1", "character_error_rate")  # a second column of figures


def model_row(folder: Path, runs: Sequence[Experiment]) -> dict[str, Any]:
    """Returns the results of a model's runs, one for each seed: means and standard deviations.

    Args:
        folder: The comparison's folder, which paths are relative to.
        runs: The runs.
    """
    evaluations = [run.evaluation for run in runs]
    trainings = [run.training for run in runs]

    def mean(values: Sequence[float]) -> float:
        return float(np.mean(values))

    name = evaluations[0].headline[0]
    values = [one.headline[1] for one in evaluations]
    row = {
        "model": runs[0].config.model,
        "folder": str(runs[0].run.path.relative_to(folder)),
        "seeds": len(runs),
        "headline": name,
        name: mean(values),
        "value": mean(values),
        "values": values,
        "spread": _deviation(values),
        "interval": evaluations[0].interval,
        "trained_parameters": trainings[0].trained_parameters,
        "total_parameters": trainings[0].total_parameters,
        "train_seconds": mean([one.seconds for one in trainings]),
        "train_texts_per_second": mean([one.texts_per_second for one in trainings]),
        "predict_texts_per_second": mean([one.texts_per_second for one in evaluations]),
        "model_bytes": runs[0].run.model_bytes(),
    }
    for figure in evaluations[0].more_figures:
        each = [one.more_figures[figure] for one in evaluations]
        row |= {figure: mean(each), f"{figure}_spread": _deviation(each)}
    if name == "accuracy":
        row["accuracies"] = values  # the key that version 0.1.0 had
    return row


def _deviation(values: Sequence[float]) -> float:
    """Returns the standard deviation over seeds; 0 for a single one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def leaderboard_table(rows: Sequence[Mapping[str, Any]]) -> rich.table.Table:
    """Returns the leaderboard for the terminal, 80 columns wide unless names are long."""
    several = rows[0]["seeds"] > 1
    table = rich.table.Table(box=rich.box.SIMPLE, pad_edge=False, padding=0)
    table.add_column("model", no_wrap=True)
    uncertainty = f"over {rows[0]['seeds']}\nseeds" if several else "95%\ninterval"
    second = next((one for one in SECOND if one in rows[0] and one != rows[0]["headline"]), "")
    columns = (
        rows[0]["headline"].replace("_", "\n"),
        uncertainty,
        *([second.replace("_f1", "\nF1").replace("_", "\n")] if second else []),
    )
    for column in (*columns, "params", "train\ns", "train\ntexts/s", "predict\ntexts/s", "MB"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        interval = "-" if row["interval"] is None else "{:.3f}-{:.3f}".format(*row["interval"])
        speed = row["train_texts_per_second"]
        table.add_row(
            escape(row["model"]),
            f"[bold]{row['value']:.4f}[/bold]",
            f"± {row['spread']:.4f}" if several else interval,
            *([f"{row[second]:.4f}"] if second else []),
            _parameters(row["trained_parameters"], row["total_parameters"]),
            f"{row['train_seconds']:.0f}",
            f"{speed:.0f}" if speed else "-",
            f"{row['predict_texts_per_second']:.0f}",
            f"{row['model_bytes'] / 1e6:.1f}",
        )
    return table


def _parameters(trained: int, total: int) -> str:
    """Returns "trained/total", or the total alone if both round to the same."""
    short = [f"{n / 1e6:.1f}M" if n >= 1e6 else f"{n / 1e3:.0f}k" for n in (trained, total)]
    return "/".join(dict.fromkeys(short))


def curve_table(curves: Mapping[int, Sequence[Mapping[str, Any]]]) -> rich.table.Table:
    """Returns accuracy by training rows and model for the terminal."""
    table = rich.table.Table(box=rich.box.SIMPLE, pad_edge=False)
    models = [row["model"] for row in curves[max(curves)]]
    table.add_column("rows", justify="right")
    for model in models:
        table.add_column(escape(model), justify="right")
    for size, rows in curves.items():
        by_model = {row["model"]: row for row in rows}
        cells = [f"{by_model[model]['value']:.4f}" for model in models]
        if rows[0]["seeds"] > 1:
            spreads = [by_model[model]["spread"] for model in models]
            cells = [f"{cell} ± {one:.4f}" for cell, one in zip(cells, spreads, strict=True)]
        table.add_row(str(size), *cells)
    return table


def learning_curve_figure(curves: Mapping[int, Sequence[Mapping[str, Any]]]) -> Figure:
    """Plots the headline over training rows: a line for each model, with its spread over seeds."""
    with any_text(row["model"] for row in curves[max(curves)]):
        figure = Figure(figsize=(6.5, 4), layout="constrained")
        axes = figure.subplots()
        for model in [row["model"] for row in curves[max(curves)]]:
            found = [next(row for row in rows if row["model"] == model) for rows in curves.values()]
            means, spreads = ([row[key] for row in found] for key in ("value", "spread"))
            name = legend_label(shortened(printable(model)))
            axes.errorbar(list(curves), means, yerr=spreads, marker="o", capsize=3, label=name)
        axes.set_xscale("log")
        axes.set_xticks(list(curves), [str(size) for size in curves])
        axes.minorticks_off()
        headline = curves[max(curves)][0]["headline"].replace("_", " ")
        axes.set(xlabel="rows to train on", ylabel=f"test {headline}")
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
