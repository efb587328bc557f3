"""Figures of entities: a confusion of types, and how often entities of a score are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from kerasnlp_lab.evaluation.calibration import calibration_bins
from kerasnlp_lab.evaluation.fonts import any_text, drawn_names
from kerasnlp_lab.evaluation.many_classes import FEW_CLASSES, draw_matrix, most_confused_figure

__all__ = ["entity_confusion_figure", "score_figure"]


def entity_confusion_figure(counts: np.ndarray, label_names: Sequence[str]) -> Figure:
    """Draws true entities by the type of the entity that was found there.

    Args:
        counts: Int64 [types + 1, types + 1]; the last row and column are "none".
        label_names: The types.
    """
    names = [*drawn_names(label_names), "none"]
    if len(names) > FEW_CLASSES:
        return most_confused_figure(counts, names)
    size = 3 + 0.6 * len(names)
    with any_text(names):
        figure = Figure(figsize=(size + 0.8, size), layout="constrained")
        axes = figure.subplots()
        draw_matrix(axes, counts, counts.sum(axis=1), names)
        axes.set(xlabel="found type", ylabel="true type")
    return figure


def score_figure(scores: np.ndarray, right: np.ndarray) -> Figure:
    """Draws the share of right entities by score.

    Args:
        scores: Float64 [entities].
        right: Whether each entity is right, bool [entities].
    """
    figure = Figure(figsize=(4, 3.6), layout="constrained")
    axes = figure.subplots()
    rows, sure, share = calibration_bins(scores[:, np.newaxis], ~right)
    filled = rows > 0
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.plot(sure[filled], share[filled])
    axes.scatter(sure[filled], share[filled], s=10 + 200 * rows[filled] / max(rows.sum(), 1))
    axes.set(xlabel="score", ylabel="share of right entities", xlim=(0, 1.02), ylim=(0, 1.05))
    axes.grid(alpha=0.3)
    return figure
