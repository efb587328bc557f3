"""An explanation as matplotlib figures."""

from __future__ import annotations

from contextlib import AbstractContextManager

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasnlp_lab.errors import check_option
from kerasnlp_lab.explanation.explanation import Explanation
from kerasnlp_lab.explanation.fonts import fonts_for

__all__ = ["attention_figure", "contributions_figure", "explanation_figure"]


def attention_figure(
    explanation: Explanation, *, layer: int | None = None, head: int | None = None
) -> Figure:
    """Returns attention as a matrix: rows are the words that look, columns those looked at.

    Args:
        explanation: What `explain` returned.
        layer: Counted from 1; None for the rollout through all layers.
        head: Of the layer, counted from 1; None for the mean of all.

    Raises:
        OptionError: There is no such layer or head.
    """
    size = 1.8 + 0.24 * len(explanation.units)
    figure = Figure(figsize=(size + 0.6, size), layout="constrained")
    with _fonts(explanation):
        _draw_attention(figure.subplots(), explanation, layer, head)
    return figure


def contributions_figure(explanation: Explanation) -> Figure:
    """Returns what each word contributes to the class, as bars in the order of the text."""
    figure = Figure(figsize=(5, 0.8 + 0.22 * len(explanation.words)), layout="constrained")
    with _fonts(explanation):
        _draw_contributions(figure.subplots(), explanation)
    return figure


def explanation_figure(
    explanation: Explanation, *, layer: int | None = None, head: int | None = None
) -> Figure:
    """Returns both side by side: the arguments are those of `attention_figure`."""
    size = 1.8 + 0.24 * max(len(explanation.units), len(explanation.words), 6)
    figure = Figure(figsize=(size + 5, size), layout="constrained")
    with _fonts(explanation):
        left, right = figure.subplots(1, 2, width_ratios=[size, 4.4])
        _draw_attention(left, explanation, layer, head)
        _draw_contributions(right, explanation)
    return figure


def _fonts(explanation: Explanation) -> AbstractContextManager[None]:
    families, _ = fonts_for(explanation.text + explanation.label)
    return matplotlib.rc_context({"font.family": families, "text.parse_math": False})


def _draw_attention(
    axes: Axes, explanation: Explanation, layer: int | None, head: int | None
) -> None:
    layers, heads = explanation.attention.shape[:2]
    matrix, title = explanation.rollout, "attention rollout, all layers"
    if layer is not None:
        check_option("layer", layer, 1 <= layer <= layers, f"from 1 to {layers}")
        matrix, title = explanation.attention[layer - 1].mean(axis=0), f"layer {layer}, all heads"
        if head is not None:
            check_option("head", head, 1 <= head <= heads, f"from 1 to {heads}")
            matrix, title = (
                explanation.attention[layer - 1, head - 1],
                f"layer {layer}, head {head}",
            )
    else:
        check_option("head", head, head is None, "given with a layer")
    units = explanation.units
    axes.imshow(explanation.over_words(matrix), cmap="Blues", vmin=0)
    axes.set_xticks(range(len(units)), units, rotation=90)
    axes.set_yticks(range(len(units)), units)
    axes.set_xlabel("looked at")
    axes.set_ylabel("looks")
    axes.set_title(title)


def _draw_contributions(axes: Axes, explanation: Explanation) -> None:
    values = explanation.word_contributions
    places = range(len(explanation.words))
    colors = ["tab:blue" if value > 0 else "tab:red" for value in values]
    axes.barh(places, values, color=colors)
    axes.set_yticks(places, [word.text for word in explanation.words])
    axes.set_ylim(len(explanation.words) - 0.5, -0.5)  # the first word on top
    axes.axvline(0, color="black", linewidth=0.8)
    largest = max(np.abs(values).max(), 1e-6) * 1.05
    axes.set_xlim(-largest, largest)
    probability = explanation.probabilities[explanation.label]
    axes.set_title(f"for or against {explanation.label} ({probability:.1%})")
