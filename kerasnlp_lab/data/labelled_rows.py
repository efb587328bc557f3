"""`read_labelled_rows`: the texts and labels of a table, with their lines."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasnlp_lab.data.columns import Columns, OnProblem, choose_columns, row_text
from kerasnlp_lab.data.dataset import Split
from kerasnlp_lab.data.label_cells import LabelCell, read_labels
from kerasnlp_lab.data.labels import ClassMatcher
from kerasnlp_lab.data.pairs import PAIR_SEPARATOR, shown_pair
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.tables import RejectedRow, Table, TableFormat, TableRow, read_table
from kerasnlp_lab.display import first_few
from kerasnlp_lab.errors import DataError

__all__ = ["LabelledRows", "advice_on", "first_reasons", "read_labelled_rows", "refuse"]


def refuse(error: DataError) -> None:
    """Raises an error: what most callers do about a problem."""
    raise error


@dataclass
class LabelledRows:
    """The good rows of a table."""

    path: Path
    columns: Columns
    texts: StoredTexts
    labels: array[int]  # for each text an index into `seen`
    # the distinct sets of labels, or target texts, in order of appearance
    seen: tuple[tuple[str, ...], ...]
    numbers: bool  # whether each label was a number in its file, and no text
    lines: array[int]  # the line of each row
    files: tuple[str, ...]  # of a table of several
    parts: array[int]  # for each row an index into `files`
    rejected: tuple[RejectedRow, ...]  # the rows that were skipped
    notes: tuple[str, ...]  # on the form of the table

    @property
    def names(self) -> list[str]:
        """The distinct labels in order of appearance."""
        return list(dict.fromkeys(label for labels in self.seen for label in labels))

    def counts(self, classes: Mapping[str, str]) -> Counter[str]:
        """Returns the rows of each class; `classes` has the class of each label."""
        found: Counter[str] = Counter()
        numbers = np.bincount(self.labels, minlength=len(self.seen)).tolist()
        for labels, count in zip(self.seen, numbers, strict=True):
            found.update(dict.fromkeys({classes.get(one, one) for one in labels}, count))
        return found

    def split(self, names: Sequence[str], classes: Mapping[str, str | None] | None = None) -> Split:
        """Returns the rows with their label ids.

        Args:
            names: The classes.
            classes: The class of each label that is none; None leaves the label out, and the row
                too where each has one label.
        """
        parts = np.array(self.parts) if self.files else None
        where = (str(self.path), np.array(self.lines), self.files, parts)
        if self.columns.annotation == "target_texts":
            targets = [self.seen[number][0] for number in self.labels]
            return Split(self.texts, *(np.zeros(0), *where), target_texts=targets)
        places: dict[str | None, int] = {name: place for place, name in enumerate(names)}
        found = [[(classes or {}).get(one, one) for one in labels] for labels in self.seen]
        ids = [tuple(places[one] for one in labels if one is not None) for labels in found]
        if self.columns.annotation == "label_sets":
            return Split(
                self.texts, *(np.zeros(0), *where), label_sets=[ids[n] for n in self.labels]
            )
        place = np.array([one[0] if one else -1 for one in ids], int)[self.labels]
        split = Split(self.texts, place, *where)
        return split if (place >= 0).all() else split.take(place >= 0)


def read_labelled_rows(
    path: Path,
    columns: Columns,
    *,
    match: ClassMatcher | None,
    skip_bad_rows: bool,
    format: TableFormat,
    on_problem: OnProblem = refuse,
) -> LabelledRows:
    """Reads a table, with the arguments of `load_table`.

    A row is bad if `match` finds no class for a label of it; None takes all labels. Raises
    DataError if the table or a row cannot be used.
    """
    table = read_table(path, format, several_labels=columns.annotation == "label_sets")
    columns = choose_columns(path, table.columns, columns, on_problem)
    labels, lines, parts = array("q"), array("i"), array("i")
    seen: dict[tuple[str, ...], int] = {}
    rejected: list[RejectedRow] = []
    numbers = True
    separators = lists = 0

    def texts() -> Iterator[str]:
        nonlocal numbers, separators, lists
        for record in table.rows:
            row = _labelled(table, path, record, columns, match)
            if not isinstance(row, RejectedRow):
                assert isinstance(record, TableRow)
                text, cell = row
                lines.append(record.line)
                parts.append(record.part)
                numbers &= cell.numbers or not cell.labels
                labels.append(seen.setdefault(cell.labels, len(seen)))
                lists += cell.is_list
                if columns.second:
                    cells = (record.cells.get(name, "") for name in columns.of_texts)
                    separators += any(PAIR_SEPARATOR in one for one in cells)
                yield text
            elif skip_bad_rows:
                rejected.append(row)
            else:
                raise DataError(f"{row.reason}; {advice_on(row.reason)}", row.path, row.line)

    stored = StoredTexts.write(texts())
    if not len(stored):
        on_problem(DataError(f"no rows that can be used{first_reasons(rejected)}", path))
    notes = [table.note] if table.note else []
    if separators:
        notes.append(f"{separators:,} rows have the control character U+001F, read as a space")
    if lists:
        notes.append(f"labels are read from lists ({lists:,} of {len(stored):,} rows)")
    return LabelledRows(
        path,
        columns,
        texts=stored,
        labels=labels,
        seen=tuple(seen),
        numbers=numbers,
        lines=lines,
        files=table.files,
        parts=parts,
        rejected=tuple(rejected),
        notes=tuple(notes),
    )


def first_reasons(rejected: Sequence[RejectedRow]) -> str:
    """Returns the first reasons why rows were rejected, each once, to end a message with."""
    lines: dict[str, list[str]] = {}
    for row in rejected:
        lines.setdefault(row.reason, []).append(str(row.line))
    reasons = [
        f"line{'s' if len(of) > 1 else ''} {first_few(of, 8)}: {reason}"
        for reason, of in lines.items()
    ]
    return f" ({first_few(reasons, 3, '; ')})" if reasons else ""


def advice_on(reason: str) -> str:
    """Returns what to do about a bad row."""
    advice = "fix the row, or skip such rows (--bad-rows skip)"
    if "quotation mark" in reason or "quoting" in reason:
        return f"{advice}; if quotation marks are text in this table, say --quoting none"
    if reason.startswith("not valid "):
        return f"{advice}; if the file has another encoding, say --encoding"
    return advice


def _labelled(
    table: Table,
    path: Path,
    row: TableRow | RejectedRow,
    columns: Columns,
    match: ClassMatcher | None,
) -> tuple[str, LabelCell] | RejectedRow:
    """Returns a row's text and its labels, or with `match` the classes of these."""
    if isinstance(row, RejectedRow):
        return row
    text, no_text = row_text(row, columns)
    cell = read_labels(row, columns)
    reason = no_text or cell.wrong
    if reason:
        pass
    elif columns.annotation == "labels" and columns.label and cell.labels == ("",):
        reason = f"no label in column {columns.label}"
    elif match is not None:
        found = {label: match.match(label) for label in cell.labels}
        if None in found.values():
            label = next(label for label, one in found.items() if one is None)
            reason = match.problem(label)
            for mark in ",;|" if columns.annotation == "label_sets" else "":
                if mark in label and all(match.match(one.strip()) for one in label.split(mark)):
                    reason += f"; if a {mark} separates labels, say --label-separator '{mark}'"
        cell = cell._replace(labels=tuple(dict.fromkeys(map(str, found.values()))))
    if reason:
        file = table.files[row.part] if table.files else str(path)
        return RejectedRow(file, row.line, reason, shown_pair(text)[:200])
    return text, cell
