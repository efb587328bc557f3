"""How well probabilities mean what they say."""

from __future__ import annotations

import numpy as np

__all__ = ["calibration_bins", "expected_calibration_error"]

BINS = 15


def calibration_bins(
    probabilities: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sorts answers by how sure they are into 15 bins of equal width.

    Args:
        probabilities: Of shape [rows, classes].
        labels: The right label ids, [rows].

    Returns:
        Of each bin: its rows, the mean probability of the most probable class, and the
        share of rows for which that is right; both 0 in an empty bin.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = np.bincount(place, minlength=BINS)
    filled = np.maximum(rows, 1)
    sure = np.bincount(place, confidence, minlength=BINS) / filled
    return rows, sure, np.bincount(place, right, minlength=BINS) / filled


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Returns by how much the answers' probabilities miss their share of right ones, on average.

    Source: Naeini et al. 2015; with 15 bins as in Guo et al. 2017,
    https://arxiv.org/abs/1706.04599.
    """
    rows, sure, right = calibration_bins(probabilities, labels)
    return float(np.sum(rows * np.abs(sure - right)) / max(rows.sum(), 1))
