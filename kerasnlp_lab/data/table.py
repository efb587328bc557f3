"""`load_table`: a user's own table of texts and labels, as a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasnlp_lab.data.columns import Columns, OnProblem
from kerasnlp_lab.data.dataset import Annotation, Split, TextDataset
from kerasnlp_lab.data.file_source import MAX_CLASSES, TableFiles
from kerasnlp_lab.data.inputs import as_class_names
from kerasnlp_lab.data.label_set_splits import divide_label_sets
from kerasnlp_lab.data.labelled_rows import LabelledRows, read_labelled_rows, refuse
from kerasnlp_lab.data.labels import ClassMatcher, class_names, class_problem, in_order
from kerasnlp_lab.data.splits import divide
from kerasnlp_lab.data.tables import RejectedRow, TableFormat, split_entries
from kerasnlp_lab.display import listed
from kerasnlp_lab.errors import DataError, check_option
from kerasnlp_lab.paths import is_pipe, user_path

__all__ = ["files_of_splits", "load_labelled_rows", "load_table"]

_DEFAULT = TableFormat()


def load_table(
    path: str | Path,
    *,
    validation: str | Path | None = None,
    test: str | Path | None = None,
    text_columns: str | Sequence[str] = (),
    label_column: str | None = None,
    second_text_column: str = "",
    annotation: Annotation = "labels",
    label_columns: str | Sequence[str] = (),
    label_separator: str | None = None,
    label_names: Sequence[str] = (),
    validation_fraction: float = 0.15,
    test_fraction: float = 0.15,
    seed: int = 0,
    skip_bad_rows: bool = False,
    format: TableFormat = _DEFAULT,
    max_classes: int = MAX_CLASSES,
    on_problem: OnProblem = refuse,
) -> TextDataset:
    """Reads texts and labels from one table, or from a table for each split.

    A row is bad if it has too few or too many columns, broken quoting, bytes that its
    encoding does not have, no text or no label, a list in place of one, or a label that no
    training row has. Where texts may have several labels, they may have none. A bad row raises
    an error, or is skipped and listed in the dataset's ``rejected``. Labels of one value are one
    class in every format, such as 1 and 1.0; see `class_names`.

    Args:
        path: All rows, or the rows to train on: a file, or several by a folder or a pattern;
            see `read_table`. A folder with "train" and "test" in it, or "validation", has
            the other tables too.
        validation: The rows to validate on; None takes a share of the others.
        test: The rows to test on; None takes a share of the others.
        text_columns: The columns of texts, joined by a space; empty to choose by name.
        label_column: The column with names or numbers of classes; None to choose by name.
        second_text_column: The column of the second texts, if texts are pairs; see
            `kerasnlp_lab.data.pairs`. A pair without one of its texts is a bad row.
        annotation: "label_sets" if a text may have several labels, or none. A cell then has names
            with commas between, quoted as in CSV where they have commas of their own, or a list.
        label_columns: Columns of 0 and 1, one a label, in place of `label_column`; ``label_*``
            stands for all columns that match.
        label_separator: What stands between the labels of a cell in place of commas.
        label_names: The names of labels that are numbers, in the order of the numbers, from 0.
        validation_fraction: The share of all rows to validate on.
        test_fraction: The share of all rows to test on.
        seed: Which rows those are. Splits are stratified; if both are taken out of the
            rows, they are those of scikit-learn's train_test_split, called for both
            together and then for their halves.
        skip_bad_rows: Whether to skip bad rows.
        format: How to read the files; what it leaves open is decided by each file.
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
    wanted = Columns.of(
        text_columns=text_columns,
        second_text_column=second_text_column,
        label_column=label_column,
        annotation=annotation,
        label_columns=label_columns,
        label_separator=label_separator,
        number_names=label_names,
    )
    given, notes = files_of_splits(path, validation, test)
    path = given["train"]

    def read(part: str, columns: Columns, match: ClassMatcher | None) -> LabelledRows:
        return read_labelled_rows(
            given[part],
            columns,
            match=match,
            skip_bad_rows=skip_bad_rows,
            format=format,
            on_problem=on_problem,
        )

    train = read("train", wanted, None)
    columns = train.columns
    if columns.names:
        classes, of_labels = {name: name for name in train.names}, list[str]()
        names = tuple(name for name in columns.names if name in classes)
    else:
        classes, of_labels = class_names(train.names, train.numbers)
        names = in_order(set(classes.values()))
    named = bool(label_column or label_columns)
    if columns.of_labels and (names or annotation == "label_sets"):
        column, everywhere = " and ".join(columns.of_labels), () not in train.seen
        problem = class_problem(column, names, len(train.texts), max_classes, named, everywhere)
        if problem:
            on_problem(DataError(f"{problem}{_skipped(train)}", path))
    match = ClassMatcher(names)
    splits = {"train": train.split(names, classes)}
    others = {part: file for part, file in given.items() if file != path}
    splits |= {part: splits["train"] for part in given if part not in others}
    rows = {part: read(part, columns, match) for part in others}
    splits |= {part: labelled.split(names) for part, labelled in rows.items()}
    try:
        share = divide if annotation == "labels" else divide_label_sets
        parts = share(path, splits, validation_fraction, test_fraction, seed, names)
    except DataError as error:
        on_problem(error)
        none = splits["train"].take(np.zeros(0, int))
        parts = splits["train"], splits.get("validation", none), splits.get("test", none)
    source = TableFiles.of(
        given,
        text_columns=columns.texts,
        label_column=columns.label or "",
        second_text_column=columns.second,
        annotation=annotation,
        label_columns=columns.flags,
        label_separator=label_separator,
        label_names=columns.names,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        split_seed=seed,
        skip_bad_rows=skip_bad_rows,
        format=format,
        max_classes=max_classes,
    )
    return TextDataset(
        path.name or path.absolute().name,  # of "."
        names,
        *parts,
        source,
        tuple(row for one in (train, *rows.values()) for row in one.rejected),
        notes=(
            *notes,
            *train.notes,
            *of_labels,
            *(f"{one.path}: {note}" for one in rows.values() for note in one.notes),
            *_about_label_sets(train, parts, names),
        ),
        pair=columns.pair,
    )


