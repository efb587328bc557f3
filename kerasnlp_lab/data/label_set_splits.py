"""`divide_label_sets`: splits of texts with several labels that keep rare labels in every part.

Iterative stratification of Sechidis, Tsoumakas and Vlahavas 2011, "On the Stratification of
Multi-Label Data": the rarest label that is left is dealt first, each of its rows to the part that
lacks most of it. Here each part lacks at least one row of a label that has enough for all.
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
        part_of = deal_rows(train.label_sets or (), [left, *shares.values()], len(names), seed)
        for number, part in enumerate(("train", *shares)):
            found[part] = train.take(np.flatnonzero(part_of == number))
    return found["train"], found["validation"], found["test"]


def deal_rows(
    label_sets: Sequence[tuple[int, ...]], shares: Sequence[float], labels: int, seed: int
) -> np.ndarray:
    """Returns the part of each row; the first part has a row of every label that any row has.

    Args:
        label_sets: The label ids of each row.
        shares: The share of rows for each part.
        labels: The number of labels.
        seed: Which rows are in which part.

    Returns:
        The parts, as indices into `shares`, int64 of shape [rows].
    """
    rows, parts = len(label_sets), np.array(shares)
    of_label: list[list[int]] = [[] for _ in range(labels)]
    for row in np.random.default_rng(seed).permutation(rows).tolist():
        for label in label_sets[row]:
            of_label[label].append(row)
    counts = np.array([len(found) for found in of_label], np.int64)
    lacks = np.outer(counts, parts)  # [labels, parts], how many rows are still wanted
    enough = counts >= len(parts)
    lacks[enough, 1:] = np.maximum(lacks[enough, 1:], 1)
    lacks[~enough, 1:] = 0  # too few for all parts: rows to train on
    lacks[:, 0] = counts - lacks[:, 1:].sum(axis=1)
    room = parts * rows
    room[1:] = np.maximum(room[1:], 1)
    found, left = np.full(rows, -1), counts.copy()
    while (left > 0).any():
        rarest = int(np.where(left > 0, left, rows + 1).argmin())
        for row in of_label[rarest]:
            if found[row] < 0:
                part = max(range(len(parts)), key=lambda one: (lacks[rarest, one], room[one]))
                found[row] = part
                room[part] -= 1
                ids = list(label_sets[row])
                lacks[ids, part] -= 1
                left[ids] -= 1
    for row in np.random.default_rng((seed, 1)).permutation(np.flatnonzero(found < 0)).tolist():
        found[row] = room.argmax()
        room[found[row]] -= 1
    _keep_in_first(found, of_label)
    return found


def _keep_in_first(parts: np.ndarray, of_label: Sequence[Sequence[int]]) -> None:
    """Moves a row of each label that the first part lacks into it."""
    for rows in of_label:
        if rows and parts[rows].min() > 0:
            parts[rows[0]] = 0
