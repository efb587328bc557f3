"""`read_json`: rows of a .json file, in any of the layouts that programs write."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kerasnlp_lab.data.tables.json_lines import columns_of, json_row, no_objects, read_json_lines
from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.rows import INVALID, Rows
from kerasnlp_lab.errors import DataError, first_line

__all__ = ["read_json", "values_of_document"]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def read_json(path: Path, encoding: str) -> tuple[list[str], Rows, str]:
    """Returns the names of the columns, the rows, and a note on the layout.

    It is an array of objects, objects one after the other, JSON lines, an object with one such
    array in it, or pandas' columns, index, split or table. All but lines are read into memory.
    """
    if _has_objects_on_lines(path, encoding):
        return *read_json_lines(path, encoding), "JSON lines"
    found, note = values_of_document(path, encoding)
    rows = [json_row(path, line, value) for line, value in found]
    names = columns_of(rows)
    if not names:
        raise no_objects(rows, "an array of JSON objects", path)
    return names, iter(rows), note


def values_of_document(
    path: Path, encoding: str, is_row: Callable[[dict[str, Any]], bool] = lambda value: False
) -> tuple[list[tuple[int, Any]], str]:
    """Returns the values of the rows with their lines, and a note on the layout.

    Args:
        path: The file.
        encoding: Its encoding.
        is_row: Whether the only object of a file is a row, and no layout of several.

    Raises:
        DataError: It is no JSON, or rows are under several names.
    """
    found = list(_values(path, encoding))
    note = ""
    if len(found) == 1 and isinstance(found[0][1], dict) and not is_row(found[0][1]):
        values, layout = _rows_of_object(found[0][1], path)
        if layout:
            found = list(enumerate(values, start=1))
            note = f"{layout}; its rows are numbered from 1, in place of lines"
    elif len({line for line, _ in found}) == 1 < len(found):
        found = [(row, value) for row, (_, value) in enumerate(found, start=1)]
        note = "an array on one line; its rows are numbered from 1, in place of lines"
    return found, note


def _has_objects_on_lines(path: Path, encoding: str) -> bool:
    """Returns whether the first line is an object of its own, and not the only one."""
    lines = (raw for _, raw in numbered_lines(path, encoding) if raw.strip())
    first = next(lines, b"")
    try:
        return first.lstrip().startswith(b"{") and bool(json.loads(first) and next(lines, b""))
    except (ValueError, RecursionError):
        return False


def _values(path: Path, encoding: str) -> Iterator[tuple[int, Any]]:
    """Yields the elements of an array, or the values one after the other, with their lines."""
    raw = b"".join(line for _, line in numbered_lines(path, encoding))
    line, counted = 1, 0
    try:
        text = raw.decode("utf-8")
        place = _after_space(text, 0)
        array = text.startswith("[", place)
        place = _after_space(text, place + array)
        while place < len(text) and not (array and text[place] == "]"):
            line, counted = line + text.count("\n", counted, place), place
            value, place = _DECODER.raw_decode(text, place)
            yield line, value
            place = _after_space(text, place)
            if array and text.startswith(",", place):
                place = _after_space(text, place + 1)
            elif array and not text.startswith("]", place):
                raise json.JSONDecodeError("Expecting ',' or ']'", text, place)
        if array and text[place:].strip() != "]":
            raise json.JSONDecodeError("Expecting one array, closed by ']'", text, place)
    except UnicodeDecodeError as error:
        raise DataError(INVALID, path, raw.count(b"\n", 0, error.start) + 1) from error
    except json.JSONDecodeError as error:
        raise DataError(f"no JSON ({error.msg})", path, error.lineno) from error
    except (ValueError, RecursionError) as error:  # a number of too many digits
        raise DataError(f"no JSON ({first_line(error)})", path, line) from error


def _after_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return place if match is None else match.end()


def _rows_of_object(value: dict[str, Any], path: Path) -> tuple[list[Any], str]:
    """Returns the rows within one object, and their layout; neither if it is a row itself."""
    parts = list(value.values())
    names, data = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(data, list):
        return _with_names(names, data, path), "pandas' orient='split'"
    tables = [name for name, part in value.items() if _is_rows(part)]
    if len(tables) > 1:
        given = ", ".join(map(repr, tables))
        raise DataError(f"rows under each of {given}; save each as a file of its own", path)
    if tables:
        return value[tables[0]], f"the rows under {tables[0]!r}"
    if parts and all(isinstance(part, list) for part in parts):
        longest = itertools.zip_longest(*parts)  # a shorter column ends in empty cells
        return _with_names(list(value), list(longest), path), "columns"
    if parts and all(isinstance(part, dict) for part in parts):
        keys = list(parts[0])
        if len(parts) > len(keys):  # more than it has columns
            return parts, "pandas' orient='index'"
        if all(list(part) == keys for part in parts):
            rows = [[part[key] for part in parts] for key in keys]
            return _with_names(list(value), rows, path), "pandas' orient='columns'"
    return [], ""


def _with_names(names: Sequence[Any], rows: Sequence[Any], path: Path) -> list[dict[str, Any]]:
    if any(len(row) != len(names) for row in rows):
        raise DataError(f"expected {len(names)} values in each row", path)
    return [dict(zip(map(str, names), row, strict=True)) for row in rows]


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
