"""Draws an explanation as matplotlib figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasnlp_lab.display import printable, shortened
from kerasnlp_lab.errors import OptionError, check_option
from kerasnlp_lab.evaluation.fonts import any_text
from kerasnlp_lab.explanation.explanation import Explanation

__all__ = ["attention_figure", "contributions_figure", "explanation_figure"]

SMALLEST_SHARE = 0.01  # of attention for which a line is drawn


def attention_figure(
    explanation: Explanation,
    *,
    layer: int | None = None,
    head: int | None = None,
    lines: bool = False,
    tokens: bool = False,
) -> Figure:
    """Draws attention as a matrix: the word in the row attends to the word in the column.

    The attention of a pool is drawn as a bar for each word.

    Args:
        explanation: The explanation to draw.
        layer: The layer, counted from 1; None for the rollout through all layers.
        head: The head of the layer, counted from 1; None for the mean of all heads.
        lines: Draw lines between words instead of a matrix; more attention is a thicker line.
        tokens: Show the tokens that the model reads, such as word pieces, instead of words.

    Raises:
        OptionError: There is no such layer or head, no attention, or no lines for a pool.
    """
    if not explanation.attention.size:
        raise OptionError("this model has no attention to draw")
    draw, names, matrix, title = _attention(explanation, layer, head, lines, tokens)
    size = 1.8 + 0.24 * len(names)
    width = size + 0.6 if draw is _draw_matrix else 6
    figure = Figure(figsize=(width, size), layout="constrained")
    with _use_fonts(explanation):
        draw(figure.subplots(), names, matrix, title)
    return figure


def contributions_figure(explanation: Explanation) -> Figure:
    """Draws each word's contribution to the class as a bar, in the order of the text."""
    figure = Figure(figsize=(5, 0.8 + 0.22 * len(explanation.words)), layout="constrained")
    with _use_fonts(explanation):
        _draw_contributions(figure.subplots(), explanation)
    return figure


def explanation_figure(
    explanation: Explanation,
    *,
    layer: int | None = None,
    head: int | None = None,
    lines: bool = False,
    tokens: bool = False,
) -> Figure:
    """Draws attention and contributions side by side, with `attention_figure`'s arguments.

    Without attention, it draws the contributions alone.
    """
    if not explanation.attention.size:
        given = {"layer": layer, "head": head, "lines": lines, "tokens": tokens}
        for name, value in given.items():
            check_option(name, value, not value, "left out: this model has no attention to draw")
        return contributions_figure(explanation)
    draw, names, matrix, title = _attention(explanation, layer, head, lines, tokens)
    size = 1.8 + 0.24 * max(len(names), len(explanation.words), 6)
    width = size if draw is _draw_matrix else 6
    figure = Figure(figsize=(width + 5, size), layout="constrained")
    with _use_fonts(explanation):
        left, right = figure.subplots(1, 2, width_ratios=[width, 4.4])
        draw(left, names, matrix, title)
        _draw_contributions(right, explanation)
    return figure


def _use_fonts(explanation: Explanation) -> AbstractContextManager[None]:
    return any_text([explanation.text, explanation.label])


def _attention(
    explanation: Explanation, layer: int | None, head: int | None, lines: bool, tokens: bool
) -> tuple[Callable[..., None], Sequence[str], np.ndarray, str]:
    """Returns the function that draws, the names, the shares [from, to], and a title."""
    if explanation.pools:
        check_option("lines", lines, not lines, "left out for the attention of a pool")
    draw = _draw_lines if lines else _draw_pool if explanation.pools else _draw_matrix
    layers, heads = explanation.attention.shape[:2]
    matrix = explanation.rollout
    title = "share of the attention" if explanation.pools else "attention rollout, all layers"
    if layer is not None:
        check_option("layer", layer, 1 <= layer <= layers, f"from 1 to {layers}")
        matrix, title = explanation.attention[layer - 1].mean(axis=0), f"layer {layer}, all heads"
        if head is not None:
            check_option("head", head, 1 <= head <= heads, f"from 1 to {heads}")
            matrix = explanation.attention[layer - 1, head - 1]
            title = f"layer {layer}, head {head}"
    else:
        check_option("head", head, head is None, "given with a layer")
    if tokens:
        return draw, [token.text for token in explanation.tokens], matrix, title
    return draw, explanation.units, explanation.over_words(matrix), title


def _draw_matrix(axes: Axes, names: Sequence[str], matrix: np.ndarray, title: str) -> None:
    axes.imshow(matrix, cmap="Blues", vmin=0)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("attention to")
    axes.set_ylabel("attention from")
    axes.set_title(title)


def _draw_pool(axes: Axes, names: Sequence[str], shares: np.ndarray, title: str) -> None:
    axes.barh(range(len(names)), shares[0])
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)  # the first word on top
    axes.set_title(title)


def _draw_lines(axes: Axes, names: Sequence[str], matrix: np.ndarray, title: str) -> None:
    for (start, end), share in np.ndenumerate(matrix):
        if share >= SMALLEST_SHARE:
            shade = min(1.0, 0.1 + float(share))
            axes.plot(
                [0, 1], [start, end], color="tab:blue", alpha=shade, linewidth=5 * share + 0.5
            )
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 1], ["attention from", "attention to"])
    axes.set_ylim(len(names) - 0.5, -0.5)  # the first word on top
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(labelright=True, length=0)
    axes.set_frame_on(False)
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
    if explanation.pair:
        for part in explanation.parts:
            axes.axhline(part.words.start - 0.5, color="black", linewidth=0.8)
            at = (0.99 * largest, part.words.start - 0.4)
            axes.annotate(shortened(printable(part.name)), at, ha="right", va="top", color="gray")
    probability = explanation.probabilities[explanation.label]
    axes.set_title(f"for or against {shortened(printable(explanation.label))} ({probability:.1%})")
