"""Tests whether two classifiers differ by more than chance on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.stats

__all__ = ["f1_interval", "mcnemar_exact", "paired_bootstrap_f1", "paired_permutation"]

RESAMPLES = 9999
BATCH = 500
F1_RESAMPLES = 2000


def mcnemar_exact(right_a: np.ndarray, right_b: np.ndarray) -> float:
    """Tests whether two classifiers err equally often, by McNemar's exact test.

    Only rows that one classifier gets right and the other gets wrong tell them apart. Under
    the null hypothesis, either classifier is equally likely to be the right one on such a row.

    Args:
        right_a: Whether the first classifier gets each row right, bool [rows].
        right_b: The same for the second classifier, on the same rows.

    Returns:
        The two-sided p-value: how likely a difference of this size or more is by chance.

    Source: McNemar 1947, https://doi.org/10.1007/BF02295996; Dietterich 1998,
    https://doi.org/10.1162/089976698300017197.

    Example:
        >>> a = np.array([True] * 9 + [False]); b = np.array([False] * 8 + [True] * 2)
        >>> round(mcnemar_exact(a, b), 4)
        0.0391
    """
    only_a = int(np.sum(right_a & ~right_b))
    only_b = int(np.sum(right_b & ~right_a))
    if only_a + only_b == 0:
        return 1.0
    return float(scipy.stats.binomtest(only_a, only_a + only_b, 0.5).pvalue)


def paired_permutation(a: np.ndarray, b: np.ndarray) -> float:
    """Tests whether the mean scores of two models differ, by a paired permutation test.

    It does for the mean of several runs what McNemar's test does for one run. A score is the
    share of a model's runs that get the row right. Under the null hypothesis, the two models'
    scores on a row could be swapped.

    Args:
        a: The scores of the first model, [rows].
        b: The scores of the second model on the same rows, [rows].

    Returns:
        The two-sided p-value, from all permutations, or from 9,999 random ones if there are more.

    Source: Fisher 1935, The Design of Experiments; Dror et al. 2018,
    https://aclanthology.org/P18-1128.

    Example:
        >>> paired_permutation(np.ones(20), np.array([1.0] * 10 + [0.6] * 10))
        0.001953125
    """
    differences = np.asarray(a, float) - np.asarray(b, float)
    differences = differences[differences != 0]
    if len(differences) < 2:  # either model is equally likely to be right on a single row
        return 1.0
    result = scipy.stats.permutation_test(
        (differences,),
        lambda x, axis: x.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=BATCH,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def f1_interval(counts: Any) -> tuple[float, float]:
    """Returns the 95% interval of an F1, or of the mean F1 of labels, by a bootstrap over rows.

    Args:
        counts: The number of right, found and true answers of each row, int64 [rows, 3], or of
            each label in each row, sparse or not, [rows, labels * 3].
    """
    low, high = np.quantile(_resampled_f1([counts]), (0.025, 0.975))
    return float(low), float(high)


def paired_bootstrap_f1(a: Sequence[Any], b: Sequence[Any]) -> tuple[float, float, float]:
    """Compares the F1 of two models on the same rows, by a paired bootstrap over rows.

    Args:
        a: The counts of the first model, as in `f1_interval`, for each seed.
        b: The same of the second model.

    Returns:
        The 95% interval of the difference of the F1, each a mean over seeds, and the two-sided
        p-value: how often chance would give a difference of this sign or the other.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap; Berg-Kirkpatrick et al.
    2012, https://aclanthology.org/D12-1091.
    """
    differences = _resampled_f1(a) - _resampled_f1(b)
    low, high = np.quantile(differences, (0.025, 0.975))
    side = min(np.mean(differences <= 0), np.mean(differences >= 0))
    return float(low), float(high), min(1.0, max(2 * float(side), 1 / len(differences)))


def _resampled_f1(counts: Sequence[Any]) -> np.ndarray:
    """Returns the F1, a mean over seeds, in resamples of the rows that are always the same.

    Args:
        counts: For each seed, int64 [rows, labels * 3].

    Returns:
        Float64 [resamples].
    """
    rng, rows, found = np.random.default_rng(0), counts[0].shape[0], []
    for _ in range(F1_RESAMPLES):
        times = np.bincount(rng.integers(rows, size=rows), minlength=rows)  # [rows]
        sums = np.array([times @ one for one in counts])  # [seeds, labels * 3]
        right, others, true = sums.reshape(-1, 3).T  # [seeds * labels] each
        found.append(np.mean(2 * right / np.maximum(others + true, 1)))
    return np.array(found)
