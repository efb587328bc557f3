"""Seeded, stratified splits, and an order for smaller training sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from kerasnlp_lab.data.dataset import Split
from kerasnlp_lab.data.normal_form import group_texts
from kerasnlp_lab.errors import DataError, OptionError, check_option

__all__ = ["checked_sum", "divide", "divide_texts", "split_off_validation", "stratified_order"]


def split_off_validation(
    train: Split,
    fraction: float,
    seed: int,
    names: Sequence[str] = (),
    only_train: np.ndarray | None = None,
) -> tuple[Split, Split]:
    """Splits rows in two with the same share of each class in both.

    The rows of each part keep their order.

    Args:
        train: The rows to split.
        fraction: The share of rows to validate on, above 0 and below 1.
        seed: Which rows those are; the same seed gives the same rows.
        names: The classes, for error messages.
        only_train: Which rows are not to be held out, bool of shape [rows]; None for no such rows.

    Returns:
        The rows to train on, and the rows to validate on.

    Raises:
        OptionError: The fraction or the seed is out of range.
        DataError: A class has too few rows to be in both parts.
    """
    if not 0.0 < fraction < 1.0:
        raise OptionError(f"the validation fraction must lie between 0 and 1, got {fraction}")
    check_option("the seed of the split", seed, 0 <= seed < 2**32, "from 0 to 2**32 - 1")
    rows, aside = _drawn_rows(train, only_train)
    try:
        kept, held_out = train_test_split(
            rows, test_size=fraction, random_state=seed, stratify=train.labels[rows]
        )
    except ValueError as error:
        rare = _rare(train.labels[rows], names, 2, min(fraction, 1 - fraction), f"{fraction:.0%}")
        raise DataError(
            f"cannot take {fraction:.0%} of {len(train)} training rows for validation with every "
            f"class in both parts{rare}; add rows or choose another fraction"
        ) from error
    return train.take(np.sort([*kept, *aside])), train.take(np.sort(held_out))


def _drawn_rows(train: Split, only_train: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows that may be held out, and those that may not."""
    aside = np.zeros(len(train), bool) if only_train is None else only_train
    return np.flatnonzero(~aside), np.flatnonzero(aside)


def divide(
    path: str | Path,
    splits: Mapping[str, Split],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    names: Sequence[str] = (),
    only_train: np.ndarray | None = None,
) -> tuple[Split, Split, Split]:
    """Returns three parts; missing ones are taken out of the training rows.

    If both are missing, they are those of scikit-learn's train_test_split, called for both
    together and then for their halves.

    Args:
        path: The file of the rows, for error messages.
        splits: "train", and perhaps "validation" and "test".
        validation_fraction: The share of all rows to validate on.
        test_fraction: The share of all rows to test on.
        seed: Which rows those are.
        names: The classes, for error messages.
        only_train: Which rows are not to be held out, bool of shape [rows]; None for no such rows.

    Returns:
        The rows to train on, to validate on, and to test on.

    Raises:
        OptionError: A fraction or the seed is out of range.
        DataError: A class has too few rows to be in every part.
    """
    train, validation, test = (splits.get(part) for part in ("train", "validation", "test"))
    assert train is not None
    if validation is not None and test is not None:
        return train, validation, test
    how: Any = (seed, names, only_train)
    if test is not None:
        return *_split_off("validation", path, train, validation_fraction, *how), test
    if validation is not None:
        train, test = _split_off("test", path, train, test_fraction, *how)
        return train, validation, test
    both = checked_sum({"validation": validation_fraction, "test": test_fraction}, seed)
    drawn, aside = _drawn_rows(train, only_train)
    try:
        rows, held_out = train_test_split(
            drawn, test_size=both, random_state=seed, stratify=train.labels[drawn]
        )
        first, second = train_test_split(
            held_out,
            test_size=round(len(held_out) * test_fraction / both)
            if test_fraction != validation_fraction
            else 0.5,
            random_state=seed,
            stratify=train.labels[held_out],
        )
    except ValueError as error:
        smaller = min(validation_fraction, test_fraction, 1 - both)
        shares = f"shares of {validation_fraction:.0%} and {test_fraction:.0%}"
        raise DataError(
            "too few rows to have every class in each of three parts"
            f"{_rare(train.labels[drawn], names, 3, smaller, shares)}; add rows, say what to do "
            "with rare classes (--rare-classes keep, drop or merge=NAME), choose other fractions, "
            "or give the parts as files (--validation-data and --test-data)",
            path,
        ) from error
    rows = np.sort([*rows, *aside])
    return train.take(rows), train.take(np.sort(first)), train.take(np.sort(second))


