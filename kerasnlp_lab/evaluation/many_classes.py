"""Figures and reports of many classes: the most confused, and the worst."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kerasnlp_lab.evaluation.fonts import any_text, drawn_names, legend_label
from kerasnlp_lab.evaluation.ranking_curve import RankingCurve

if TYPE_CHECKING:
    from kerasnlp_lab.evaluation.classification import ClassificationEvaluation

__all__ = [
    "FEW_CLASSES",
    "FEW_CURVES",
    "draw_curve",
    "draw_f1",
    "draw_matrix",
    "draw_mean_and_worst",
    "most_confused_figure",
]

FEW_CLASSES = 30  # up to here, figures and reports show every class
FEW_CURVES = 10  # which have a colour each
MOST_CONFUSED = 20  # pairs and classes of `most_confused_figure`
WORST_CURVES = 5


def most_confused_figure(counts: np.ndarray, names: list[str]) -> Figure:
    """Draws the most confused pairs of classes as bars, and the matrix of the classes in them.

    Args:
        counts: The number of rows by correct and predicted class, int64 [correct, predicted].
        names: The classes, as `drawn_names` returns them.
    """
    wrong = counts * ~np.eye(len(counts), dtype=bool)
    true, predicted = np.nonzero(wrong)
    rows = counts.sum(axis=1)
    most = np.lexsort((-wrong[true, predicted] / rows[true], -wrong[true, predicted]))
    pairs = np.stack((true, predicted), axis=1)[most[:MOST_CONFUSED]]  # [pairs, 2]
    by_size = np.argsort(-rows, kind="stable")[:MOST_CONFUSED]
    chosen = list(dict.fromkeys([*pairs.ravel().tolist(), *by_size.tolist()]))[:MOST_CONFUSED]
    with any_text(names):
        figure = Figure(figsize=(13, 11 + 0.25 * len(pairs)), layout="constrained")
        grid = figure.add_gridspec(2, 1, height_ratios=[0.25 * len(pairs) + 0.01, 10])
        below = figure.add_subplot(grid[1])
        part = counts[np.ix_(chosen, chosen)]
        draw_matrix(below, part, rows[chosen], [names[label] for label in chosen], zeros=False)
        of_all = f"{len(chosen)} of {len(names):,} classes"
        if len(pairs):
            _draw_pairs(figure.add_subplot(grid[0]), pairs, counts, names)
            below.set_title(f"{of_all}: those confused most")
        else:
            below.set_title(f"{of_all}: the largest, as none is confused with another")
    return figure


def _draw_pairs(axes: Axes, pairs: np.ndarray, counts: np.ndarray, names: list[str]) -> None:
    places = range(len(pairs))
    bars = axes.barh(places, counts[tuple(pairs.T)], color="tab:blue")
    shares = [f" {counts[true, other]} of {counts[true].sum()}" for true, other in pairs]
    axes.bar_label(bars, shares)
    axes.set_yticks(places, [names[true] for true, _ in pairs])
    axes.set_ylabel("true class")
    axes.set_xlabel("rows")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    right = axes.twinx()
    right.set_yticks(places, [names[predicted] for _, predicted in pairs])
    right.set_ylabel("predicted class")
    for one in (axes, right):
        one.set_ylim(len(pairs) - 0.5, -0.5)  # the most confused on top
    axes.margins(x=0.15)
    axes.set_title("the most confused pairs")


def draw_matrix(
    axes: Axes, counts: np.ndarray, rows: np.ndarray, names: list[str], zeros: bool = True
) -> None:
    """Draws a confusion matrix whose cells are shaded by their share of the true class.

    Args:
        axes: Where to draw.
        counts: The number of rows by correct and predicted class, int64 [correct, predicted].
        rows: The number of rows of each correct class, int64 [correct].
        names: The classes, as `drawn_names` returns them.
        zeros: Whether to write a 0 into empty cells.
    """
    share = counts / np.maximum(rows[:, np.newaxis], 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    for (row, column), count in np.ndenumerate(counts):
        if not (count or zeros):
            continue
        color = "white" if share[row, column] > 0.5 else "black"
        text = axes.text(column, row, str(count), ha="center", va="center", color=color)
        text.set_in_layout(False)  # it is within the axes; to measure thousands takes seconds


def draw_f1(rows: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draws the F1 of each label as a bar, the best on top; of more than 30, the worst.

    Args:
        rows: "f1" and "support", the number of rows, of each label.
    """
    names = dict(zip(rows, drawn_names(list(rows)), strict=True))
    chosen = sorted(rows, key=lambda name: rows[name]["f1"])[:FEW_CLASSES]  # the worst first
    with any_text(names.values()):
        figure = Figure(figsize=(7, 1.2 + 0.25 * len(chosen)), layout="constrained")
        axes = figure.subplots()
        bars = axes.barh(range(len(chosen)), [rows[one]["f1"] for one in chosen], color="tab:blue")
        axes.bar_label(bars, [f" {rows[one]['f1']:.2f}" for one in chosen])
        shown = [f"{names[one]} ({rows[one]['support']:,})" for one in chosen]
        axes.set_yticks(range(len(chosen)), shown)
        axes.set(xlabel="F1", xlim=(0, 1.1), ylabel="label (rows that have it)")
        if len(rows) > len(chosen):
            axes.set_title(f"the {len(chosen)} worst of {len(rows):,} labels", fontsize=10)
    return figure


def draw_curve(axes: Axes, curve: RankingCurve, name: str) -> None:
    """Draws the precision over recall of one class, with its average precision."""
    label = legend_label(f"{name}: AP {curve.average_precision():.4f}")
    axes.step(curve.recall, curve.precision, where="post", label=label)


def draw_mean_and_worst(axes: Axes, evaluation: ClassificationEvaluation, names: list[str]) -> None:
    """Draws precision over recall: the mean of all classes, and the classes that are worst."""
    grid, precision = np.linspace(0, 1, 201), np.zeros(201)
    areas = {}

    def curve_of(label: int) -> RankingCurve | None:
        return RankingCurve.of(evaluation.probabilities[:, label], evaluation.labels == label)

    for label in range(len(names)):
        if curve := curve_of(label):
            areas[label] = curve.average_precision()
            precision += curve.precision_at(grid)
    if areas:
        mean = f"mean of {len(areas):,} classes: AP {np.mean(list(areas.values())):.4f}"
        axes.plot(grid, precision / len(areas), color="black", linewidth=2, label=mean)
    for label in sorted(areas, key=areas.__getitem__)[:WORST_CURVES]:
        if curve := curve_of(label):  # made again: thousands of curves may not fit in memory
            draw_curve(axes, curve, names[label])
    axes.set_title(f"the mean of all classes, and the {WORST_CURVES} worst", fontsize=10)
