"""Where the rows of a dataset come from, as typed records that can load them again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kerasnlp_lab.data.tables.table_format import TableFormat
from kerasnlp_lab.errors import RunError
from kerasnlp_lab.paths import is_pipe

if TYPE_CHECKING:
    from kerasnlp_lab.data.dataset import TextDataset

__all__ = [
    "MAX_CLASSES",
    "EntityFiles",
    "LeaksLeftOut",
    "NamedDataset",
    "PythonRows",
    "Shards",
    "Source",
    "TableFiles",
    "source_from_json",
    "source_to_json",
]


MAX_CLASSES = 1000


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

    def to_json(self) -> dict[str, Any]:
        """Returns the keys "source", "validation_fraction", "split_seed" and "reading"."""
        return _json(self, {"data_dir": self.data_dir})

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> NamedDataset:
        """Returns what `to_json` described; the key "name" is the dataset's."""
        return cls(
            described["name"],
            described["source"],
            described["validation_fraction"],
            described["split_seed"],
            described["reading"].get("data_dir"),
        )


@dataclass(frozen=True, kw_only=True)
class TableFiles:
    """Tables of the user's own, which `load_table` reads.

    Args:
        place: The training table, as it was given.
        files: The tables as they were given, by split: "train", and perhaps "validation"
            and "test".
        paths: The same, absolute; "-" for a pipe, which cannot be read again.
        text_columns: The columns of texts, joined by a space.
        label_column: The column of labels.
        validation_fraction: The share of rows to validate on; None where a table is given.
        test_fraction: The share of rows to test on; None where a table is given.
        split_seed: Which rows those are.
        skip_bad_rows: Whether bad rows are skipped.
        format: How to read the files.
        max_classes: How many classes there may be.
    """

    place: str
    files: Mapping[str, str]
    paths: Mapping[str, str]
    text_columns: tuple[str, ...]
    label_column: str
    validation_fraction: float | None
    test_fraction: float | None
    split_seed: int
    skip_bad_rows: bool
    format: TableFormat = TableFormat()
    max_classes: int = MAX_CLASSES

    @classmethod
    def of(
        cls,
        given: Mapping[str, Path],
        *,
        validation_fraction: float,
        test_fraction: float,
        **settings: Any,
    ) -> Self:
        """Returns the source of the files that were given, by split, and other fields."""
        pipes = {part: is_pipe(file) for part, file in given.items()}
        return cls(
            place=str(given["train"]),
            files={part: str(file) for part, file in given.items()},
            paths={part: "-" if pipes[part] else os.path.abspath(given[part]) for part in given},
            validation_fraction=None if "validation" in given else validation_fraction,
            test_fraction=None if "test" in given else test_fraction,
            **settings,
        )

    @property
    def fractions(self) -> dict[str, Any]:
        """The shares that `load_table` is given; splits with a table of their own have none."""
        shares = {
            "validation_fraction": self.validation_fraction,
            "test_fraction": self.test_fraction,
        }
        return {name: share for name, share in shares.items() if share is not None}

    def load(self) -> TextDataset:
        """Loads the same rows again; raises what reading them first may raise.

        Tables that were moved together with the current folder are found in it.

        Raises:
            RunError: They came from a pipe.
        """
        for part, path in self.paths.items():
            if path == "-":
                name = "standard input" if self.files[part] == "-" else self.files[part]
                raise RunError(
                    f"the rows came from {name}, which cannot be read again: repeat the command "
                    "with the same rows and the same --output, or train on a file of them"
                )
        paths = dict(self.paths)
        for part, file in self.files.items():
            if not os.path.exists(paths[part]) and os.path.exists(file):
                paths[part] = os.path.abspath(file)
        settings = {
            "seed": self.split_seed,
            "skip_bad_rows": self.skip_bad_rows,
            "format": self.format,
            **self.fractions,
        }
        others = {part: path for part, path in paths.items() if part != "train"}
        data = self._read(paths["train"], **others, **settings)
        source = dataclasses.replace(self, paths=paths)  # whose files may be relative
        return dataclasses.replace(data, source=source)

    def _read(self, path: str, **settings: Any) -> TextDataset:
        from kerasnlp_lab.data.table import load_table

        return load_table(
            path,
            text_columns=self.text_columns,
            label_column=self.label_column,
            max_classes=self.max_classes,
            **settings,
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the keys "source", "validation_fraction", "split_seed" and "reading"."""
        reading = {
            "text_columns": list(self.text_columns),
            "label_column": self.label_column,
            "test_fraction": self.test_fraction,
            "files": dict(self.files),
            "paths": dict(self.paths),
            "skip_bad_rows": self.skip_bad_rows,
            "max_classes": self.max_classes,
        }
        if format := self.format.to_json():
            reading["format"] = format
        return _json(self, reading)

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> TableFiles:
        """Returns what `to_json` described."""
        reading = described["reading"]
        return cls(
            place=described["source"],
            files=reading["files"],
            paths=reading["paths"],
            text_columns=tuple(reading["text_columns"]),
            label_column=reading["label_column"],
            validation_fraction=described["validation_fraction"],
            test_fraction=reading["test_fraction"],
            split_seed=described["split_seed"],
            skip_bad_rows=reading["skip_bad_rows"],
            format=TableFormat.from_json(reading.get("format", {})),
            max_classes=reading.get("max_classes", MAX_CLASSES),  # 0.1.0 had no other
        )


@dataclass(frozen=True, kw_only=True)
class EntityFiles(TableFiles):
    """Annotation files of the user's own, which `load_entities` reads.

    Args:
        joiner: What stands between the tokens of a text.
        tag_names: The names of tags that are numbers.
    """

    text_columns: tuple[str, ...] = ()
    label_column: str = ""
    joiner: str = "auto"
    tag_names: tuple[str, ...] = ()

    def _read(self, path: str, **settings: Any) -> TextDataset:
        from kerasnlp_lab.data.entities import load_entities

        return load_entities(path, joiner=self.joiner, tag_names=self.tag_names, **settings)

    def to_json(self) -> dict[str, Any]:
        """Returns the keys "source", "validation_fraction", "split_seed" and "reading"."""
        described = super().to_json()
        described["reading"] |= {"joiner": self.joiner, "tag_names": list(self.tag_names)}
        return described

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> EntityFiles:
        """Returns what `to_json` described."""
        joiner, names = described["reading"]["joiner"], described["reading"]["tag_names"]
        files = vars(TableFiles.from_json(described))
        return cls(**files, joiner=joiner, tag_names=tuple(names))


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

    def to_json(self) -> dict[str, Any]:
        """Returns the keys "source", "validation_fraction", "split_seed" and "reading"."""
        return _json(self, {})

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> PythonRows:
        """Returns what `to_json` described; the key "name" is the dataset's."""
        return cls(
            described["name"],
            described["source"],
            described["validation_fraction"],
            described["split_seed"],
        )


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

    def to_json(self) -> dict[str, Any]:
        """Returns the keys "source", "validation_fraction", "split_seed" and "reading"."""
        described = self.made_from.to_json()
        described["reading"]["shards"] = {
            "folder": self.folder,
            "files": self.files,
            "made_from": self.made_from_fingerprint,
        }
        return described

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Shards:
        """Returns what `to_json` described; the key "name" is the dataset's."""
        shards = described["reading"]["shards"]
        made_from = _unsharded_from_json(described)
        return cls(made_from, shards["folder"], shards["files"], shards["made_from"])


Source = NamedDataset | TableFiles | Shards | PythonRows
"""Where the rows of a `TextDataset` come from."""


def source_to_json(source: Source, leaks_left_out: LeaksLeftOut | None) -> dict[str, Any]:
    """Returns what config.json and shards.json say about the origin of a dataset's rows.

    Args:
        source: The origin.
        leaks_left_out: The rows that were removed after reading, if any were to be.

    Returns:
        The keys "source", "validation_fraction", "split_seed" and "reading".
    """
    described = source.to_json()
    if leaks_left_out is not None:
        described["reading"]["leaks_left_out"] = dataclasses.asdict(leaks_left_out)
    return described


def source_from_json(described: Mapping[str, Any]) -> tuple[Source, LeaksLeftOut | None]:
    """Returns what `source_to_json` described; the key "name" is the dataset's.

    Raises:
        KeyError: A key is missing.
        TypeError: A value has another form.
    """
    reading = described["reading"]
    leaks = reading.get("leaks_left_out")
    source: Source = (
        Shards.from_json(described) if "shards" in reading else _unsharded_from_json(described)
    )
    return source, None if leaks is None else LeaksLeftOut(**leaks)


def _unsharded_from_json(described: Mapping[str, Any]) -> NamedDataset | TableFiles | PythonRows:
    if "joiner" in described["reading"]:
        return EntityFiles.from_json(described)
    if "paths" in described["reading"]:
        return TableFiles.from_json(described)
    if "data_dir" in described["reading"]:
        return NamedDataset.from_json(described)
    return PythonRows.from_json(described)


def _json(
    source: NamedDataset | TableFiles | PythonRows, reading: dict[str, Any]
) -> dict[str, Any]:
    return {
        "source": source.place,
        "validation_fraction": source.validation_fraction,
        "split_seed": source.split_seed,
        "reading": reading,
    }
