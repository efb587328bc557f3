"""`load_table`: a user's own table of texts and labels, as a dataset."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasnlp_lab.data.dataset import Split, TextDataset
from kerasnlp_lab.data.labels import (
    ClassMatcher,
    class_names,
    class_problem,
    in_order,
    is_number,
    label_text,
    listed,
    wrong_value,
)
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.source import MAX_CLASSES, TableFiles
from kerasnlp_lab.data.splits import divide
from kerasnlp_lab.data.tables import RejectedRow, TableRow, read_table
from kerasnlp_lab.errors import DataError, check_option, did_you_mean

__all__ = ["load_labelled_rows", "load_table"]

TEXT_NAMES = ("text", "message", "sms", "sentence", "content", "review", "comment", "tweet")
LABEL_NAMES = ("label", "class", "category", "target", "sentiment", "topic")

OnProblem = Callable[[DataError], None]


def _refuse(error: DataError) -> None:
    raise error


@dataclass
class _Labelled:
    """The good rows of a table; labels are indices into the names in order of appearance."""

    path: Path
    texts: StoredTexts
    labels: array[int]
    seen: tuple[str, ...]
    lines: array[int]
    numbers: bool

    def split(self, names: tuple[str, ...], classes: dict[str, str] | None = None) -> Split:
        """Returns the rows with their label ids; `classes` are those of labels not in names."""
        places = {name: place for place, name in enumerate(names)}
        place = np.array([places[(classes or {}).get(name, name)] for name in self.seen], int)
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
    max_classes: int = MAX_CLASSES,
    on_problem: OnProblem = _refuse,
) -> TextDataset:
    """Reads texts and labels from one table, or from a table for each split.

    A row is bad if it has too few or too many columns, broken quoting, bytes that are not
    UTF-8, no text or no label, a list in place of one, or a label that no training row has. A
    bad row raises an error, or is skipped and listed in the dataset's ``rejected``. Labels of
    one value are one class in every format, such as 1 and 1.0; see `class_names`.

    Args:
        path: All rows, or the rows to train on: .csv, .tsv, .jsonl or .parquet, perhaps
            compressed; see `read_table`.
        validation: The rows to validate on; None takes a share of the others.
        test: The rows to test on; None takes a share of the others.
        text_columns: The columns of texts, joined by a space; empty to choose by name.
        label_column: The column with names or numbers of classes; None to choose by name.
        validation_fraction: The share of all rows to validate on.
        test_fraction: The share of all rows to test on.
        seed: Which rows those are. Splits are stratified; if both are taken out of the
            rows, they are those of scikit-learn's train_test_split, called for both
            together and then for their halves.
        skip_bad_rows: Whether to skip bad rows.
        max_classes: How many classes there may be.
        on_problem: Called with each DataError about rows that can be read but not trained on:
            a doubtful column of labels, no row, one class, too many, or one too rare to split.
            By default it raises; if it returns, rows that cannot be split are in ``train``.

    Returns:
        The dataset; its classes are in numerical or else alphabetical order.

    Raises:
        DataError: A file or a row cannot be used; the message names file, line and column.
        OptionError: A fraction or the seed is out of range.
    """
    check_option("the most classes (--max-classes)", max_classes, max_classes > 1, "2 or more")
    files = {"train": path, "validation": validation, "test": test}
    given = {part: Path(file) for part, file in files.items() if file is not None}
    rows: dict[str, _Labelled] = {}
    rejected: list[RejectedRow] = []
    match: ClassMatcher | None = None
    named = label_column is not None
    for part, file in given.items():
        columns = text_columns, label_column
        rows[part], text_columns, label_column = _read(
            file, *columns, match, skip_bad_rows, rejected, on_problem
        )
        if match is None:
            classes, notes = class_names(rows[part].seen, rows[part].numbers)
            names = in_order(set(classes.values()))
            match = ClassMatcher(names)
            if label_column and names:
                count = len(rows[part].texts)
                problem = class_problem(label_column, names, count, max_classes, named)
                if problem:
                    on_problem(DataError(problem, file))
    splits = {
        part: labelled.split(names, classes if part == "train" else None)
        for part, labelled in rows.items()
    }
    try:
        parts = divide(Path(path), splits, validation_fraction, test_fraction, seed, names)
    except DataError as error:
        on_problem(error)
        none = splits["train"].take(np.zeros(0, int))
        parts = splits["train"], splits.get("validation", none), splits.get("test", none)
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
        max_classes=max_classes,
    )
    rows_left_out = tuple(rejected)
    return TextDataset(Path(path).name, names, *parts, source, rows_left_out, notes=tuple(notes))


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
    match = ClassMatcher(label_names)
    rows, _, _ = _read(Path(path), text_columns, label_column, match, skip_bad_rows, rejected)
    return rows.split(tuple(label_names)), tuple(rejected)


def _read(
    path: Path,
    text_columns: Sequence[str],
    label_column: str | None,
    match: ClassMatcher | None,
    skip_bad_rows: bool,
    rejected: list[RejectedRow],
    on_problem: OnProblem = _refuse,
) -> tuple[_Labelled, tuple[str, ...], str]:
    """Returns a table's good rows and its columns, and adds its bad rows to `rejected`."""
    table = read_table(path)
    text_names, label_name = _choose_columns(
        path, table.columns, text_columns, label_column, on_problem
    )
    labels, lines = array("q"), array("i")
    seen: dict[str, int] = {}
    numbers, already = True, len(rejected)

    def texts() -> Iterator[str]:
        nonlocal numbers
        for record in table.rows:
            row = _labelled(path, record, text_names, label_name, match)
            if not isinstance(row, RejectedRow):
                lines.append(record.line)
                numbers &= row[2]
                labels.append(seen.setdefault(row[1], len(seen)))
                yield row[0]
            elif skip_bad_rows:
                rejected.append(row)
            else:
                advice = "fix the row, or skip such rows (--bad-rows skip)"
                raise DataError(f"{row.reason}; {advice}", path, row.line)

    stored = StoredTexts.write(texts())
    if not len(stored):
        reasons = [f"line {row.line}: {row.reason}" for row in rejected[already:]]
        more = f"; and {len(reasons) - 3:,} more" if len(reasons) > 3 else ""
        why = f" ({'; '.join(reasons[:3])}{more})" if reasons else ""
        on_problem(DataError(f"no rows that can be used{why}", path))
    return _Labelled(path, stored, labels, tuple(seen), lines, numbers), text_names, label_name


