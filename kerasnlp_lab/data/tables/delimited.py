"""`read_delimited`: rows of a CSV or TSV file in any dialect, with their lines."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from kerasnlp_lab.data.tables.dialect import Dialect, find_dialect
from kerasnlp_lab.data.tables.encoding import check_encoding, find_encoding
from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.records import Records, cells_of_line, invalid, misfit
from kerasnlp_lab.data.tables.rows import RejectedRow, Rows, TableRow, check_names, rejected_row
from kerasnlp_lab.data.tables.table_format import TableFormat
from kerasnlp_lab.errors import DataError

__all__ = ["read_delimited"]

Record = tuple[int, list[str]]
ROW_NAMES = 100  # rows that are looked at for R's names of rows


def read_delimited(path: Path, usual: str, format: TableFormat) -> tuple[list[str], Rows, str]:
    """Returns the columns, the rows, which are read as they are asked for, and a note.

    `usual` is the delimiter that the file's ending stands for. The whole file decides what `format`
    leaves open. Raises DataError if the file or its header cannot be read, or its dialect is in
    doubt.
    """
    if format.encoding:
        check_encoding(path, format.encoding)
    encoding = codecs.lookup(format.encoding).name if format.encoding else find_encoding(path)
    lines = partial(numbered_lines, path, encoding)
    dialect = find_dialect(path, lines, usual, format)
    content = (line for line in lines() if line[0] >= dialect.first_line)
    records = _records(path, Records(content, dialect.delimiter), dialect, encoding)
    first = next(records, None)
    if first is None:
        raise DataError("no rows; expected the columns' names in the first line", path)
    if isinstance(first, RejectedRow):
        raise DataError(first.reason, path, first.line)
    line, cells = first
    names = [cell.strip() for cell in cells]
    following = list(itertools.islice(records, ROW_NAMES))
    records = itertools.chain(following, records)
    if format.header and _have_row_names(following, len(names) + 1):
        names = ["", *names]
    if not format.header:
        names = [str(number) for number in range(1, len(cells) + 1)]
    named = [name for name in names if name]
    check_names(named, path, line)
    note = _note(dialect, encoding, format, names)
    return named, _rows(path, names, first, records, format), note


def _have_row_names(records: list[Record | RejectedRow], cells: int) -> bool:
    """Returns whether rows begin with 1, 2, 3 and so on, which R's write.table leaves unnamed."""
    rows = [record[1] for record in records if not isinstance(record, RejectedRow)]
    numbers = [row[0] for row in rows if len(row) == cells]
    return len(rows) > 1 and numbers == [str(place) for place in range(1, len(rows) + 1)]


def _rows(
    path: Path,
    names: list[str],
    first: Record,
    records: Iterator[Record | RejectedRow],
    format: TableFormat,
) -> Rows:
    needed = max((place for place, name in enumerate(names, 1) if name), default=0)
    index = _index_columns(names)
    if not format.header:
        yield TableRow(first[0], dict(zip(names, first[1], strict=True)))
    unnamed = [place for place, name in enumerate(names) if not name and place >= index]
    for record in records:
        if isinstance(record, RejectedRow):
            yield record
            continue
        line, cells = record
        reason = misfit(names, needed, cells)
        if not reason and any(cells[place].strip() for place in unnamed if place < len(cells)):
            reason = "text in a column without a name: a delimiter without quotes?"
        if reason:
            yield rejected_row(path, line, reason, " | ".join(cells))
        else:
            yield TableRow(line, {n: c for n, c in zip(names, cells, strict=False) if n})


def _index_columns(names: list[str]) -> int:
    """Returns how many columns before the first name have none: pandas' and R's row names."""
    return next((place for place, name in enumerate(names) if name), 0)


def _records(
    path: Path, lines: Records, dialect: Dialect, encoding: str
) -> Iterator[Record | RejectedRow]:
    """Yields the cells of each record; after a broken one it continues with the next line."""
    for number, raw in lines:
        whole = raw
        if dialect.quoted and lines.has_quoted_cell(raw):
            record = lines.quoted((number, raw))
            cells, reason = record.cells, record.reason
            whole = b"".join(line for _, line in record.lines)
        else:
            text = raw.decode("utf-8", "replace")
            cells, reason = cells_of_line(text, dialect.delimiter)
        if not reason and not whole.isascii():
            reason = invalid(whole, encoding)
        if reason:
            yield rejected_row(path, number, reason, raw.decode("utf-8", "replace"))
        elif cells:
            yield number, cells


def _note(dialect: Dialect, encoding: str, format: TableFormat, names: list[str]) -> str:
    """Returns what was found without being said, where it is not the plain case."""
    notes = list(dialect.notes)
    if not format.encoding and encoding != "utf-8":
        doubt = "" if encoding.startswith("utf") else ", as its bytes suggest"
        notes.append(f"encoding {encoding}{doubt} (--encoding overrides it)")
    if index := _index_columns(names):
        columns = "the first column" if index == 1 else f"each of the first {index} columns"
        notes.append(f"{columns} has no name and is ignored as an index")
    return "; ".join(notes)
