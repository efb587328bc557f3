"""`clean`: a cleaned copy of a table, and a list of the changes."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasnlp_lab.data.dataset import TextDataset
from kerasnlp_lab.data.file_source import TableFiles
from kerasnlp_lab.data.inspection.duplicates import rows_of_groups, two_labels
from kerasnlp_lab.data.inspection.encoding import damage, mend
from kerasnlp_lab.data.inspection.rows import SPLITS, Rows, table_of
from kerasnlp_lab.data.normal_form import group_texts
from kerasnlp_lab.data.pairs import shown_pair, split_pair
from kerasnlp_lab.data.table import load_table
from kerasnlp_lab.data.tables import csv_content, read_table
from kerasnlp_lab.data.tables.records import MAX_RECORD_LINES
from kerasnlp_lab.errors import DataError

__all__ = ["Change", "Cleaned", "clean"]

LEFT_OUT, MENDED = "left out", "mended"


@dataclass(frozen=True)
class Change:
    """A change of one row.

    Args:
        path: The file.
        line: The row's line in it, from 1.
        action: "left out" or "mended".
        reason: The reason.
        before: The text before; of a bad row, the start of the row.
        after: The text after; empty if the row was left out.
    """

    path: str
    line: int
    action: str
    reason: str
    before: str
    after: str


@dataclass(frozen=True)
class Cleaned:
    """A cleaned table.

    Args:
        files: The content of each file by its name: cleaned.csv, or one for each given split.
            If a text does not fit into a CSV file, they are .jsonl.
        changes: The changes, in the order of the rows; bad rows come first.
        rows: The number of rows that are left.
        other_columns: The table's columns that are not in the files.
    """

    files: dict[str, bytes]
    changes: tuple[Change, ...]
    rows: int
    other_columns: tuple[str, ...] = ()


def clean(data: TextDataset) -> Cleaned:
    """Returns a copy of a table with all problems fixed that have a certain fix.

    Bad rows are left out. Encoding damage is mended if it can be. Then every row of a text
    with two labels is left out, and of the same text one row stays: in one file the first, in
    several files that of test, or else of validation. Likely wrong labels and near duplicates
    stay, for people to judge.

    Args:
        data: The table, as `load_table` returns it with ``skip_bad_rows``.

    Raises:
        DataError: The rest is no table to train on, though the table is one; or no column is
            surely that of the labels.
    """
    if not table_of(data).columns.of_labels:
        message = "--fix needs to know the column of the labels; say --label-column NAME"
        raise DataError(message, table_of(data).place)
    rows = Rows.of(data)
    changes = [
        Change(bad.path, bad.line, LEFT_OUT, bad.reason, bad.content, "") for bad in data.rejected
    ]
    mended, kinds = _mended_texts(rows)
    groups = group_texts(mended.get(row, text) for row, text in enumerate(rows.texts()))
    reasons = {row: f"nothing is left of it: {kinds[row]}" for row, t in mended.items() if not t}
    for group in rows_of_groups(groups):
        reasons |= _left_out(rows, group)
    for row in sorted({*mended, *reasons}):
        action = LEFT_OUT if row in reasons else MENDED
        reason, after = reasons.get(row, kinds.get(row, "")), mended.get(row, "")
        after = "" if row in reasons else after
        path, line = rows.path(row), int(rows.lines[row])
        before = shown_pair(rows.text(row))
        changes.append(Change(path, line, action, reason, before, shown_pair(after)))
    kept = np.setdiff1d(np.arange(len(rows)), list(reasons))
    files = _files(rows, kept, mended)
    _check(data, files)
    return Cleaned(files, tuple(changes), len(kept), _other_columns(table_of(data)))


def _other_columns(table: TableFiles) -> tuple[str, ...]:
    """Returns the columns that a cleaned copy leaves out."""
    used = {*table.columns.of_texts, *table.columns.of_labels}
    found: dict[str, None] = {}
    for path in table.paths.values():
        if path != "-":  # a pipe, which cannot be read again
            found |= dict.fromkeys(read_table(Path(path), table.format).columns)
    return tuple(name for name in found if name not in used)


def _mended_texts(rows: Rows) -> tuple[dict[int, str], dict[int, str]]:
    """Returns the mended texts, and the kinds of damage that were mended, by row."""
    texts, kinds = {}, {}
    for row, text in enumerate(rows.texts()):
        before = damage(text)
        after = mend(text) if before else text
        if after != text:
            left = damage(after)
            texts[row] = after
            kinds[row] = ", ".join(kind for kind in before if kind not in left)
    return texts, kinds


def _left_out(rows: Rows, group: np.ndarray) -> dict[int, str]:
    """Returns the rows of a group of same texts to leave out, each with the reason."""
    labels = two_labels(rows, group)
    if labels:
        return dict.fromkeys(group.tolist(), f"the same text has two {labels}")
    kept = int(group[rows.files[group].argmax()])
    reason = f"same text as {rows.where(kept)}"
    return {row: reason for row in group.tolist() if row != kept}


def _files(rows: Rows, kept: np.ndarray, mended: dict[int, str]) -> dict[str, bytes]:
    given = list(table_of(rows.data).files)
    names = given if len(given) > 1 else ["cleaned"]
    contents = {}
    split: Callable[[str], tuple[str, ...]] = split_pair if rows.data.pair else lambda text: (text,)
    header = ("text", "second_text", "label") if rows.data.pair else ("text", "label")
    for name, part in zip(names, given, strict=True):
        chosen = kept[rows.files[kept] == SPLITS.index(part)]
        texts = rows.texts_of(chosen)
        pairs = zip(chosen.tolist(), texts, strict=True)
        contents[name] = [(*split(mended.get(row, text)), rows.label(row)) for row, text in pairs]
    if all(_fits_csv(cells) for lines in contents.values() for cells in lines):
        return {f"{name}.csv": csv_content(header, lines) for name, lines in contents.items()}
    return {f"{name}.jsonl": _jsonl_content(header, lines) for name, lines in contents.items()}


def _fits_csv(cells: tuple[str, ...]) -> bool:
    longest = csv.field_size_limit()
    lines = sum(cell.count("\n") for cell in cells)
    return lines < MAX_RECORD_LINES - 1 and all(len(cell) <= longest for cell in cells)


def _jsonl_content(header: Sequence[str], rows: list[tuple[str, ...]]) -> bytes:
    lines = (json.dumps(dict(zip(header, cells, strict=True))) for cells in rows)
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def _check(data: TextDataset, files: dict[str, bytes]) -> None:
    """Raises DataError unless the cleaned files make the splits that the table made."""
    if len(data.label_names) < 2 or not len(data.validation) or not len(data.test):
        return  # the table makes none
    with tempfile.TemporaryDirectory(prefix="kerasnlp_lab-") as scratch:
        for name, content in files.items():
            Path(scratch, name).write_bytes(content)
        table = table_of(data)
        paths = zip(table.files, (Path(scratch, name) for name in files), strict=True)
        settings: dict[str, Any] = {**dict(paths), **table.fractions}
        try:
            settings |= {
                "seed": table.split_seed,
                "max_classes": table.max_classes,
                "annotation": table.annotation,
                "second_text_column": "second_text" if data.pair else "",
                "rare_classes": table.rare_classes,
                "rare_minimum": table.rare_minimum,
            }
            load_table(settings.pop("train"), **settings)
        except DataError as error:
            raise DataError(
                f"the cleaned table would be no table to train on ({error.message}); "
                "fix its findings by hand, without --fix",
                table.place,
            ) from error
