"""Same texts: duplicates, texts in two splits, texts with two labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kerasnlp_lab.data.inspection.finding import Finding
from kerasnlp_lab.data.inspection.rows import SPLITS, Rows

__all__ = ["find_same_texts", "rows_of_groups", "two_labels"]


def rows_of_groups(groups: np.ndarray) -> Iterator[np.ndarray]:
    """Yields the rows, ascending, of each group with more than one, in order of first rows.

    Args:
        groups: The group of each row, int64 of shape [rows].
    """
    order = np.argsort(groups, kind="stable")
    edges = np.flatnonzero(np.diff(groups[order])) + 1
    return (rows for rows in np.split(order, edges) if len(rows) > 1)


def find_same_texts(rows: Rows, groups: np.ndarray) -> list[Finding]:
    """Returns exact duplicates, same texts in two splits, and with two labels or target texts.

    Args:
        rows: The table.
        groups: The rows' groups of same texts, int64 of shape [rows].
    """
    found: list[Finding] = []
    for group in rows_of_groups(groups):
        first = rows.where(int(group[0]))
        found += [rows.finding("exact_duplicate", row, f"same as {first}") for row in group[1:]]
        found += _across_splits(rows, group)
        labels = two_labels(rows, group)
        if labels:
            kind = "two_targets" if rows.data.annotation == "target_texts" else "two_labels"
            found += [rows.finding(kind, row, labels) for row in group]
    return found


def _across_splits(rows: Rows, group: np.ndarray) -> Iterator[Finding]:
    splits = rows.splits[group]
    for row, split in zip(group, splits, strict=True):
        if split > splits.min():
            other = int(group[splits.argmin()])
            lower = SPLITS[rows.splits[other]]
            detail = f"in {SPLITS[split]}; in {lower} at {rows.where(other)}"
            yield rows.finding("in_two_splits", row, detail)


def two_labels(rows: Rows, group: np.ndarray) -> str:
    """Returns a group's labels or target texts, each with its first row; "" if there is one."""
    first: dict[tuple[int | str, ...], int] = {}
    for row in group.tolist():
        first.setdefault((rows.target(row), *rows.label_set(row)), row)
    if len(first) < 2:
        return ""
    places = (f"{rows.label(row)!r} at {rows.where(row)}" for row in first.values())
    what = "target texts" if rows.data.annotation == "target_texts" else "labels"
    return f"{what} {', '.join(places)}"