def _about_label_sets(
    rows: LabelledRows, parts: Sequence[Split], names: Sequence[str]
) -> list[str]:
    """Returns what people should know about texts with any number of labels."""
    if rows.columns.annotation != "label_sets":
        return []
    sets = [ids for part in parts for ids in part.label_sets or ()]
    notes, columns = [], rows.columns
    if none := sum(not ids for ids in sets):
        notes.append(f"{none:,} of {len(sets):,} texts have no label")
    if unused := [name for name in columns.names or columns.flags if name not in names]:
        notes.append(f"no training row has the label {listed(unused)}: it is left out")
    if columns.separator is None and all(len(labels) < 2 for labels in rows.seen):
        marks = [mark for mark in ";|" if any(mark in name for name in names)]
        advice = f"; if a {marks[0]} separates them, say --label-separator '{marks[0]}'"
        notes.append(f"no text has two labels{advice if marks else ''}")
    return notes


def _skipped(rows: LabelledRows) -> str:
    if not rows.rejected:
        return ""
    first = rows.rejected[0]
    return f" ({len(rows.rejected):,} rows were skipped: line {first.line}, {first.reason}; ...)"


def files_of_splits(
    path: str | Path,
    validation: str | Path | None,
    test: str | Path | None,
    endings: Sequence[str] = (),
) -> tuple[dict[str, Path], list[str]]:
    """Returns the table of each split that has one, and notes on what was found.

    Args:
        path: As in `load_table`.
        validation: As in `load_table`.
        test: As in `load_table`.
        endings: The endings of more files in a folder that may be those of a split.
    """
    files = {"train": path, "validation": validation, "test": test}
    given = {part: user_path(file) for part, file in files.items() if file is not None}
    notes = []
    if given["train"].is_dir() and (found := split_entries(given["train"], endings)):
        given.pop("train")
        given = {"train": found["train"], **found, **given}
        used = ", ".join(f"{file} ({part})" for part, file in given.items())
        notes.append(f"its splits are {used}; nothing else in it is read")
    if any(map(is_pipe, given.values())):
        notes.append("a pipe cannot be read again: 'train --resume' needs the rows in a file")
    return given, notes


def load_labelled_rows(
    path: str | Path,
    label_names: Sequence[str],
    *,
    text_columns: str | Sequence[str] = (),
    label_column: str | None = None,
    skip_bad_rows: bool = False,
    format: TableFormat = _DEFAULT,
    trained_on: TableFiles | None = None,
    on_note: Callable[[str], object] = lambda note: None,
    **columns: Any,
) -> tuple[Split, tuple[RejectedRow, ...]]:
    """Reads every row of a table, to evaluate a classifier.

    Args:
        path: The table, as in `load_table`; so are the columns, `skip_bad_rows` and `format`.
        label_names: The classifier's classes; a row of another class is bad.
        trained_on: The table that the classifier was trained on. Pairs and texts with several
            labels are in its columns, unless others are named.
        on_note: Called with each line on what was found about the form of the table.
        columns: As in `load_table`: `second_text_column`, `annotation`, `label_columns` and
            `label_separator`; and `number_names`, which `load_table` calls `label_names`.

    Returns:
        The rows, and the rows that were skipped.

    Raises:
        DataError: The file or a row cannot be used.
    """
    label_names = as_class_names(label_names)
    columns |= {"text_columns": text_columns, "label_column": label_column}
    wanted = Columns.of(**columns)
    rows = read_labelled_rows(
        user_path(path),
        wanted if trained_on is None else wanted.or_as_in(trained_on.columns),
        match=ClassMatcher(label_names),
        skip_bad_rows=skip_bad_rows,
        format=format,
    )
    for note in rows.notes:
        on_note(note)
    return rows.split(label_names), rows.rejected
