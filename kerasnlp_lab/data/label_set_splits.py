"""`divide_label_sets`: splits of texts with several labels that keep rare labels in every part.

Iterative stratification of Sechidis, Tsoumakas and Vlahavas 2011, "On the Stratification of
Multi-Label Data": the rarest label that is left is dealt first, each of its rows to the part that
lacks most of it. Here each part lacks at least one row of a label that has enough for all. Rows
without labels are dealt like those of one more label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kerasnlp_lab.data.dataset import Split
from kerasnlp_lab.data.splits import checked_sum
from kerasnlp_lab.errors import DataError

__all__ = ["deal_rows", "divide_label_sets"]


def divide_label_sets(
    path: str | Path,
    splits: Mapping[str, Split],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    names: Sequence[str] = (),
    only_train: np.ndarray | None = None,
) -> tuple[Split, Split, Split]:
    """Returns three parts; missing ones are taken out of the training rows.

    Every label of a row has a row to train on.

    Args:
        path: The file of the rows, for error messages.
        splits: "train", and perhaps "validation" and "test".
        validation_fraction: The share of all rows to validate on.
        test_fraction: The share of all rows to test on.
        seed: Which rows those are; the same seed gives the same rows.
        names: The labels.
        only_train: Which rows are not to be held out, bool of shape [rows]; None for no such rows.

    Returns:
        The rows to train on, to validate on, and to test on.

    Raises:
        OptionError: A fraction or the seed is out of range.
        DataError: There are too few rows.
    """
    train, given = splits["train"], {"validation": validation_fraction, "test": test_fraction}
    shares = {part: share for part, share in given.items() if part not in splits}
    left = 1 - checked_sum(shares, seed)
    found = dict(splits)
    if shares:
        if len(train) <= len(shares):
            raise DataError(f"too few rows ({len(train)}) for {len(shares) + 1} parts", path)
        all_shares = [left, *shares.values()]
        part_of = deal_rows(train.label_sets or (), all_shares, len(names), seed, only_train)
        for number, part in enumerate(("train", *shares)):
            found[part] = train.take(np.flatnonzero(part_of == number))
    return found["train"], found["validation"], found["test"]


def deal_rows(
    label_sets: Sequence[tuple[int, ...]],
    shares: Sequence[float],
    labels: int,
    seed: int,
    only_first: np.ndarray | None = None,
) -> np.ndarray:
    """Returns the part of each row; the first part has a row of every label that any row has.

    Args:
        label_sets: The label ids of each row.
        shares: The share of rows for each part.
        labels: The number of labels.
        seed: Which rows are in which part.
        only_first: Which rows are in the first part in any case, bool of shape [rows].

    Returns:
        The parts, as indices into `shares`, int64 of shape [rows].
    """
    rows, parts = len(label_sets), np.array(shares)
    label_sets = [ids or (labels,) for ids in label_sets]
    of_label: list[list[int]] = [[] for _ in range(labels + 1)]
    for row in np.random.default_rng(seed).permutation(rows).tolist():
        for label in label_sets[row]:
            of_label[label].append(row)
    counts = np.array([len(found) for found in of_label], np.int64)
    lacks = np.outer(counts, parts)  # [labels, parts], how many rows are still wanted
    lacks[counts >= len(parts), 1:] = np.maximum(lacks[counts >= len(parts), 1:], 1)
    lacks[:, 0] = counts - lacks[:, 1:].sum(axis=1)
    room = np.append(parts[:1] * rows, np.maximum(parts[1:] * rows, 1))
    found, left = np.full(rows, -1), counts.copy()

    def put(row: int, part: int) -> None:
        ids = list(label_sets[row])
        found[row] = part
        room[part] -= 1
        lacks[ids, part] -= 1
        left[ids] -= 1

    for row in [] if only_first is None else np.flatnonzero(only_first).tolist():
        put(row, 0)
    while (left > 0).any():
        rarest = int(np.where(left > 0, left, rows + 1).argmin())
        for row in of_label[rarest]:
            if found[row] < 0:
                put(row, max(range(len(parts)), key=lambda one: (lacks[rarest, one], room[one])))
    for of in of_label:  # a label that the first part lacks
        if of and found[of].min() > 0:
            found[of[0]] = 0
    return found
