"""`TableFiles` and `EntityFiles`: the user's own files as a source of rows."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kerasnlp_lab.data.columns import Columns
from kerasnlp_lab.data.tables.table_format import TableFormat
from kerasnlp_lab.errors import RunError
from kerasnlp_lab.paths import is_pipe

if TYPE_CHECKING:
    from kerasnlp_lab.data.dataset import Annotation, TextDataset

__all__ = ["LATER_FIELDS", "MAX_CLASSES", "EntityFiles", "TableFiles"]

MAX_CLASSES = 1000
LATER_FIELDS: Mapping[str, Any] = {
    "second_text_column": "",
    "annotation": "labels",
    "label_columns": (),
    "label_separator": None,
    "label_names": (),
    "target_column": "",
    "rare_classes": None,
    "rare_minimum": None,
    "rare_names": (),
}
"""The fields of `TableFiles` that older descriptions do not have, with their defaults."""


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
        second_text_column: The column of the second texts of pairs; "" if texts are no pairs.
        annotation: "label_sets" where a text may have several labels, "target_texts" where it has
            a target text.
        label_columns: The columns of 0 and 1, one a label.
        label_separator: What stands between the labels of a cell; None for a comma.
        label_names: The names of labels that are numbers.
        target_column: The column of target texts; "" if texts have labels.
        rare_classes: What becomes of rare classes, as `load_table` is told.
        rare_minimum: The rows that a class needs, if `load_table` is told.
        rare_names: The classes that were dropped or merged.
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
    second_text_column: str = ""
    annotation: Annotation = "labels"
    label_columns: tuple[str, ...] = ()
    label_separator: str | None = None
    label_names: tuple[str, ...] = ()
    target_column: str = ""
    rare_classes: str | None = None
    rare_minimum: int | None = None
    rare_names: tuple[str, ...] = ()

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
            label_column="" if self.label_columns else self.label_column,
            max_classes=self.max_classes,
            **{name: value for name, value in self._given().items() if name != "rare_names"},
            **settings,
        )

    @property
    def columns(self) -> Columns:
        """The columns of texts and labels."""
        return Columns.of(
            text_columns=self.text_columns,
            second_text_column=self.second_text_column,
            label_column=self.label_column,
            annotation=self.annotation,
            label_columns=self.label_columns,
            label_separator=self.label_separator,
            number_names=self.label_names,
            target_column=self.target_column,
        )

    @property
    def becomes(self) -> dict[str, str | None]:
        """The class that each dropped or merged class became; None if it was dropped."""
        into = (self.rare_classes or "").partition("=")[2].strip() or None
        return dict.fromkeys(self.rare_names, into)

    def _given(self) -> dict[str, Any]:
        """Returns the arguments of `load_table` that version 0.1.0 did not have and are given."""
        values = {name: getattr(self, name) for name in LATER_FIELDS}
        return {name: value for name, value in values.items() if value != LATER_FIELDS[name]}

    def reading(self) -> dict[str, Any]:
        """Returns what a JSON description says about them under "reading"."""
        reading = {
            "text_columns": list(self.text_columns),
            "label_column": self.label_column,
            "test_fraction": self.test_fraction,
            "files": dict(self.files),
            "paths": dict(self.paths),
            "skip_bad_rows": self.skip_bad_rows,
            "max_classes": self.max_classes,
        }
        for name, value in self._given().items():
            reading[name] = list(value) if isinstance(value, tuple) else value
        if format := self.format.to_json():
            reading["format"] = format
        return reading


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

    def reading(self) -> dict[str, Any]:
        """Returns what a JSON description says about them under "reading"."""
        own = {"joiner": self.joiner, "tag_names": list(self.tag_names)}
        return super().reading() | own
