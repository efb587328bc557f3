"""McNemar's exact test: whether two classifiers differ by more than chance."""

from __future__ import annotations

import numpy as np
import scipy.stats

__all__ = ["mcnemar_exact"]


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
