"""`Records`: the records of a delimited file, with the lines that each of them has."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from kerasnlp_lab.data.tables.lines import BROKEN

__all__ = ["MAX_RECORD_LINES", "Records", "cells_of_line", "misfit"]

MAX_RECORD_LINES = 1000  # a quoted cell with more line ends than this has lost its end
_BARE_RETURN = "a line end (carriage return) without quotes; end lines with a line feed"

Line = tuple[int, bytes]


@dataclass
class Quoted:
    """A record with a cell that begins with a quotation mark."""

    lines: list[Line]  # of a broken record, the first alone
    cells: list[str]
    reason: str = ""  # why it is broken


class Records:
    """Reads lines of UTF-8, one after the other or as the records of quoted cells.

    After a broken record, reading continues with its second line.
    """

    def __init__(self, lines: Iterable[Line], delimiter: str) -> None:
        self._lines = iter(lines)
        self._waiting: deque[Line] = deque()
        self._delimiter = delimiter
        self._starts = f'{delimiter}"'.encode()

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        return self._waiting.popleft() if self._waiting else next(self._lines)

    def has_quoted_cell(self, raw: bytes) -> bool:
        """Returns whether a cell begins with a quotation mark; others are text."""
        return b'"' in raw and (raw.startswith(b'"') or self._starts in raw)

    def quoted(self, first: Line) -> Quoted:
        """Returns the record that begins with a line, and takes the lines that it needs."""
        taken: list[Line] = []

        def texts() -> Iterator[str]:
            size = 0
            for line in islice(chain([first], self), MAX_RECORD_LINES):
                taken.append(line)
                size += len(line[1])
                if size > csv.field_size_limit():
                    csv.field_size_limit(size)
                yield line[1].decode("utf-8", "surrogateescape")

        try:
            return Quoted(taken, next(csv.reader(texts(), delimiter=self._delimiter, strict=True)))
        except csv.Error as error:
            reason = f"broken quoting ({error})"
            if "unexpected end of data" in str(error):
                reason = "a quotation mark that is never closed"
            elif "new-line character" in str(error):
                reason = _BARE_RETURN
        if len(taken) > 1:
            reason = f"a quotation mark that is not closed by line {taken[-1][0]}"
        self._waiting.extendleft(reversed(taken[1:]))
        return Quoted([first], [], reason)


def cells_of_line(text: str, delimiter: str) -> tuple[list[str], str]:
    """Returns the cells of a line in which quotation marks are text, or why it is broken."""
    text = text.rstrip("\r\n")
    if "\r" in text:
        return [], _BARE_RETURN
    return (text.split(delimiter) if text else []), ""


def invalid(raw: bytes, encoding: str) -> str:
    """Returns the reason why lines cannot be decoded, or ""."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if encoding == "utf-8":
            return f"not valid UTF-8 at byte {error.start + 1}"
        place = raw.decode("utf-8", "surrogatepass").find(BROKEN) + 1
        return f"not valid {encoding} at character {place}"
    return ""


def misfit(names: list[str], needed: int, cells: list[str]) -> str:
    """Returns why a row's cells, of which so many are needed, do not fit the names, or ""."""
    if len(cells) < needed:
        return f"expected {needed} columns, got {len(cells)}"
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        return f"expected {len(names)} columns, got {len(cells)}: a delimiter without quotes?"
    return ""
