"""`load_again`: the rows of a run, from what its config.json says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerasnlp_lab.data.dataset import TextDataset
from kerasnlp_lab.data.leaks import without_leaks
from kerasnlp_lab.data.registry import dataset_cards, load_dataset
from kerasnlp_lab.data.shards import load_shards
from kerasnlp_lab.data.table import load_table
from kerasnlp_lab.errors import RunError

__all__ = ["load_again"]


def load_again(description: Mapping[str, Any]) -> TextDataset:
    """Loads the rows that a run was begun with.

    Args:
        description: The "dataset" of its config.json.

    Raises:
        RunError: They are other rows now, or were made in Python.
        DataError: They cannot be read.
        DatasetMissingError: They are not on this machine any more.
    """
    reading = description["reading"]
    if "shards" in reading:
        data = load_shards(reading["shards"]["folder"])
    elif "paths" in reading:
        data = _table(description)
    elif description["name"] in dataset_cards():
        data = load_dataset(
            description["name"],
            data_dir=reading.get("data_dir"),
            validation_fraction=description["validation_fraction"],
            seed=description["split_seed"],
        )
    else:
        raise RunError(
            f"the rows {description['name']!r} were made in Python: make them again and call "
            "run_experiment as before, with the same output"
        )
    if "leaks_left_out" in reading and "shards" not in reading:
        data = without_leaks(data)
    if data.fingerprint != description["fingerprint"]:
        raise RunError(
            f"{description['source']} holds other rows than when the run was begun: it had "
            f"{description['train_rows']} to train on (fingerprint "
            f"{description['fingerprint'][:12]}), now {len(data.train)} "
            f"({data.fingerprint[:12]}); put them back, or train again"
        )
    return data


def _table(description: Mapping[str, Any]) -> TextDataset:
    reading = description["reading"]
    fractions = {
        "validation_fraction": description["validation_fraction"],
        "test_fraction": reading["test_fraction"],
    }
    return load_table(
        reading["paths"]["train"],
        validation=reading["paths"].get("validation"),
        test=reading["paths"].get("test"),
        text_columns=reading["text_columns"],
        label_column=reading["label_column"],
        seed=description["split_seed"],
        skip_bad_rows=reading["skip_bad_rows"],
        **{name: value for name, value in fractions.items() if value is not None},
    )
