"""`label_matrix`: which labels each row has; `strata`: one label for each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse

from kerasnlp_lab.data.dataset import Split

__all__ = ["label_matrix", "strata"]


def label_matrix(label_sets: Sequence[Sequence[int]], labels: int) -> scipy.sparse.csr_array:
    """Returns which labels each row has, a sparse bool [rows, labels].

    Args:
        label_sets: The label ids of each row, ascending.
        labels: The number of labels.
    """
    sizes = np.fromiter(map(len, label_sets), np.int64, len(label_sets))
    ids = np.array([label for of_row in label_sets for label in of_row], np.int64)
    starts = np.append(0, np.cumsum(sizes))
    return scipy.sparse.csr_array((np.ones(len(ids), bool), ids, starts), (len(sizes), labels))


def strata(split: Split) -> np.ndarray:
    """Returns one label for each row, int64 [rows], for orders and samples of rows.

    For rows with several labels it is the rarest of them, so that rare labels are spread evenly,
    and for rows without any it is the number after the last label.
    """
    if split.label_sets is None:
        return split.labels
    classes = 1 + max((ids[-1] for ids in split.label_sets if ids), default=-1)
    counts = split.label_counts(classes).tolist()
    rarest = [min(ids, key=counts.__getitem__, default=classes) for ids in split.label_sets]
    return np.array(rarest, np.int64)
