"""`describe_dataset`: the "dataset" of a config.json; `load_again`: its rows from that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerasnlp_lab.data.dataset import TextDataset
from kerasnlp_lab.data.leaks import without_leaks
from kerasnlp_lab.data.sharded_split import ShardedSplit
from kerasnlp_lab.data.source import source_from_json, source_to_json
from kerasnlp_lab.errors import RunError

__all__ = ["describe_dataset", "load_again"]


def describe_dataset(data: TextDataset) -> dict[str, Any]:
    """Returns what config.json says about a dataset, enough to load and recognize its rows."""
    return {
        "name": data.name,
        "label_names": list(data.label_names),
        "train_rows": len(data.train),
        "validation_rows": len(data.validation),
        "test_rows": len(data.test),
        **source_to_json(data.source, data.leaks_left_out),
        "fingerprint": data.fingerprint,
        "rejected_rows": len(data.rejected),
    }


def load_again(description: Mapping[str, Any]) -> TextDataset:
    """Loads the rows that a run was started with.

    Args:
        description: The "dataset" of its config.json.

    Raises:
        RunError: The rows have changed, or were made in Python.
        DataError: They cannot be read.
        DatasetMissingError: They are no longer on this machine.
    """
    source, leaks_left_out = source_from_json(description)
    data = source.load()
    if leaks_left_out is not None and not isinstance(data.train, ShardedSplit):
        data = without_leaks(data)
    if data.fingerprint != description["fingerprint"]:
        raise RunError(
            f"{description['source']} holds other rows than when the run was started: it had "
            f"{description['train_rows']} to train on (fingerprint "
            f"{description['fingerprint'][:12]}), now {len(data.train)} "
            f"({data.fingerprint[:12]}); put them back, or train again"
        )
    return data
