"""`as_label_sets`: the labels of texts that have any number of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence

from kerasnlp_lab.errors import DataError

__all__ = ["as_label_sets"]


def as_label_sets(
    label_sets: Sequence[Iterable[int]], rows: int, where: Callable[[int], str]
) -> tuple[tuple[int, ...], ...]:
    """Returns the label ids of each text, ascending and without repetition.

    Args:
        label_sets: For each text its label ids, in any order; perhaps none.
        rows: The number of texts.
        where: Returns the place of a row for messages.

    Raises:
        DataError: The number of rows differs, or a label id is no whole number.
    """
    if len(label_sets) != rows:
        raise DataError(f"expected the labels of each of {rows} texts, got {len(label_sets)}")
    found = []
    for row, ids in enumerate(label_sets):
        try:
            found.append(tuple(sorted({operator.index(one) for one in ids})))
        except TypeError as error:
            message = f"{where(row)}: expected a list of label ids, whole numbers, got {ids!r}"
            raise DataError(message) from error
    return tuple(found)
