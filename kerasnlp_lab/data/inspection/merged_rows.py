"""`find_merged_rows`: texts that look like several rows of the table in one cell."""

from __future__ import annotations

import re

from kerasnlp_lab.data.inspection.finding import Finding
from kerasnlp_lab.data.inspection.rows import Rows

__all__ = ["find_merged_rows"]

_LINE_END = re.compile(r"\r\n|\r|\n")
# "1,400 dead" does not begin with the class name "1"
_FIRST_CELL = re.compile(r'"?([^\t,;|]+?)"?([\t;|]|,(?![0-9]))')
_LAST_CELL = re.compile(r'.*([\t;|]|(?<![0-9]),)"?([^\t,;|]+?)"?', re.DOTALL)


def find_merged_rows(rows: Rows) -> list[Finding]:
    """Returns the texts with a line that begins or ends with a class name and a delimiter.

    A quotation mark that is text makes such cells where it is read as enclosing: the rows up to
    the next mark become part of its cell.
    """
    names = set(rows.data.label_names)
    found = []
    for row, text in enumerate(rows.texts()):
        lines = _LINE_END.split(text)
        ends = next((end for line in lines for end in _cells_at_ends(line) if end[0] in names), "")
        if ends:
            shape = f"{len(lines)} lines" if len(lines) > 1 else "a text"
            detail = (
                f"{shape} with the class name {ends[0]!r} beside {ends[1]!r}: rows in one cell?"
            )
            found.append(rows.finding("merged_rows", row, detail, text))
    return found


def _cells_at_ends(line: str) -> list[tuple[str, str]]:
    """Returns what stands before the first delimiter and after the last, each with it."""
    first, last = _FIRST_CELL.match(line), _LAST_CELL.fullmatch(line)
    return [
        *([(first.group(1), first.group(2))] if first else []),
        *([(last.group(2), last.group(1))] if last else []),
    ]
