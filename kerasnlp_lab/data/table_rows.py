"""`read_table`: rows of CSV, TSV, JSONL and Parquet files, with their lines."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kerasnlp_lab.errors import DataError, first_line
from kerasnlp_lab.paths import did_you_mean_path

__all__ = ["RejectedRow", "TableRow", "csv_content", "read_table"]

MAX_RECORD_LINES = 1000  # a quoted cell with more line ends than this has lost its end
QUOTED_CONTENT = 200  # characters of a rejected row to quote
_COMPRESSIONS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True)
class TableRow:
    """A row of a table.

    Args:
        line: Its first line, counted from 1; in Parquet the row's number.
        cells: Its cells, by column.
    """

    line: int
    cells: dict[str, str]


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


def read_table(path: Path) -> tuple[list[str], Rows]:
    """Opens a table.

    Args:
        path: A file named .csv, .tsv, .jsonl (or .ndjson) or .parquet; the first three
            may be compressed by gzip, bzip2 or xz, with .gz, .bz2 or .xz appended.
            A CSV or TSV has the columns' names in its first line.

    Returns:
        The columns' names, and an iterator over the rows, which reads as it goes.

    Raises:
        DataError: It is missing, empty, or of another kind.
    """
    if not path.is_file():
        raise DataError(f"no such file{did_you_mean_path(path)}", path)
    suffixes = [s.lower() for s in path.suffixes if s.lower() not in (".gz", ".bz2", ".xz")]
    kind = suffixes[-1] if suffixes else ""
    if kind in _DELIMITERS:
        return _read_delimited(path, _DELIMITERS[kind])
    if kind in (".jsonl", ".ndjson"):
        return _read_jsonl(path)
    if kind == ".parquet":
        return _read_parquet(path)
    raise DataError("expected a file named .csv, .tsv, .jsonl or .parquet, perhaps .gz", path)


def csv_content(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Returns the content of a CSV file that `read_table` reads back unchanged.

    Every cell is quoted: older Pythons do not quote a bare carriage return.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue().encode("utf-8")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yields each line with its number, uncompressed."""
    try:
        with path.open("rb") as file:
            head = file.read(6)
        opens: Any = next((o for magic, o in _COMPRESSIONS.items() if head.startswith(magic)), open)
        with opens(path, "rb") as file:
            yield from enumerate(_without_mark(file), start=1)
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"cannot be read to its end ({first_line(error)})", path) from error


def _without_mark(file: IO[bytes]) -> Iterator[bytes]:
    for index, line in enumerate(file):
        yield line.removeprefix(b"\xef\xbb\xbf") if index == 0 else line


def _read_delimited(path: Path, delimiter: str) -> tuple[list[str], Rows]:
    records = _records(path, delimiter)
    header = next(records, None)
    if header is None:
        raise DataError("no rows; expected the columns' names in the first line", path)
    if isinstance(header, RejectedRow):
        raise DataError(header.reason, path, header.line)
    names = [name.strip() for name in header[1]]
    named = [name for name in names if name]
    _check_names(named, path, header[0])
    return named, (
        record if isinstance(record, RejectedRow) else _row(path, names, *record)
        for record in records
    )


def _check_names(names: list[str], path: Path, line: int | None = None) -> None:
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"two columns are called {twice!r}", path, line)


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
        return _rejected(path, line, reason, " | ".join(cells))
    return TableRow(line, {name: c for name, c in zip(names, cells, strict=False) if name})


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]] | RejectedRow]:
    """Yields the cells of each record; after a broken one it continues with the next line."""
    waiting: deque[tuple[int, bytes]] = deque()
    lines = _lines(path)

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
        if reason.startswith(_INVALID):  # the record is complete: reject all of it
            yield _rejected(path, first[0], reason, first[1].decode("utf-8", "replace"))
            continue
        if reason and len(taken) > 1:
            reason = f"a quotation mark that is not closed by line {taken[-1][0]}"
        if reason:
            waiting.extendleft(reversed(taken[1:]))
            yield _rejected(path, first[0], reason, first[1].decode("utf-8", "replace"))
        elif cells:
            yield first[0], cells


_UNCLOSED = "a quotation mark that is never closed"
_INVALID = "not valid UTF-8"


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
        return [], f"{_INVALID} at byte {error.start + 1}"
    if more:
        return [], "a line end (carriage return) without quotes; end lines with a line feed"
    return cells, ""


def _read_jsonl(path: Path) -> tuple[list[str], Rows]:
    def rows() -> Rows:
        for line, raw in _lines(path):
            if not raw.strip():
                continue
            try:
                value = json.loads(raw.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                quoted = raw.decode("utf-8", "replace")
                yield _rejected(path, line, f"no JSON ({first_line(error)})", quoted)
                continue
            if not isinstance(value, dict):
                yield _rejected(path, line, "no JSON object", raw.decode("utf-8", "replace"))
                continue
            cells = {name: _as_text(cell) for name, cell in value.items()}
            if any("\ud800" <= c <= "\udfff" for cell in cells.values() for c in cell):
                quoted = raw.decode("utf-8", "replace")
                yield _rejected(path, line, "half a character (a lone surrogate)", quoted)
                continue
            yield TableRow(line, cells)

    names: dict[str, None] = {}
    for row in rows():
        if isinstance(row, TableRow):
            names.update(dict.fromkeys(row.cells))
    if not names:
        raise DataError("no rows; expected a JSON object on each line", path)
    return list(names), rows()


def _read_parquet(path: Path) -> tuple[list[str], Rows]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"no Parquet file ({first_line(error)})", path) from error

    def rows() -> Rows:
        number = 0
        batches = file.iter_batches()
        while True:
            try:
                batch = next(batches, None)
                found = [] if batch is None else batch.to_pylist()
            except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
                message = f"cannot be read after row {number} ({first_line(error)})"
                raise DataError(message, path) from error
            if batch is None:
                return
            for values in found:
                number += 1
                try:
                    cells = {name: _as_text(cell) for name, cell in values.items()}
                except UnicodeDecodeError:
                    yield _rejected(path, number, _INVALID, str(values))
                else:
                    yield TableRow(number, cells)

    names = list(file.schema_arrow.names)
    _check_names(names, path)
    return names, rows()


def _as_text(value: Any) -> str:
    """Returns a value as a CSV would hold it; a missing value is an empty text."""
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _rejected(path: Path, line: int, reason: str, content: str) -> RejectedRow:
    return RejectedRow(str(path), line, reason, content.rstrip("\r\n")[:QUOTED_CONTENT])
