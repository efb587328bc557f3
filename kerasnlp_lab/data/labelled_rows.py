"""`read_labelled_rows`: the texts and labels of a table, with their lines."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasnlp_lab.data.columns import OnProblem, choose_columns, joined_text, wrong_cell
from kerasnlp_lab.data.dataset import Split
from kerasnlp_lab.data.labels import ClassMatcher, is_number, label_text
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.tables import RejectedRow, Table, TableFormat, TableRow, read_table
from kerasnlp_lab.display import first_few, listed
from kerasnlp_lab.errors import DataError

__all__ = ["LabelledRows", "advice_on", "first_reasons", "read_labelled_rows", "refuse"]


def refuse(error: DataError) -> None:
    """Raises an error: what most callers do about a problem."""
    raise error


@dataclass
class LabelledRows:
    """The good rows of a table."""

    path: Path
    text_columns: tuple[str, ...]
    label_column: str  # "" if none is certain
    texts: StoredTexts
    labels: array[int]  # for each text an index into `seen`
    seen: tuple[str, ...]  # the distinct labels in order of appearance
    numbers: bool  # whether each label was a number in its file, and no text
    lines: array[int]  # the line of each row
    files: tuple[str, ...]  # of a table of several
    parts: array[int]  # for each row an index into `files`
    rejected: tuple[RejectedRow, ...]  # the rows that were skipped
    notes: tuple[str, ...]  # on the form of the table

    def split(self, names: Sequence[str], classes: dict[str, str] | None = None) -> Split:
        """Returns the rows with their label ids; `classes` are those of labels not in names."""
        places = {name: place for place, name in enumerate(names)}
        place = np.array([places[(classes or {}).get(name, name)] for name in self.seen], int)
        parts = np.array(self.parts) if self.files else None
        lines = np.array(self.lines)
        return Split(self.texts, place[self.labels], str(self.path), lines, self.files, parts)


def read_labelled_rows(
    path: Path,
    text_columns: Sequence[str],
    label_column: str | None,
    *,
    match: ClassMatcher | None,
    skip_bad_rows: bool,
    format: TableFormat,
    on_problem: OnProblem = refuse,
) -> LabelledRows:
    """Reads a table, with the arguments of `load_table`.

    A `label_column` of "" is none. A row is bad if `match` finds no class for its label; None
    takes all labels. Raises DataError if the table or a row cannot be used.
    """
    table = read_table(path, format)
    columns = choose_columns(path, table.columns, text_columns, label_column, on_problem)
    labels, lines, parts = array("q"), array("i"), array("i")
    seen: dict[str, int] = {}
    rejected: list[RejectedRow] = []
    numbers = True

    def texts() -> Iterator[str]:
        nonlocal numbers
        for record in table.rows:
            row = _labelled(table, path, record, *columns, match)
            if not isinstance(row, RejectedRow):
                assert isinstance(record, TableRow)
                text, label, number = row
                lines.append(record.line)
                parts.append(record.part)
                numbers &= number
                labels.append(seen.setdefault(label, len(seen)))
                yield text
            elif skip_bad_rows:
                rejected.append(row)
            else:
                raise DataError(f"{row.reason}; {advice_on(row.reason)}", row.path, row.line)

    stored = StoredTexts.write(texts())
    if not len(stored):
        on_problem(DataError(f"no rows that can be used{first_reasons(rejected)}", path))
    return LabelledRows(
        path,
        *columns,
        texts=stored,
        labels=labels,
        seen=tuple(seen),
        numbers=numbers,
        lines=lines,
        files=table.files,
        parts=parts,
        rejected=tuple(rejected),
        notes=(table.note,) if table.note else (),
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
    text_columns: tuple[str, ...],
    label_column: str,
    match: ClassMatcher | None,
) -> tuple[str, str, bool] | RejectedRow:
    """Returns a row's text, its label or with `match` its class, and if that is a number."""
    if isinstance(row, RejectedRow):
        return row
    text = joined_text(row, text_columns)
    cell = row.cells.get(label_column, "")
    label = label_text(cell)
    wrong = (wrong_cell(row, name, "text") for name in text_columns)
    reason = next(filter(None, wrong), "") or wrong_cell(row, label_column, "label")
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
        file = table.files[row.part] if table.files else str(path)
        return RejectedRow(file, row.line, reason, text[:200])
    return text, label, is_number(cell)