def _choose_columns(
    path: Path,
    columns: list[str],
    text_columns: Sequence[str],
    label_column: str | None,
    on_problem: OnProblem,
) -> tuple[tuple[str, ...], str]:
    """Returns the columns that are asked for, or those whose names are unambiguous."""
    for name in (*text_columns, *([label_column] if label_column else [])):
        if name not in columns:
            close = did_you_mean(name, columns)
            raise DataError(f"no column {name!r}; there are {', '.join(columns)}{close}", path)
    texts = tuple(text_columns) or tuple(c for c in columns if c.lower() in TEXT_NAMES)
    if label_column == "":  # the table before had no column that is surely that of the labels
        return texts, ""
    labels = [label_column] if label_column else [c for c in columns if c.lower() in LABEL_NAMES]
    for option, found, given in (
        ("--text-column", texts, text_columns),
        ("--label-column", labels, label_column),
    ):
        if not given and len(found) != 1:
            doubt = f"{' or '.join(found)}?" if found else "none has a name that tells."
            error = DataError(
                f"which column is it? {doubt} Say {option} NAME; there are {', '.join(columns)}",
                path,
            )
            if found is texts:
                raise error
            on_problem(error)
            return texts, ""
    if labels[0] in texts:
        raise DataError(f"column {labels[0]!r} cannot be both text and label", path)
    return texts, str(labels[0])


def _labelled(
    path: Path,
    row: TableRow | RejectedRow,
    text_columns: tuple[str, ...],
    label_column: str,
    match: ClassMatcher | None,
) -> tuple[str, str, bool] | RejectedRow:
    """Returns a row's text, its label or with `match` its class, and if that is a number."""
    if isinstance(row, RejectedRow):
        return row
    cells = [row.cells.get(name, "") for name in text_columns]
    text = " ".join(filter(None, (cell.strip() for cell in cells)))
    cell = row.cells.get(label_column, "")
    label = label_text(cell)
    reason = next(filter(None, (wrong_value(cell, "text") for cell in cells)), "")
    reason = reason or wrong_value(cell, "label")
    if reason:
        pass
    elif not text:
        reason = f"no text in column {' or '.join(text_columns)}"
    elif label_column and not label:
        reason = f"no label in column {label_column}"
    elif match is not None:
        found = match.match(label)
        if found is None:
            reason = f"label {label!r} is none of {listed(match.classes)}"
        label = found or label
    if reason:
        return RejectedRow(str(path), row.line, reason, text[:200])
    return text, label, is_number(cell)
