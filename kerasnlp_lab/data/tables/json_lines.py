"""`read_json_lines`: rows of a file with a JSON object on each line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.rows import RejectedRow, Rows, TableRow, as_text, rejected_row
from kerasnlp_lab.errors import DataError, first_line

__all__ = ["columns_of", "json_row", "read_json_lines", "values_of_lines"]


def read_json_lines(path: Path, encoding: str = "utf-8") -> tuple[list[str], Rows]:
    """Returns the names of the columns, and the rows, which are read as they are asked for."""

    def rows() -> Rows:
        for one in values_of_lines(path, encoding):
            yield one if isinstance(one, RejectedRow) else json_row(path, *one)

    names = columns_of(rows())
    if not names:
        raise no_objects(rows(), "a JSON object on each line", path)
    return names, rows()


def values_of_lines(path: Path, encoding: str) -> Iterator[tuple[int, Any] | RejectedRow]:
    """Yields the JSON value of each line with the line's number; blank lines have none."""
    for line, raw in numbered_lines(path, encoding):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            quoted = raw.decode("utf-8", "replace")
            yield rejected_row(path, line, f"no JSON ({first_line(error)})", quoted)
        else:
            yield line, value


def no_objects(rows: Iterable[TableRow | RejectedRow], expected: str, path: Path) -> DataError:
    """Returns the error of a file without a JSON object, with the reason of its first row."""
    first = next((row for row in rows if isinstance(row, RejectedRow)), None)
    if first is None:
        return DataError(f"no rows; expected {expected}", path)
    encoding = "; if it has another encoding, say --encoding" if "codec" in first.reason else ""
    return DataError(f"expected {expected}, got {first.reason}{encoding}", path, first.line)


def columns_of(rows: Iterable[TableRow | RejectedRow]) -> list[str]:
    """Returns the names of all columns that any of the rows has."""
    names: dict[str, None] = {}
    for row in rows:
        if isinstance(row, TableRow):
            names.update(dict.fromkeys(row.cells))
    return list(names)


def json_row(path: Path, line: int, value: Any) -> TableRow | RejectedRow:
    """Returns the row of a JSON object, in which ``{"a": {"b": 1}}`` has a column "a.b"."""
    cells: dict[str, str] = {}
    reason = "" if isinstance(value, dict) else "no JSON object"
    for name, cell in () if reason else _flat(value):
        reason = f"two values are called {name!r}" if name in cells else reason
        cells[name] = cell
    if any("\ud800" <= c <= "\udfff" for cell in cells.values() for c in cell):
        reason = "half a character (a lone surrogate)"
    if reason:
        return rejected_row(path, line, reason, json.dumps(value, ensure_ascii=False))
    return TableRow(line, cells)


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, cell in value.items():
        if isinstance(cell, dict):
            yield from _flat(cell, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", as_text(cell)
