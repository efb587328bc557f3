"""`Lengths`: the lengths of texts, and the share that a maximum length cuts."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from kerasnlp_lab.data.words import unspaced_share, word_count

__all__ = ["Lengths", "lengths_png", "word_counts", "word_unit"]

BINS = 30


@dataclass(frozen=True)
class Lengths:
    """The lengths of texts, in one unit.

    Args:
        unit: The unit: "words", "letters and words" if most letters are of scripts without
            spaces, or "word pieces" including [CLS] and [SEP].
        rows: The number of texts.
        mean: Their mean length.
        median: The length that half of them do not exceed.
        percentile_95: The length that 95% do not exceed, interpolated.
        percentile_99: The length that 99% do not exceed, interpolated.
        longest: The greatest length.
        cut: The share of longer texts, by maximum length.
        counts: Texts in each of 30 bins of equal width, as in pandas' hist.
        edges: The start of each bin, and the end of the last one.
        unread: The share of all words or tokens that stands after a maximum length, by that length.
    """

    unit: str
    rows: int
    mean: float
    median: float
    percentile_95: float
    percentile_99: float
    longest: int
    cut: dict[int, float]
    counts: tuple[int, ...]
    edges: tuple[float, ...]
    unread: dict[int, float]

    @classmethod
    def of(cls, unit: str, lengths: np.ndarray, max_lengths: Sequence[int]) -> Lengths:
        """Summarizes lengths, int64 of shape [texts]."""
        shortest = int(lengths.min())
        step = -(-(int(lengths.max()) + 1 - shortest) // BINS)
        counts, edges = np.histogram(lengths, shortest + step * np.arange(BINS + 1))
        used = np.flatnonzero(counts)[-1] + 1
        counts, edges = counts[:used], edges[: used + 1].astype(float)
        median, high, highest = (float(p) for p in np.percentile(lengths, (50, 95, 99)))
        return cls(
            unit,
            len(lengths),
            float(lengths.mean()),
            median,
            high,
            highest,
            int(lengths.max()),
            {most: float((lengths > most).mean()) for most in max_lengths},
            tuple(counts.tolist()),
            tuple(edges.tolist()),
            {
                most: float(np.maximum(lengths - most, 0).sum() / max(lengths.sum(), 1))
                for most in max_lengths
            },
        )


def word_counts(texts: Iterable[str]) -> np.ndarray:
    """Returns the number of words in each text, int64 of shape [texts]; see `word_count`."""
    return np.fromiter(map(word_count, texts), np.int64)


def word_unit(texts: Iterable[str]) -> str:
    """Returns the name of what `word_counts` counts in these texts."""
    return "letters and words" if unspaced_share(texts) > 0.5 else "words"


def lengths_png(lengths: Sequence[Lengths]) -> bytes:
    """Returns the histograms, side by side, as a PNG file's content."""
    figure = Figure(figsize=(5 * len(lengths), 3.2), layout="constrained")
    for axes, found in zip(np.atleast_1d(figure.subplots(1, len(lengths))), lengths, strict=True):
        widths = np.diff(found.edges)
        axes.bar(found.edges[:-1], found.counts, widths, align="edge", edgecolor="white")
        for most, share in found.cut.items():
            if most <= found.edges[-1]:
                axes.axvline(most, color="black", linestyle=":")
                axes.text(most, 0.98 * max(found.counts), f" {most}: {share:.1%} cut", fontsize=7)
        axes.set_xlabel(f"{found.unit} in a training text", parse_math=False)
        axes.set_ylabel("texts")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
