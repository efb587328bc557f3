"""`Rows`: all rows of a table, in the order of its files and lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kerasnlp_lab.data.dataset import Split, TextDataset
from kerasnlp_lab.data.file_source import TableFiles
from kerasnlp_lab.data.inspection.finding import Finding, beginning
from kerasnlp_lab.data.label_cells import joined_labels
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.errors import DataError

__all__ = ["SPLITS", "Rows", "table_of"]

SPLITS = ("train", "validation", "test")
READ_ROWS = 4096


def table_of(data: TextDataset) -> TableFiles:
    """Returns the table that a dataset was read from.

    Raises:
        DataError: It was not read from one.
    """
    if not isinstance(data.source, TableFiles):
        raise DataError(f"{data.name} was not read from a table; open one by load_table")
    return data.source


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of the three splits, in the order of the files.

    Args:
        data: The dataset, as `load_table` returns it.
        files: The split that each row's file was given for, as an index into `SPLITS`,
            int64 of shape [rows].
        splits: The split that each row is in, as an index into `SPLITS`, int64 [rows].
        places: Its index in that split, int64 [rows].
        labels: Its label id, int64 [rows].
        lines: Its line, int64 [rows].
    """

    data: TextDataset
    files: np.ndarray
    splits: np.ndarray
    places: np.ndarray
    labels: np.ndarray
    lines: np.ndarray

    @classmethod
    def of(cls, data: TextDataset) -> Rows:
        """Puts the rows of a dataset in order."""
        parts: list[Split] = [getattr(data, name) for name in SPLITS]
        splits = np.repeat(np.arange(3), [len(part) for part in parts])
        tables = table_of(data).files
        given = [place if SPLITS[place] in tables else 0 for place in range(3)]
        files = np.array(given)[splits]
        places = np.concatenate([np.arange(len(part)) for part in parts])
        labels = np.concatenate([part.labels for part in parts])
        lines = np.concatenate([part.lines for part in parts if part.lines is not None])
        of_file = np.concatenate(
            [np.zeros(len(one)) if one.parts is None else one.parts for one in parts]
        )
        order = np.lexsort((lines, of_file, files))
        return cls(data, *(numbers[order] for numbers in (files, splits, places, labels, lines)))

    def __len__(self) -> int:
        return len(self.lines)

    def texts(self) -> Iterator[str]:
        """Yields every text, in blocks."""
        return self.texts_of(np.arange(len(self)))

    def texts_of(self, rows: np.ndarray) -> Iterator[str]:
        """Yields the texts of the given rows; they are read in blocks and not kept."""
        for start in range(0, len(rows), READ_ROWS):
            yield from self.take(rows[start : start + READ_ROWS])

    def take(self, rows: np.ndarray) -> list[str]:
        """Returns the texts of the given rows, in the given order."""
        found = [""] * len(rows)
        for number in range(len(SPLITS)):
            wanted = np.flatnonzero(self.splits[rows] == number)
            texts = self._split(number).take(self.places[rows[wanted]]).texts
            for place, text in zip(wanted.tolist(), texts, strict=True):
                found[place] = text
        return found

    def text(self, row: int) -> str:
        """Returns one text."""
        return self._split(int(self.splits[row])).texts[int(self.places[row])]

    def label(self, row: int) -> str:
        """Returns a row's class, its labels with commas between, or its target text.

        It is "" for a row with spans.
        """
        if self.data.annotation == "target_texts":
            return self.target(row)
        if self.data.annotation == "spans":
            return ""
        if self.data.annotation == "label_sets":
            return joined_labels(tuple(self.data.label_names[one] for one in self.label_set(row)))
        return self.data.label_names[self.labels[row]]

    def label_set(self, row: int) -> tuple[int, ...]:
        """Returns a row's label ids."""
        sets = self._split(int(self.splits[row])).label_sets
        return (int(self.labels[row]),) if sets is None else sets[int(self.places[row])]

    def target(self, row: int) -> str:
        """Returns a row's target text; "" if it has none."""
        targets = self._split(int(self.splits[row])).target_texts
        return "" if targets is None else targets[int(self.places[row])]

    def spans(self, row: int) -> tuple[Span, ...]:
        """Returns a row's spans."""
        spans = self._split(int(self.splits[row])).spans
        return () if spans is None else spans[int(self.places[row])]

    def path(self, row: int) -> str:
        """Returns a row's file."""
        return self._split(int(self.splits[row])).file(int(self.places[row]))

    def where(self, row: int) -> str:
        """Returns a row's file and line."""
        return f"{self.path(row)}:{self.lines[row]}"

    def finding(
        self, kind: str, row: int, detail: str, text: str | None = None, label: str | None = None
    ) -> Finding:
        """Returns a finding about a row; text and label are the row's if they are left out."""
        label = self.label(row) if label is None else label
        text = self.text(row) if text is None else text
        line = int(self.lines[row])
        if self.data.annotation == "target_texts":
            label = beginning(label)
        return Finding(kind, self.path(row), line, label, beginning(text), detail)

    def _split(self, number: int) -> Split:
        return getattr(self.data, SPLITS[number])
