"""Whether two classifiers differ by more than chance on the same rows."""

from __future__ import annotations

import numpy as np
import scipy.stats

__all__ = ["mcnemar_exact", "paired_permutation"]

RESAMPLES = 9999
BATCH = 500


def mcnemar_exact(right_a: np.ndarray, right_b: np.ndarray) -> float:
    """Returns how likely so unequal a pair is if both classifiers err equally often.

    Only the rows that one has right and the other wrong tell them apart; under
    the null hypothesis each is as likely to fall to one as to the other.

    Args:
        right_a: Whether the first classifier has each row right, booleans [rows].
        right_b: The same for the second, on the same rows.

    Returns:
        The two-sided p-value.

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
    """Returns how likely so large a mean difference is if either could have had each row's score.

    What McNemar's test is to one run, this is to the mean of several: a score is the
    share of a model's runs that have the row right.

    Args:
        a: Scores of the first model, [rows].
        b: Scores of the second, on the same rows.

    Returns:
        The two-sided p-value: of all permutations, or of 9,999 where there are more.

    Source: Fisher 1935, The Design of Experiments; Dror et al. 2018,
    https://aclanthology.org/P18-1128.

    Example:
        >>> paired_permutation(np.ones(20), np.array([1.0] * 10 + [0.6] * 10))
        0.001953125
    """
    differences = np.asarray(a, float) - np.asarray(b, float)
    differences = differences[differences != 0]
    if len(differences) < 2:  # one row is as likely to fall to one as to the other
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
