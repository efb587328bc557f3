"""`load_table`: a user's own table of texts and labels, as a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasnlp_lab.data.columns import Columns, OnProblem
from kerasnlp_lab.data.dataset import Annotation, Split, TextDataset
from kerasnlp_lab.data.file_source import MAX_CLASSES, TableFiles
from kerasnlp_lab.data.inputs import as_class_names
from kerasnlp_lab.data.label_set_splits import divide_label_sets
from kerasnlp_lab.data.labelled_rows import LabelledRows, read_labelled_rows, refuse
from kerasnlp_lab.data.labels import ClassMatcher, class_problem
from kerasnlp_lab.data.rare_classes import check_rare_classes
from kerasnlp_lab.data.splits import divide, divide_texts
from kerasnlp_lab.data.table_classes import TableClasses
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
    target_column: str = "",
    rare_classes: str | None = None,
    rare_minimum: int | None = None,
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
            "target_texts" if a text has a target text and no label.
        label_columns: Columns of 0 and 1, one a label, in place of `label_column`; ``label_*``
            stands for all columns that match.
        label_separator: What stands between the labels of a cell in place of commas.
        label_names: The names of labels that are numbers, in the order of the numbers, from 0.
        target_column: The column of target texts, which makes the annotation "target_texts"; ""
            to choose by name. A row without a target text is bad.
        rare_classes: What becomes of classes with too few rows: "stop" raises an error, "keep"
            has their rows in the training rows alone, "drop" leaves them out, and "merge=NAME"
            makes one class of them. None is "stop", or "keep" where texts have several labels.
        rare_minimum: The rows that a class needs; None for what the splits need.
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
    check_rare_classes(rare_classes, rare_minimum)
    check_option("the most classes (--max-classes)", max_classes, max_classes > 1, "2 or more")
    annotation = "target_texts" if target_column else annotation
    wanted = Columns.of(
        text_columns=text_columns,
        second_text_column=second_text_column,
        label_column=label_column,
        target_column=target_column,
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
    shares = {"validation": validation_fraction, "test": test_fraction}
    drawn = [share for part, share in shares.items() if part not in given]
    try:
        classes = TableClasses.of(train, rare_classes, rare_minimum, drawn)
    except DataError as error:
        on_problem(DataError(error.message, path))
        classes = TableClasses.of(train, "keep", 1, drawn)
    names = classes.names
    if columns.of_labels and (names or annotation == "label_sets"):
        column, everywhere = " and ".join(columns.of_labels), () not in train.seen
        named = bool(label_column or label_columns)
        problem = class_problem(column, names, len(train.texts), max_classes, named, everywhere)
        if problem:
            on_problem(DataError(f"{problem}{_skipped(train)}", path))
    generated = annotation == "target_texts"
    match = None if generated else ClassMatcher(classes.known)
    splits = {"train": train.split(names, classes.of_label)}
    others = {part: file for part, file in given.items() if file != path}
    splits |= {part: splits["train"] for part in given if part not in others}
    rows = {part: read(part, columns, match) for part in others}
    splits |= {part: one.split(names, classes.rare.becomes) for part, one in rows.items()}
    try:
        how: Any = (validation_fraction, test_fraction, seed)
        if generated:
            parts = divide_texts(path, splits, *how)
        else:
            share = divide if annotation == "labels" else divide_label_sets
            how += (names, classes.only_train(splits["train"]))
            parts = share(path, splits, *how)
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
        target_column=columns.target,
        rare_classes=rare_classes,
        rare_minimum=rare_minimum,
        rare_names=tuple(classes.rare.becomes),
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
            *classes.notes,
            *(f"{one.path}: {note}" for one in rows.values() for note in one.notes),
            *_left_out(rows, splits),
        ),
        pair=columns.pair,
    )


def _left_out(rows: Mapping[str, LabelledRows], splits: Mapping[str, Split]) -> list[str]:
    """Returns how many rows of other tables had a class that was dropped."""
    counts = {one.path: len(one.texts) - len(splits[part]) for part, one in rows.items()}
    return [
        f"{path}: {count:,} rows of these classes are left out"
        for path, count in counts.items()
        if count
    ]


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
        columns: As in `load_table`: `second_text_column`, `annotation`, `label_columns`,
            `label_separator` and `target_column`; and `number_names`, which `load_table` calls
            `label_names`.

    Returns:
        The rows, and the rows that were skipped.

    Raises:
        DataError: The file or a row cannot be used.
    """
    label_names = as_class_names(label_names)
    wanted = Columns.of(text_columns=text_columns, label_column=label_column, **columns)
    becomes: dict[str, str | None] = {}
    if trained_on is not None:
        wanted, becomes = wanted.or_as_in(trained_on.columns), trained_on.becomes
    dropped = [] if wanted.annotation == "label_sets" else [n for n in becomes if not becomes[n]]
    merged = {name: into for name, into in becomes.items() if name not in dropped}
    generated = wanted.annotation == "target_texts"
    rows = read_labelled_rows(
        user_path(path),
        wanted,
        match=None if generated else ClassMatcher({*label_names, *merged}, dropped),
        skip_bad_rows=skip_bad_rows,
        format=format,
    )
    for note in rows.notes:
        on_note(note)
    if rare := [name for name in rows.names if name in merged]:
        done = next(f"merged into {into!r}" if into else "left out" for into in merged.values())
        on_note(f"{done}, as in training: {listed(rare)}")
    return rows.split(label_names, merged), rows.rejected
