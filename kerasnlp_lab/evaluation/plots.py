"""Plots, as matplotlib figures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from kerasnlp_lab.evaluation.metrics import Evaluation

__all__ = ["confusion_figure", "learning_curves_figure", "png_bytes"]


def confusion_figure(evaluation: Evaluation) -> Figure:
    """Returns the confusion matrix: rows by right class, shaded by share of the class."""
    counts, names = evaluation.confusion, evaluation.label_names
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 2.5 + 0.6 * len(names)
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("class given")
    axes.set_ylabel("right class")
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=color)
    return figure


def learning_curves_figure(history: Sequence[dict[str, Any]]) -> Figure:
    """Returns loss and accuracy over the lines of a run's history."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    solved = all(line["phase"] == "solve" for line in history)
    x = [line["C"] if solved else line["epoch"] for line in history]
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for column, label in ((name, "training"), (f"val_{name}", "validation")):
            values = [line.get(column, np.nan) for line in history]
            if not np.isnan(values).all():
                axes.plot(x, values, marker="o", label=label)
        axes.set_xlabel("inverse regularization strength" if solved else "epoch")
        axes.set_xscale("log" if solved else "linear")
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def png_bytes(figure: Figure) -> bytes:
    """Returns a figure as a PNG file's content."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
