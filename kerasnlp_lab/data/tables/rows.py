"""`Table`, `TableRow` and `RejectedRow`: what readers of tables return."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasnlp_lab.errors import DataError

__all__ = [
    "INVALID",
    "RejectedRow",
    "Rows",
    "Table",
    "TableRow",
    "ValueText",
    "as_text",
    "check_names",
    "csv_content",
    "rejected_row",
]

INVALID = "not valid UTF-8"
QUOTED_CONTENT = 200  # characters of a rejected row to quote


@dataclass(frozen=True)
class TableRow:
    """A row of a table.

    Args:
        line: Its first line, counted from 1; in Parquet the row's number.
        cells: Its cells, by column.
        part: Its file, as an index into the table's files, where there are several.
    """

    line: int
    cells: dict[str, str]
    part: int = 0


@dataclass(frozen=True)
class RejectedRow:
    """A row that cannot be used.

    Args:
        path: The file.
        line: Its first line, counted from 1; in Parquet the row's number.
        reason: The reason why.
        content: The start of its content.
    """

    path: str
    line: int
    reason: str
    content: str


Rows = Iterator[TableRow | RejectedRow]


@dataclass(frozen=True)
class Table:
    """An open table.

    Args:
        columns: The names of the columns.
        rows: An iterator over the rows, which reads as it goes.
        note: What was found about its format, as a line for people; "" where there was
            nothing to find.
        files: The files, where there are several; see `TableRow`.
    """

    columns: list[str]
    rows: Rows
    note: str = ""
    files: tuple[str, ...] = ()


class ValueText(str):
    """The text of a cell whose value is no text in its file; `value` is that value."""

    value: Any


def csv_content(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Returns the content of a CSV file that `read_table` reads back unchanged.

    Every cell is quoted: older Pythons do not quote a bare carriage return.
    """
    content = io.BytesIO()
    file = io.TextIOWrapper(content, "utf-8", newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    file.flush()
    return content.getvalue()


def check_names(names: list[str], path: Path, line: int | None = None) -> None:
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        advice = "" if line is None else "; rename one, or say --no-header if this line is a row"
        raise DataError(f"two columns are called {twice!r}{advice}", path, line)


def as_text(value: Any) -> str:
    """Returns a value as a CSV would hold it; a missing value is an empty text.

    The text of any other value than a text is a `ValueText`.
    """
    if isinstance(value, str):
        return value
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    shown: Any = value
    if isinstance(value, bool):
        shown = str(value).lower()
    elif isinstance(value, float) and value.is_integer():
        shown = int(value)
    text = ValueText(shown)
    text.value = value
    return text


def rejected_row(path: Path, line: int, reason: str, content: str) -> RejectedRow:
    return RejectedRow(str(path), line, reason, content.rstrip("\r\n")[:QUOTED_CONTENT])
