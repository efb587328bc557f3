"""`load_table`: a user's own table of texts and labels, as a dataset."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasnlp_lab.data.dataset import Split, TextDataset
from kerasnlp_lab.data.inputs import as_class_names
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.source import TableFiles
from kerasnlp_lab.data.splits import divide
from kerasnlp_lab.data.tables import RejectedRow, TableRow, read_table
from kerasnlp_lab.errors import DataError, did_you_mean

__all__ = ["load_labelled_rows", "load_table"]

TEXT_NAMES = ("text", "message", "sms", "sentence", "content", "review", "comment", "tweet")
LABEL_NAMES = ("label", "class", "category", "target", "sentiment", "topic")
MOST_LABELS = 1000


@dataclass
class _Labelled:
    """The good rows of a table; labels are indices into the names in order of appearance."""

    path: Path
    texts: StoredTexts
    labels: array[int]
    seen: tuple[str, ...]
    lines: array[int]

    def split(self, names: tuple[str, ...]) -> Split:
        place = np.array([names.index(name) for name in self.seen])
        return Split(self.texts, place[self.labels], str(self.path), np.array(self.lines))


def load_table(
    path: str | Path,
    *,
    validation: str | Path | None = None,
    test: str | Path | None = None,
    text_columns: Sequence[str] = (),
    label_column: str | None = None,
    validation_fraction: float = 0.15,
    test_fraction: float = 0.15,
    seed: int = 0,
    skip_bad_rows: bool = False,
) -> TextDataset:
    """Reads texts and labels from one table, or from a table for each split.

    A row is bad if it has too few or too many columns, broken quoting, bytes that are not
    UTF-8, no text or no label, or a label that no training row has. A bad row raises an
    error, or is skipped and listed in the dataset's ``rejected``.

    Args:
        path: All rows, or the rows to train on: .csv, .tsv, .jsonl or .parquet, perhaps
            compressed; see `read_table`.
        validation: The rows to validate on; None takes a share of the others.
        test: The rows to test on; None takes a share of the others.
        text_columns: The column of texts, or several, joined by a space; empty to choose by name.
        label_column: The column with names or numbers of classes; None to choose by name.
        validation_fraction: The share of all rows to validate on.
        test_fraction: The share of all rows to test on.
        seed: Which rows those are. Splits are stratified; if both are taken out of the
            rows, they are those of scikit-learn's train_test_split, called for both
            together and then for their halves.
        skip_bad_rows: Whether to skip bad rows.

    Returns:
        The dataset; its classes are in numerical or else alphabetical order.

    Raises:
        DataError: A file or a row cannot be used; the message names file, line and column.
        OptionError: A fraction or the seed is out of range.
    """
    files = {"train": path, "validation": validation, "test": test}
    given = {part: Path(file) for part, file in files.items() if file is not None}
    rows: dict[str, _Labelled] = {}
    rejected: list[RejectedRow] = []
    known: set[str] | None = None
    for part, file in given.items():
        columns = text_columns, label_column
        rows[part], text_columns, label_column = _read(
            file, *columns, known, skip_bad_rows, rejected
        )
        if known is None:
            known = set(rows[part].seen)
            _check_classes(file, label_column, known, len(rows[part].texts))
    names = _in_order(known or set())
    splits = {part: labelled.split(names) for part, labelled in rows.items()}
    parts = divide(Path(path), splits, validation_fraction, test_fraction, seed)
    source = TableFiles(
        place=str(path),
        files={part: str(file) for part, file in given.items()},
        paths={part: os.path.abspath(file) for part, file in given.items()},
        text_columns=tuple(text_columns),
        label_column=str(label_column),
        validation_fraction=None if validation else validation_fraction,
        test_fraction=None if test else test_fraction,
        split_seed=seed,
        skip_bad_rows=skip_bad_rows,
    )
    return TextDataset(Path(path).name, names, *parts, source, tuple(rejected))


def load_labelled_rows(
    path: str | Path,
    label_names: Sequence[str],
    *,
    text_columns: Sequence[str] = (),
    label_column: str | None = None,
    skip_bad_rows: bool = False,
) -> tuple[Split, tuple[RejectedRow, ...]]:
    """Reads every row of a table, to evaluate a classifier.

    Args:
        path: The table, as in `load_table`.
        label_names: The classifier's classes; a row of another class is bad.
        text_columns: As in `load_table`.
        label_column: As in `load_table`.
        skip_bad_rows: As in `load_table`.

    Returns:
        The rows, and the rows that were skipped.

    Raises:
        DataError: The file or a row cannot be used.
    """
    rejected: list[RejectedRow] = []
    label_names = as_class_names(label_names)
    known = set(label_names)
    rows, _, _ = _read(Path(path), text_columns, label_column, known, skip_bad_rows, rejected)
    return rows.split(label_names), tuple(rejected)


def _read(
    path: Path,
    text_columns: Sequence[str],
    label_column: str | None,
    known: set[str] | None,
    skip_bad_rows: bool,
    rejected: list[RejectedRow],
) -> tuple[_Labelled, tuple[str, ...], str]:
    """Returns a table's good rows and its columns, and adds its bad rows to `rejected`."""
    table = read_table(path)
    text_names, label_name = _choose_columns(path, table.columns, text_columns, label_column)
    labels, lines = array("q"), array("i")
    seen: dict[str, int] = {}

    def texts() -> Iterator[str]:
        for record in table.rows:
            row = _labelled(path, record, text_names, label_name, known)
            if not isinstance(row, RejectedRow):
                lines.append(record.line)
                labels.append(seen.setdefault(row[1], len(seen)))
                yield row[0]
            elif skip_bad_rows:
                rejected.append(row)
            else:
                advice = "fix the row, or skip such rows (--bad-rows skip)"
                raise DataError(f"{row.reason}; {advice}", path, row.line)

    stored = StoredTexts.write(texts())
    if not len(stored):
        raise DataError("no rows that can be used", path)
    return _Labelled(path, stored, labels, tuple(seen), lines), text_names, label_name


