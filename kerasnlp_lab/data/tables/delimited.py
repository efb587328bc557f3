"""`read_delimited`: rows of a CSV or TSV file, with their lines."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.rows import (
    INVALID,
    RejectedRow,
    Rows,
    TableRow,
    check_names,
    rejected_row,
)
from kerasnlp_lab.errors import DataError

__all__ = ["MAX_RECORD_LINES", "read_delimited"]

MAX_RECORD_LINES = 1000  # a quoted cell with more line ends than this has lost its end


def read_delimited(path: Path, delimiter: str) -> tuple[list[str], Rows]:
    """Returns the names of the columns, and the rows, which are read as they are asked for."""
    records = _records(path, delimiter)
    header = next(records, None)
    if header is None:
        raise DataError("no rows; expected the columns' names in the first line", path)
    if isinstance(header, RejectedRow):
        raise DataError(header.reason, path, header.line)
    names = [name.strip() for name in header[1]]
    named = [name for name in names if name]
    check_names(named, path, header[0])
    return named, (
        record if isinstance(record, RejectedRow) else _row(path, names, *record)
        for record in records
    )


def _row(path: Path, names: list[str], line: int, cells: list[str]) -> TableRow | RejectedRow:
    """Returns a row by its columns; columns without a name must be empty or missing."""
    needed = max(index for index, name in enumerate(names, 1) if name) if any(names) else 0
    reason = ""
    if len(cells) < needed:
        reason = f"expected {needed} columns, got {len(cells)}"
    elif any(cell.strip() for cell in cells[len(names) :]):
        reason = f"expected {len(names)} columns, got {len(cells)}: a delimiter without quotes?"
    elif any(cell.strip() and not name for name, cell in zip(names, cells, strict=False)):
        reason = "text in a column without a name: a delimiter without quotes?"
    if reason:
        return rejected_row(path, line, reason, " | ".join(cells))
    return TableRow(line, {name: c for name, c in zip(names, cells, strict=False) if name})


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]] | RejectedRow]:
    """Yields the cells of each record; after a broken one it continues with the next line."""
    waiting: deque[tuple[int, bytes]] = deque()
    lines = numbered_lines(path)

    def next_line() -> tuple[int, bytes] | None:
        return waiting.popleft() if waiting else next(lines, None)

    while (first := next_line()) is not None:
        taken = [first]
        while True:
            cells, reason = _parse(b"".join(raw for _, raw in taken), delimiter)
            if reason != _UNCLOSED or len(taken) == MAX_RECORD_LINES:
                break
            line = next_line()
            if line is None:
                break
            taken.append(line)
        if reason.startswith(INVALID):  # the record is complete: reject all of it
            yield rejected_row(path, first[0], reason, first[1].decode("utf-8", "replace"))
            continue
        if reason and len(taken) > 1:
            reason = f"a quotation mark that is not closed by line {taken[-1][0]}"
        if reason:
            waiting.extendleft(reversed(taken[1:]))
            yield rejected_row(path, first[0], reason, first[1].decode("utf-8", "replace"))
        elif cells:
            yield first[0], cells


_UNCLOSED = "a quotation mark that is never closed"


def _parse(raw: bytes, delimiter: str) -> tuple[list[str], str]:
    """Returns the cells of one record, or the reason why it is broken."""
    text = raw.decode("utf-8", "surrogateescape")  # to find the end of the record, valid or not
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        cells, more = next(reader, []), any(reader)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return [], _UNCLOSED
        if "field limit" in str(error):
            return [], f"a cell of more than {csv.field_size_limit()} characters"
        return [], f"broken quoting ({error})"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return [], f"{INVALID} at byte {error.start + 1}"
    if more:
        return [], "a line end (carriage return) without quotes; end lines with a line feed"
    return cells, ""
