"""A seeded, stratified validation split out of the training rows."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import train_test_split

from kerasnlp_lab.data.dataset import Split
from kerasnlp_lab.errors import DataError, OptionError, check_option

__all__ = ["split_off_validation"]


def split_off_validation(train: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Splits rows in two with the same share of each class in both.

    The rows of each part keep the order that they had.

    Args:
        train: The rows to split.
        fraction: The share of rows that goes to validation, above 0 and below 1.
        seed: Which rows: the same seed gives the same rows.

    Returns:
        The rows left to train on, and those to validate on.

    Raises:
        OptionError: The fraction or the seed is out of range.
        DataError: A class has too few rows to be in both parts.
    """
    if not 0.0 < fraction < 1.0:
        raise OptionError(f"the validation fraction must lie between 0 and 1, got {fraction}")
    check_option("the seed of the split", seed, 0 <= seed < 2**32, "from 0 to 2**32 - 1")
    try:
        kept, held_out = train_test_split(
            np.arange(len(train)), test_size=fraction, random_state=seed, stratify=train.labels
        )
    except ValueError as error:
        counts = np.bincount(train.labels).tolist() if len(train) else []
        raise DataError(
            f"cannot take {fraction:.0%} of {len(train)} training rows for validation with every "
            f"class in both parts (rows a class: {counts}); add rows or choose another fraction"
        ) from error
    return train.take(np.sort(kept)), train.take(np.sort(held_out))
