"""Calibration: compares predicted probabilities with the share of correct answers."""

from __future__ import annotations

import numpy as np

__all__ = ["calibration_bins", "expected_calibration_error"]

BINS = 15


def calibration_bins(
    probabilities: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sorts answers by confidence into 15 bins of equal width.

    Args:
        probabilities: Floats of shape [rows, classes].
        labels: The correct label ids, integers of shape [rows].

    Returns:
        Three arrays of shape [15]: the number of rows in each bin, their mean confidence, and
        their share of correct answers. The last two are 0 in an empty bin.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = np.bincount(place, minlength=BINS)
    filled = np.maximum(rows, 1)
    sure = np.bincount(place, confidence, minlength=BINS) / filled
    return rows, sure, np.bincount(place, right, minlength=BINS) / filled


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Returns the mean distance between confidence and the share of correct answers.

    Args:
        probabilities: Floats of shape [rows, classes].
        labels: The correct label ids, integers of shape [rows].

    Source: Naeini et al. 2015, with 15 bins as in Guo et al. 2017,
    https://arxiv.org/abs/1706.04599.
    """
    rows, sure, right = calibration_bins(probabilities, labels)
    return float(np.sum(rows * np.abs(sure - right)) / max(rows.sum(), 1))
