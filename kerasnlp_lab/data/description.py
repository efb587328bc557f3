"""`describe_dataset`: the "dataset" of a config.json; `load_again`: its rows from that."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from typing import Any

from kerasnlp_lab.data.dataset import TextDataset
from kerasnlp_lab.data.leaks import without_leaks
from kerasnlp_lab.data.sharded_split import ShardedSplit
from kerasnlp_lab.data.source import source_from_json, source_to_json
from kerasnlp_lab.errors import DataError, OptionError, RunError
from kerasnlp_lab.paths import user_path

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


PARTS = {"data": "train", "validation_data": "validation", "test_data": "test"}


def load_again(
    description: Mapping[str, Any], moved: Mapping[str, str] | None = None
) -> TextDataset:
    """Loads the rows that a run was started with.

    Args:
        description: The "dataset" of its config.json.
        moved: The new place of files that were moved, by the option that names it: "data" (a
            table or a folder of shards), "validation_data", "test_data" or "data_dir".

    Raises:
        RunError: The rows have changed, or were made in Python.
        OptionError: The run has no such file.
        DataError: They cannot be read.
        DatasetMissingError: They are no longer on this machine.
    """
    source, leaks_left_out = source_from_json(_with_places(description, moved or {}))
    try:
        data = source.load()
    except DataError as error:
        if error.path is None or os.path.exists(error.path):
            raise
        raise DataError(
            f"{error.message}; if the run's rows were moved, name their new place: "
            "train --resume RUN --data NEW_PLACE (or --validation-data, --test-data)",
            error.path,
        ) from error
    if leaks_left_out is not None and not isinstance(data.train, ShardedSplit):
        data = without_leaks(data)
    if data.fingerprint != description["fingerprint"]:
        raise RunError(
            f"{data.source.place} holds other rows than when the run was started: it had "
            f"{description['train_rows']} to train on (fingerprint "
            f"{description['fingerprint'][:12]}), now {len(data.train)} "
            f"({data.fingerprint[:12]}); put them back, or train again"
        )
    return data


def _with_places(description: Mapping[str, Any], moved: Mapping[str, str]) -> dict[str, Any]:
    described = copy.deepcopy(dict(description))
    reading = described["reading"]
    for option, place in moved.items():
        part, path = PARTS.get(option), os.path.abspath(user_path(place))
        if option == "data" and "shards" in reading:
            reading["shards"]["folder"] = path
        elif "shards" not in reading and part in reading.get("paths", ()):
            reading["files"][part], reading["paths"][part] = str(place), path
            described["source"] = reading["files"]["train"]
        elif option == "data_dir" and option in reading:
            reading[option] = path
        else:
            flag = f"--{option.replace('_', '-')}"
            raise OptionError(f"the run reads nothing from {flag}; leave it out")
    return described