def divide_texts(
    path: str | Path,
    splits: Mapping[str, Split],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> tuple[Split, Split, Split]:
    """Returns three parts of texts with spans or target texts, drawn from the training rows.

    Parts that are given stay as they are. Rows of the same text stay in one part, and every label
    of a span has a row to train on.

    Args:
        path: The file of the rows, for error messages.
        splits: "train", and perhaps "validation" and "test".
        validation_fraction: The share of all rows to validate on.
        test_fraction: The share of all rows to test on.
        seed: Which rows those are; the same seed gives the same rows.

    Returns:
        The rows to train on, to validate on, and to test on.

    Raises:
        OptionError: A fraction or the seed is out of range.
        DataError: There are too few rows.
    """
    train, given = splits["train"], {"validation": validation_fraction, "test": test_fraction}
    shares = {part: share for part, share in given.items() if part not in splits}
    checked_sum(shares, seed)
    groups = group_texts(train.texts)
    of_group: list[list[int]] = [[] for _ in range(int(groups.max(initial=-1)) + 1)]
    for row, group in enumerate(groups.tolist()):
        of_group[group].append(row)
    spans = train.spans or [()] * len(train)
    labels = [{one.label for row in rows for one in spans[row]} for rows in of_group]
    left = Counter(label for of_text in labels for label in of_text)
    order = np.random.default_rng(seed).permutation(len(of_group)).tolist()
    parts = dict(splits)
    for part, share in shares.items():
        wanted, taken, kept = max(1, round(share * len(train))), list[int](), list[int]()
        for group in order:
            if len(taken) < wanted and all(left[label] > 1 for label in labels[group]):
                left.subtract(labels[group])
                taken += of_group[group]
            else:
                kept.append(group)
        order = kept
        if len(taken) < wanted or not order:
            left_over = "rows" if train.spans is None else "every type of entity"
            raise DataError(
                f"cannot take {wanted} of {len(train)} rows for {part} and leave {left_over} "
                f"to train on; add rows, or give the part as a file (--{part}-data)",
                path,
            )
        parts[part] = train.take(np.sort(taken))
    if shares:
        rows = np.array([row for group in order for row in of_group[group]])
        parts["train"] = train.take(np.sort(rows))
    return parts["train"], parts["validation"], parts["test"]


def checked_sum(shares: Mapping[str, float], seed: int) -> float:
    """Returns the sum of the shares of some parts; checks them and the seed."""
    both = round(sum(shares.values()), 12)  # 0.1 + 0.2 is a little above 0.3
    for name, value in shares.items():
        share = "a share of the rows, above 0 and below 1"
        check_option(f"the {name} fraction", value, 0 < value < 1, share)
    check_option("the fractions to validate and to test on", both, both < 1, "below 1 together")
    check_option("the seed of the split", seed, 0 <= seed < 2**32, "from 0 to 2**32 - 1")
    return both


def _split_off(
    part: str,
    path: str | Path,
    train: Split,
    fraction: float,
    seed: int,
    names: Sequence[str],
    only_train: np.ndarray | None,
) -> tuple[Split, Split]:
    """Calls `split_off_validation`; errors name the part and the file."""
    holds = 0 < fraction < 1
    check_option(f"the {part} fraction", fraction, holds, "a share of the rows")
    try:
        return split_off_validation(train, fraction, seed, names, only_train)
    except DataError as error:
        drawn, _ = _drawn_rows(train, only_train)
        rare = _rare(train.labels[drawn], names, 2, min(fraction, 1 - fraction), f"{fraction:.0%}")
        raise DataError(
            f"cannot take {fraction:.0%} of {len(train)} rows for {part} with every class in both "
            f"parts{rare}; add rows, say what to do with rare classes (--rare-classes keep, drop "
            f"or merge=NAME), choose another fraction, or give the part as a file (--{part}-data)",
            path,
        ) from error


def _rare(labels: np.ndarray, names: Sequence[str], parts: int, smaller: float, shares: str) -> str:
    """Returns which classes have too few rows for a share in each of some parts."""
    counts = np.bincount(labels, minlength=len(names)) if len(labels) else np.zeros(0, int)
    need = max(parts, int(np.ceil(1 / smaller)))  # about: the rows are drawn
    # a class without rows has them all in the training rows
    rare = [place for place in np.argsort(counts, kind="stable") if 0 < counts[place] < need]
    shown = [
        f"{names[place]!r} has {counts[place]} row{'s' if counts[place] != 1 else ''}"
        for place in rare[:3]
        if names
    ]
    shown += [f"{len(rare) - 3:,} more have few"] if len(rare) > 3 else []
    numbers = ", ".join(map(str, counts[:20])) + (", ..." if len(counts) > 20 else "")
    who = f": {', '.join(shown)}; at least {parts} are needed, about {need} with {shares}"
    return f"{who if shown else ''} (rows a class: [{numbers}])"


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Returns an order of rows whose first n have about the same share of each class, for every n.

    A learning curve then grows one training set: the first 100 rows are among the first 1,000.

    Args:
        labels: The label ids, [rows].
        seed: Which rows come first.

    Returns:
        Rows, int64 of shape [rows].
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = shuffled[labels[shuffled] == label]
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return shuffled[np.argsort(place[shuffled], kind="stable")]
