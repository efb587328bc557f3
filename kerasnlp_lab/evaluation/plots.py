"""Draws an evaluation and a training history as matplotlib figures."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.cells import cell_len

from kerasnlp_lab.evaluation.calibration import calibration_bins, expected_calibration_error
from kerasnlp_lab.evaluation.fonts import any_text, drawn_names
from kerasnlp_lab.evaluation.many_classes import (
    FEW_CLASSES,
    FEW_CURVES,
    draw_curve,
    draw_matrix,
    draw_mean_and_worst,
    most_confused_figure,
)
from kerasnlp_lab.evaluation.ranking_curve import RankingCurve

if TYPE_CHECKING:
    from kerasnlp_lab.evaluation.classification import ClassificationEvaluation

__all__ = [
    "confusion_figure",
    "draw_reliability",
    "learning_curves_figure",
    "png_bytes",
    "precision_recall_figure",
    "reliability_figure",
]


def confusion_figure(counts: np.ndarray, label_names: Sequence[str]) -> Figure:
    """Draws a confusion matrix. Rows are true classes; a cell is shaded by its share of them.

    Of more than 30 classes, it draws the most confused pairs, and the matrix of their classes.

    Args:
        counts: The number of rows by correct and predicted class, int64 [correct, predicted].
        label_names: The classes.
    """
    names = drawn_names(label_names)
    if len(names) > FEW_CLASSES:
        return most_confused_figure(counts, names)
    size = 2.5 + 0.6 * len(names) + _room_for(names)
    with any_text(names):
        figure = Figure(figsize=(size + 0.8, size), layout="constrained")
        draw_matrix(figure.subplots(), counts, counts.sum(axis=1), names)
    return figure


def _room_for(names: Sequence[str]) -> float:
    """Returns the inches that long names need on top of the usual margin."""
    return 0.08 * max(0, max(map(cell_len, names)) - 12)


def learning_curves_figure(history: Sequence[dict[str, Any]]) -> Figure:
    """Draws loss and accuracy over the epochs, or attempts of a solver, of a run's history.

    Other measures on the validation rows are drawn too, if the history has some.
    """
    columns = [name.removeprefix("val_") for name in history[0] if name.startswith("val_")]
    names = list(dict.fromkeys(["loss", "accuracy", *columns]))
    figure = Figure(figsize=(4 * len(names), 3), layout="constrained")
    solved = all(line["phase"] == "solve" for line in history)
    x = [line["C"] if solved else line["epoch"] for line in history]
    for axes, name in zip(figure.subplots(1, len(names)), names, strict=True):
        for column, label in ((name, "training"), (f"val_{name}", "validation")):
            values = [line.get(column, np.nan) for line in history]
            if not np.isnan(values).all():
                axes.plot(x, values, marker="o", label=label)
        axes.set_xlabel("inverse regularization strength" if solved else "epoch")
        axes.set_xscale("log" if solved else "linear")
        axes.set_ylabel(name.replace("_", " "))
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def precision_recall_figure(evaluation: ClassificationEvaluation) -> Figure:
    """Draws precision over recall: for the positive one of two classes, or for each of more.

    Of more than 10 classes, it draws the mean and the worst.
    """
    names = drawn_names(evaluation.label_names)
    many = len(names) > FEW_CURVES
    with any_text(names):
        figure = Figure(figsize=(6, 5) if many else (5, 4), layout="constrained")
        axes = figure.subplots()
        if many:
            draw_mean_and_worst(axes, evaluation, names)
        else:
            _draw_each(axes, evaluation, names)
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower left")
    return figure


def _draw_each(axes: Axes, evaluation: ClassificationEvaluation, names: Sequence[str]) -> None:
    decision = evaluation.decision
    rarer = int(np.argmin(np.bincount(evaluation.labels, minlength=len(names))))
    chosen = rarer if decision.positive is None else decision.positive
    for label in [chosen] if len(names) == 2 else range(len(names)):
        curve = RankingCurve.of(evaluation.probabilities[:, label], evaluation.labels == label)
        if curve is not None:
            draw_curve(axes, curve, names[label])
    row = evaluation.per_class[evaluation.label_names[chosen]]
    if decision.positive is not None:
        axes.plot(row["recall"], row["precision"], "ko", label="at the threshold")


def reliability_figure(
    uncalibrated: np.ndarray, probabilities: np.ndarray, labels: np.ndarray, temperature: float
) -> Figure:
    """Draws accuracy by confidence, without and with the temperature; see `calibration_bins`."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    parts = {"uncalibrated": uncalibrated, f"temperature {temperature:.2f}": probabilities}
    for axes, (name, shares) in zip(figure.subplots(1, 2), parts.items(), strict=True):
        draw_reliability(axes, name, shares, labels)
    return figure


def draw_reliability(axes: Axes, name: str, probabilities: np.ndarray, labels: np.ndarray) -> None:
    """Draws accuracy by confidence; for the arguments see `calibration_bins`."""
    rows, sure, right = calibration_bins(probabilities, labels)
    filled = rows > 0
    size = 10 + 200 * rows[filled] / rows.sum()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.plot(sure[filled], right[filled])
    axes.scatter(sure[filled], right[filled], s=size)
    error = expected_calibration_error(probabilities, labels)
    axes.set_title(f"{name}: calibration error {error:.4f}", fontsize=10)
    axes.set(xlabel="confidence", ylabel="accuracy")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.05))
    axes.grid(alpha=0.3)


def png_bytes(figure: Figure) -> bytes:
    """Returns a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # `without_font` finds these characters, to report them in one line.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
