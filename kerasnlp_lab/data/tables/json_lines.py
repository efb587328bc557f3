"""`read_json_lines`: rows of a file with a JSON object on each line."""

from __future__ import annotations

import json
from pathlib import Path

from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.rows import Rows, TableRow, as_text, rejected_row
from kerasnlp_lab.errors import DataError, first_line

__all__ = ["read_json_lines"]


def read_json_lines(path: Path, encoding: str = "utf-8") -> tuple[list[str], Rows]:
    """Returns the names of the columns, and the rows, which are read as they are asked for."""

    def rows() -> Rows:
        for line, raw in numbered_lines(path, encoding):
            if not raw.strip():
                continue
            try:
                value = json.loads(raw.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                quoted = raw.decode("utf-8", "replace")
                yield rejected_row(path, line, f"no JSON ({first_line(error)})", quoted)
                continue
            if not isinstance(value, dict):
                yield rejected_row(path, line, "no JSON object", raw.decode("utf-8", "replace"))
                continue
            cells = {name: as_text(cell) for name, cell in value.items()}
            if any("\ud800" <= c <= "\udfff" for cell in cells.values() for c in cell):
                quoted = raw.decode("utf-8", "replace")
                yield rejected_row(path, line, "half a character (a lone surrogate)", quoted)
                continue
            yield TableRow(line, cells)

    names: dict[str, None] = {}
    for row in rows():
        if isinstance(row, TableRow):
            names.update(dict.fromkeys(row.cells))
    if not names:
        raise DataError("no rows; expected a JSON object on each line", path)
    return list(names), rows()
