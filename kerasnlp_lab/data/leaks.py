"""`without_leaks`: removes training texts that are tested on too."""

from __future__ import annotations

import dataclasses
from itertools import chain

import numpy as np

from kerasnlp_lab.data.dataset import TextDataset
from kerasnlp_lab.data.normal_form import group_texts
from kerasnlp_lab.data.sharded_split import ShardedSplit
from kerasnlp_lab.data.source import LeaksLeftOut
from kerasnlp_lab.errors import OptionError

__all__ = ["without_leaks"]


def without_leaks(data: TextDataset) -> TextDataset:
    """Removes training rows that are validated or tested on, and validation rows that are tested.

    Texts are the same if they differ only in case, white space or composed characters. The
    test split stays as it is, so that results before and after can be compared.

    Args:
        data: Three splits.

    Returns:
        The dataset; its ``leaks_left_out`` counts the removed rows.

    Raises:
        DataError: No row of a class is left to train on.
        OptionError: The training rows are in shards.
    """
    if isinstance(data.train, ShardedSplit):
        raise OptionError(
            "no row can be taken out of shards; drop leaks when they are written: "
            "kerasnlp-lab data shard --leaks drop"
        )
    parts = (data.train, data.validation, data.test)
    groups = group_texts(chain.from_iterable(part.texts for part in parts))
    train, validation, test = np.split(groups, np.cumsum([len(part) for part in parts])[:-1])
    to_train = ~np.isin(train, np.concatenate([validation, test]))
    to_validate = ~np.isin(validation, test)
    return dataclasses.replace(
        data,
        train=data.train.take(np.flatnonzero(to_train)),
        validation=data.validation.take(np.flatnonzero(to_validate)),
        leaks_left_out=LeaksLeftOut(int((~to_train).sum()), int((~to_validate).sum())),
    )
