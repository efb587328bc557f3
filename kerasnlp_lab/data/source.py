"""Where the rows of a dataset come from, as typed records that can load them again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kerasnlp_lab.data.file_source import LATER_FIELDS, MAX_CLASSES, EntityFiles, TableFiles
from kerasnlp_lab.data.tables.table_format import TableFormat
from kerasnlp_lab.errors import RunError

if TYPE_CHECKING:
    from kerasnlp_lab.data.dataset import TextDataset

__all__ = [
    "LeaksLeftOut",
    "NamedDataset",
    "PythonRows",
    "Shards",
    "Source",
    "source_from_json",
    "source_to_json",
]


@dataclass(frozen=True)
class LeaksLeftOut:
    """How many rows `without_leaks` removed.

    Args:
        train: Training rows whose text is validated or tested on.
        validation: Validation rows whose text is tested on.
    """

    train: int
    validation: int


@dataclass(frozen=True)
class NamedDataset:
    """A dataset that `load_dataset` knows by name.

    Args:
        name: Its name.
        place: The file or folder that it was read from, for people.
        validation_fraction: The share of rows to validate on.
        split_seed: Which rows those are.
        data_dir: The folder of datasets, absolute; None for the default.
    """

    name: str
    place: str
    validation_fraction: float
    split_seed: int
    data_dir: str | None = None

    def load(self) -> TextDataset:
        """Loads the same rows again; raises what `load_dataset` raises."""
        from kerasnlp_lab.data.registry import load_dataset

        data = load_dataset(
            self.name,
            data_dir=self.data_dir,
            validation_fraction=self.validation_fraction,
            seed=self.split_seed,
        )
        return dataclasses.replace(data, source=self)  # whose place may be relative

    def reading(self) -> dict[str, Any]:
        """Returns what a JSON description says about it under "reading"."""
        return {"data_dir": self.data_dir}


@dataclass(frozen=True)
class PythonRows:
    """Rows that a Python program made, which only that program can make again.

    Args:
        name: The dataset's name, where it is known.
        place: A note for people on where the rows come from.
        validation_fraction: The share of rows to validate on, if the program says so.
        split_seed: Which rows those are, if the program says so.
    """

    name: str = ""
    place: str = ""
    validation_fraction: float | None = None
    split_seed: int | None = None

    def load(self) -> TextDataset:
        """Raises RunError."""
        raise RunError(
            f"the rows {self.name!r} were made in Python: make them again and call "
            "run_experiment as before, with the same output"
        )

    def reading(self) -> dict[str, Any]:
        """Returns {}: only the program knows how they are made."""
        return {}


@dataclass(frozen=True)
class Shards:
    """A folder that `write_shards` wrote.

    Args:
        made_from: The source of the rows in it.
        folder: The folder, absolute.
        files: How many files of training rows it has.
        made_from_fingerprint: The fingerprint of the dataset that was sharded.
    """

    made_from: NamedDataset | TableFiles | PythonRows
    folder: str
    files: int
    made_from_fingerprint: str

    @property
    def place(self) -> str:
        """The place that the rows were read from before they were sharded."""
        return self.made_from.place

    @property
    def validation_fraction(self) -> float | None:
        """The share of rows to validate on."""
        return self.made_from.validation_fraction

    @property
    def split_seed(self) -> int | None:
        """Which rows those are."""
        return self.made_from.split_seed

    def load(self) -> TextDataset:
        """Opens the folder again; raises what `load_shards` raises."""
        from kerasnlp_lab.data.shards import load_shards

        return load_shards(self.folder)

    def reading(self) -> dict[str, Any]:
        """Returns what a JSON description says about it under "reading"."""
        shards = {
            "folder": self.folder,
            "files": self.files,
            "made_from": self.made_from_fingerprint,
        }
        return self.made_from.reading() | {"shards": shards}


Source = NamedDataset | TableFiles | Shards | PythonRows
"""Where the rows of a `TextDataset` come from."""


def source_to_json(source: Source, leaks_left_out: LeaksLeftOut | None) -> dict[str, Any]:
    """Returns what config.json and shards.json say about the origin of a dataset's rows.

    The keys are "source", "validation_fraction", "split_seed" and "reading".
    """
    reading = source.reading()
    if leaks_left_out is not None:
        reading["leaks_left_out"] = dataclasses.asdict(leaks_left_out)
    return {
        "source": source.place,
        "validation_fraction": source.validation_fraction,
        "split_seed": source.split_seed,
        "reading": reading,
    }


def source_from_json(described: Mapping[str, Any]) -> tuple[Source, LeaksLeftOut | None]:
    """Returns what `source_to_json` described; the key "name" is the dataset's.

    Raises KeyError if a key is missing, and TypeError if a value has another form.
    """
    reading = described["reading"]
    source = _unsharded(described)
    if "shards" in reading:
        shards = reading["shards"]
        source = Shards(source, shards["folder"], shards["files"], shards["made_from"])
    leaks = reading.get("leaks_left_out")
    return source, None if leaks is None else LeaksLeftOut(**leaks)


def _unsharded(described: Mapping[str, Any]) -> Any:
    reading = described["reading"]
    common = {
        "place": described["source"],
        "validation_fraction": described["validation_fraction"],
        "split_seed": described["split_seed"],
    }
    if "paths" in reading:
        common |= {
            "files": reading["files"],
            "paths": reading["paths"],
            "text_columns": tuple(reading["text_columns"]),
            "label_column": reading["label_column"],
            "test_fraction": reading["test_fraction"],
            "skip_bad_rows": reading["skip_bad_rows"],
            "format": TableFormat(**reading.get("format", {})),
            "max_classes": reading.get("max_classes", MAX_CLASSES),  # 0.1.0 had no other
        }
        if "joiner" not in reading:
            later = {name: reading[name] for name in LATER_FIELDS if name in reading}
            for name, value in later.items():
                later[name] = tuple(value) if isinstance(value, list) else value
            return TableFiles(**common, **later)
        names = tuple(reading["tag_names"])
        return EntityFiles(joiner=reading["joiner"], tag_names=names, **common)
    if "data_dir" in reading:
        return NamedDataset(described["name"], data_dir=reading["data_dir"], **common)
    return PythonRows(described["name"], **common)
