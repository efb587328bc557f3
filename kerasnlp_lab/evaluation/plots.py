"""Draws an evaluation and a training history as matplotlib figures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve

from kerasnlp_lab.evaluation.calibration import calibration_bins, expected_calibration_error

if TYPE_CHECKING:
    from kerasnlp_lab.evaluation.classification import ClassificationEvaluation

__all__ = [
    "confusion_figure",
    "learning_curves_figure",
    "png_bytes",
    "precision_recall_figure",
    "reliability_figure",
]


def confusion_figure(evaluation: ClassificationEvaluation) -> Figure:
    """Draws the confusion matrix. Rows are true classes; a cell is shaded by its share of them."""
    counts, names = evaluation.confusion, evaluation.label_names
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 2.5 + 0.6 * len(names)
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=color)
    return figure


def learning_curves_figure(history: Sequence[dict[str, Any]]) -> Figure:
    """Draws loss and accuracy over the epochs, or attempts of a solver, of a run's history."""
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


def precision_recall_figure(evaluation: ClassificationEvaluation) -> Figure:
    """Draws precision over recall: for the positive one of two classes, or for each of more."""
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    names, decision = evaluation.label_names, evaluation.decision
    rarer = int(np.argmin(np.bincount(evaluation.labels, minlength=len(names))))
    chosen = rarer if decision.positive is None else decision.positive
    for label in [chosen] if len(names) == 2 else range(len(names)):
        truth = evaluation.labels == label
        if truth.all() or not truth.any():
            continue
        precision, recall, _ = precision_recall_curve(truth, evaluation.probabilities[:, label])
        area = evaluation.per_class[names[label]]["average_precision"]
        axes.step(recall, precision, where="post", label=f"{names[label]}: AP {area:.4f}")
    row = evaluation.per_class[names[chosen]]
    if decision.positive is not None:
        axes.plot(row["recall"], row["precision"], "ko", label="at the threshold")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left")
    return figure


def reliability_figure(evaluation: ClassificationEvaluation) -> Figure:
    """Draws accuracy by confidence, without and with the temperature."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    parts = {
        "uncalibrated": evaluation.uncalibrated,
        f"temperature {evaluation.decision.temperature:.2f}": evaluation.probabilities,
    }
    for axes, (name, probabilities) in zip(figure.subplots(1, 2), parts.items(), strict=True):
        rows, sure, right = calibration_bins(probabilities, evaluation.labels)
        filled = rows > 0
        size = 10 + 200 * rows[filled] / rows.sum()
        axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
        axes.plot(sure[filled], right[filled])
        axes.scatter(sure[filled], right[filled], s=size)
        error = expected_calibration_error(probabilities, evaluation.labels)
        axes.set_title(f"{name}: calibration error {error:.4f}", fontsize=10)
        axes.set(xlabel="confidence", ylabel="accuracy")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.05))
        axes.grid(alpha=0.3)
    return figure


def png_bytes(figure: Figure) -> bytes:
    """Returns a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
