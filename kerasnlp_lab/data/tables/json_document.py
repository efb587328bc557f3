"""`read_json`: rows of a .json file, in any of the layouts that programs write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kerasnlp_lab.data.tables.json_lines import columns_of, json_row, read_json_lines
from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.rows import INVALID, Rows
from kerasnlp_lab.errors import DataError, first_line

__all__ = ["read_json"]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBERED = "its rows are numbered from 1, in place of lines"


def read_json(path: Path) -> tuple[list[str], Rows, str]:
    """Returns the names of the columns, the rows, and a note on the layout.

    The layouts are an array of objects, objects one after the other, JSON lines, one object
    with such an array in it, and pandas' columns, index, split and table. All but JSON lines
    are read into memory.

    Raises:
        DataError: It is none of them.
    """
    if _has_objects_on_lines(path):
        return *read_json_lines(path), "JSON lines"
    found = list(_values(_text(path), path))
    note = ""
    if len(found) == 1 and isinstance(found[0][1], dict):
        values, note = _rows_of_object(found[0][1], path)
        found = list(enumerate(values, start=1)) if note else found
    rows = [json_row(path, line, value) for line, value in found]
    names = columns_of(rows)
    if not names:
        raise DataError("no rows; expected an array of JSON objects", path)
    return names, iter(rows), note


def _has_objects_on_lines(path: Path) -> bool:
    """Returns whether the first line is an object of its own, and not the only one."""
    lines = (raw for _, raw in numbered_lines(path) if raw.strip())
    first = next(lines, b"")
    try:
        return first.lstrip().startswith(b"{") and bool(json.loads(first) and next(lines, b""))
    except (ValueError, RecursionError):
        return False


def _text(path: Path) -> str:
    raw = b"".join(line for _, line in numbered_lines(path))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(INVALID, path, line) from error


def _values(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    """Yields the elements of an array, or the values one after the other, with their lines."""
    place = _after_space(text, 0)
    array = text[place : place + 1] == "["
    place = _after_space(text, place + array)
    line, counted = 1, 0
    while place < len(text) and not (array and text[place] == "]"):
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = _DECODER.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise DataError(f"no JSON ({error.msg})", path, error.lineno) from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"no JSON ({first_line(error)})", path, line) from error
        yield line, value
        place = _after_space(text, place)
        if array:
            if text[place : place + 1] not in (",", "]"):
                broken = line + text.count("\n", counted, place)
                raise DataError("no JSON (expected ',' or ']' after the object)", path, broken)
            place = _after_space(text, place + 1) if text[place] == "," else place
    if array and text[place:].strip() != "]":
        last = 1 + text.count("\n", 0, place)
        raise DataError("no JSON (expected one array, closed by ']', and no more)", path, last)


def _after_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return place if match is None else match.end()


def _rows_of_object(value: dict[str, Any], path: Path) -> tuple[list[Any], str]:
    """Returns the rows within one object, and a note; neither if it is a row itself."""
    parts = list(value.values())
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        names = [str(name) for name in value["columns"]]
        if any(not isinstance(row, list) or len(row) != len(names) for row in value["data"]):
            raise DataError(f"expected {len(names)} values in each list under 'data'", path)
        rows = [dict(zip(names, row, strict=True)) for row in value["data"]]
        return rows, f"pandas' orient='split'; {_NUMBERED}"
    tables = [name for name, part in value.items() if _is_rows(part)]
    if len(tables) > 1:
        raise DataError(
            f"rows under each of {', '.join(map(repr, tables))}; save each as a file of its own",
            path,
        )
    if tables:
        return value[tables[0]], f"the rows under {tables[0]!r}; {_NUMBERED}"
    if parts and all(isinstance(part, list) for part in parts):
        if len({len(part) for part in parts}) > 1:
            sizes = ", ".join(f"{name!r} has {len(part)}" for name, part in value.items())
            raise DataError(f"expected columns of one length; {sizes}", path)
        cells = zip(*parts, strict=True)
        return [dict(zip(value, row, strict=True)) for row in cells], f"columns; {_NUMBERED}"
    if parts and all(isinstance(part, dict) for part in parts):
        keys = list(parts[0])
        if len(parts) > len(keys):  # more than it has columns
            return parts, f"pandas' orient='index'; {_NUMBERED}"
        if all(list(part) == keys for part in parts):
            rows = [{name: part[key] for name, part in value.items()} for key in keys]
            return rows, f"pandas' orient='columns'; {_NUMBERED}"
    return [], ""


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