def _choose_columns(
    path: Path, columns: list[str], text_columns: Sequence[str], label_column: str | None
) -> tuple[tuple[str, ...], str]:
    """Returns the columns that are asked for, or those whose names are unambiguous."""
    text_columns = (text_columns,) if isinstance(text_columns, str) else tuple(text_columns)
    for name in (*text_columns, *([label_column] if label_column else [])):
        if name not in columns:
            close = did_you_mean(name, columns)
            raise DataError(f"no column {name!r}; there are {', '.join(columns)}{close}", path)
    texts = tuple(text_columns) or tuple(c for c in columns if c.lower() in TEXT_NAMES)
    labels = [label_column] if label_column else [c for c in columns if c.lower() in LABEL_NAMES]
    for option, found, given in (
        ("--text-column", texts, text_columns),
        ("--label-column", labels, label_column),
    ):
        if not given and len(found) != 1:
            doubt = f"{' or '.join(found)}?" if found else "none has a name that tells."
            raise DataError(
                f"which column is it? {doubt} Say {option} NAME; there are {', '.join(columns)}",
                path,
            )
    if labels[0] in texts:
        raise DataError(f"column {labels[0]!r} cannot be both text and label", path)
    return texts, str(labels[0])


def _labelled(
    path: Path,
    row: TableRow | RejectedRow,
    text_columns: tuple[str, ...],
    label_column: str,
    known: set[str] | None,
) -> tuple[str, str] | RejectedRow:
    if isinstance(row, RejectedRow):
        return row
    text = " ".join(filter(None, (row.cells.get(name, "").strip() for name in text_columns)))
    label = row.cells.get(label_column, "").strip()
    reason = ""
    if not text:
        reason = f"no text in column {' or '.join(text_columns)}"
    elif not label:
        reason = f"no label in column {label_column}"
    elif known is not None and label not in known:
        reason = f"label {label!r} is none of {', '.join(sorted(known))}"
    return RejectedRow(str(path), row.line, reason, text[:200]) if reason else (text, label)


def _check_classes(path: Path, column: str, labels: set[str], rows: int) -> None:
    if len(labels) < 2:
        raise DataError(
            f"every row has the label {labels.pop()!r}: there is nothing to learn", path
        )
    if len(labels) > min(MOST_LABELS, rows // 2):
        raise DataError(
            f"column {column!r} has {len(labels)} different values in {rows} rows: is it the "
            "column of the labels? Say --label-column NAME",
            path,
        )


def _in_order(labels: set[str]) -> tuple[str, ...]:
    numbers = all(label.removeprefix("-").isdecimal() for label in labels)
    # '1' and '01' are two classes: equal numbers are in alphabetical order
    return tuple(sorted(labels, key=lambda name: (int(name), name)) if numbers else sorted(labels))
