"""The labels of rows as a sparse matrix, and one label a row for orders and samples."""

import numpy as np
import pytest

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.row_labels import label_matrix, strata

SETS = [(0, 2), (), (1,), (0,), (0, 1)]


def test_a_matrix_has_the_labels_of_each_row():
    assert label_matrix(SETS, 4).toarray().astype(int).tolist() == [
        [1, 0, 1, 0],
        [0, 0, 0, 0],
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        [1, 1, 0, 0],
    ]
    assert label_matrix([], 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (Split(list("abcde"), label_sets=SETS), [2, 3, 1, 0, 1]),  # the rarest, or 3 for none
        (Split(["a", "b"], label_sets=[(), ()]), [0, 0]),
        (Split(["a", "b"], [4, 1]), [4, 1]),
    ],
    ids=["several labels", "no label at all", "one label"],
)
def test_a_stratum_is_the_rarest_label_of_a_row(split, expected):
    assert strata(split).tolist() == expected
    assert strata(split).dtype == np.int64
