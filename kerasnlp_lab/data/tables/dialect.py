"""`find_dialect`: the delimiter of a file, and what its quotation marks mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import dropwhile, islice
from pathlib import Path

from kerasnlp_lab.data.tables.records import (
    MAX_RECORD_LINES,
    Line,
    Quoted,
    Records,
    cells_of_line,
    misfit,
)
from kerasnlp_lab.data.tables.table_format import TableFormat
from kerasnlp_lab.errors import DataError

__all__ = ["Dialect", "find_dialect"]

NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
CLEAR = 10  # so many times more evidence for one reading than for the other decides
MOST_VALUES = 1000  # of a column of classes
MOST_KEPT = 1000  # quoted cells to look into
_SEP = re.compile(rb'"?sep=([^"\r\n])"?[,;\t|]*[\r\n]*', re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*")


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written."""

    delimiter: str
    quoted: bool  # whether quotation marks enclose cells; otherwise they are text
    first_line: int  # there are rows from this line on, from 1
    notes: tuple[str, ...]  # on what is not the plain case


@dataclass(frozen=True)
class Lines:
    """The lines of a file from its first row on."""

    read: Callable[[], Iterator[Line]]
    top: list[Line]  # as many as the first row can have
    header: bool

    def first(self, delimiter: str) -> tuple[list[str], Line | None]:
        """Returns the cells of the first row, quoted where that can be, and its last line."""
        if not self.top:
            return [], None
        lines = Records(self.top, delimiter)
        record = lines.quoted(next(lines))
        text = self.top[0][1].decode("utf-8", "replace")
        cells = record.cells or cells_of_line(text, delimiter)[0]
        return [cell.strip() for cell in cells], record.lines[-1]


@dataclass
class Evidence:
    """How the rows of a file fit its header, with quotation marks read in both ways."""

    names: list[str]  # the cells of the first row; "" for a column without a name
    fits: int = 0  # rows that have the columns
    only_text: int = 0  # records that fit only where quotation marks are text
    only_quoted: int = 0  # records that fit only if marks enclose, or that double a mark
    neither: int = 0  # lines that fit in neither way
    merged: list[list[Line]] = field(default_factory=list)  # records whose lines are rows as text
    quoted_header: bool = False  # whether a cell of the header begins with a quotation mark


def find_dialect(
    path: Path, lines: Callable[[], Iterator[Line]], usual: str, format: TableFormat
) -> Dialect:
    """Decides what a format leaves open, by all lines of a file, which `lines` reads as UTF-8.

    `usual` is the delimiter that its ending stands for, which wins where several fit. Raises
    DataError if two readings give other rows, and neither is clearly the right one; or if a
    delimiter is asked for that the first row does not have.
    """
    top = list(islice(_from_content(lines()), MAX_RECORD_LINES))
    first_line, start = top[0] if top else (1, b"")
    notes = []
    delimiter = format.delimiter
    if said := _SEP.fullmatch(start):
        first_line, top = first_line + 1, list(_from_content(iter(top[1:])))
        delimiter = delimiter or said.group(1).decode("utf-8", "replace")
    rows = Lines(lambda: (line for line in lines() if line[0] >= first_line), top, format.header)
    candidates = [d for d in dict.fromkeys((usual, *NAMES)) if len(rows.first(d)[0]) > 1]
    text = top[0][1].decode("utf-8", "replace") if top else ""
    if format.delimiter and format.delimiter not in text and candidates:
        raise DataError(
            f"there is no {format.delimiter!r} in {text.strip()[:80]!r}; leave out --delimiter, or "
            f"say {' or '.join(map(repr, candidates))}",
            path,
            first_line,
        )
    evidence = None
    if delimiter is None:
        delimiter, evidence = _best_delimiter(rows, candidates, usual)
        if delimiter != usual:
            notes.append(f"{NAMES[delimiter]} between cells")
    elif said and not format.delimiter:
        notes.append(f"{NAMES.get(delimiter, repr(delimiter))} between cells, as sep= says")
    if format.quoting:
        quoted = format.quoting == "quoted"
    else:
        quoted, note = _is_quoted(path, rows, delimiter, evidence or _gather(rows, delimiter))
        notes += [note] if note else []
    return Dialect(delimiter, quoted, first_line, tuple(notes))


def _from_content(lines: Iterator[Line]) -> Iterator[Line]:
    """Leaves out the blank lines before the first one with content."""
    return dropwhile(lambda line: not line[1].strip(), lines)


def _best_delimiter(rows: Lines, candidates: list[str], usual: str) -> tuple[str, Evidence | None]:
    """Returns the delimiter by which most rows agree with the first, and the evidence."""
    if len(candidates) < 2:
        return (candidates or [usual])[0], None
    best = usual, Evidence([], fits=-1)
    for delimiter in candidates:
        found = _gather(rows, delimiter)
        if found.fits > best[1].fits:
            best = delimiter, found
        if not found.neither:
            break
    return best


def _gather(rows: Lines, delimiter: str) -> Evidence:
    """Returns how the rows fit, in one pass over the file."""
    names, last = rows.first(delimiter)
    found = Evidence(names if rows.header else ["1"] * len(names))
    lines = Records(rows.read(), delimiter)
    if rows.header and last:
        found.quoted_header = lines.has_quoted_cell(rows.top[0][1])
        lines = Records((line for line in rows.read() if line[0] > last[0]), delimiter)
    needed = max((place for place, name in enumerate(found.names, 1) if name), default=0)
    mark, usual_count = delimiter.encode(), len(names) - 1

    def fits(raw: bytes) -> bool:
        cells, reason = cells_of_line(raw.decode("utf-8", "replace"), delimiter)
        return not reason and not (cells and misfit(found.names, needed, cells))

    for number, raw in lines:
        if lines.has_quoted_cell(raw):
            record = lines.quoted((number, raw))
            _weigh(found, record, needed, [one for _, one in record.lines if not fits(one)])
        elif raw.count(mark) == usual_count or fits(raw):
            found.fits += 1
        else:
            found.neither += 1
    return found


def _weigh(found: Evidence, record: Quoted, needed: int, misfits: list[bytes]) -> None:
    """Adds what a quoted record shows; `misfits` are its lines that are no row as text."""
    fits = not record.reason and not misfit(found.names, needed, record.cells)
    several = sum(bool(raw.strip()) for _, raw in record.lines) > 1
    if not fits and misfits:
        found.neither += len(misfits)
        return
    found.fits += 1
    if not fits:
        found.only_text += 1
    elif misfits:
        found.only_quoted += 1
    elif several and len(found.merged) < MOST_KEPT:
        found.merged.append(record.lines)
    elif any('"' in cell for cell in record.cells) and b'""' in record.lines[0][1]:
        found.only_quoted += 1


def _is_quoted(path: Path, rows: Lines, delimiter: str, found: Evidence) -> tuple[bool, str]:
    """Returns whether quotation marks enclose cells, with a note."""
    if found.quoted_header or not (found.only_text or found.merged):
        return True, ""
    like_rows, like_text = found.merged, 0
    if len(found.names) < 2 and not found.only_text:
        like_rows = []
    elif len(found.names) > 1 and found.merged:
        known = _known_values(rows, delimiter, found)
        judged = [_like_rows(lines, known, delimiter) for lines in found.merged]
        like_rows = [m for m, alike in zip(found.merged, judged, strict=True) if alike is not False]
        like_text = judged.count(False)
        if None in judged and not found.only_text and not found.only_quoted:
            raise _doubt(path, like_rows)
    as_text = found.only_text + len(like_rows)
    enclosing = found.only_quoted + like_text
    lone_slip = as_text == 1 and not like_rows and delimiter != "\t"  # is rejected by its line
    if as_text >= CLEAR * (enclosing + found.neither) and as_text and not lone_slip:
        return False, "quotation marks are text (--quoting overrides it)"
    if like_rows and enclosing < CLEAR * as_text:
        raise _doubt(path, like_rows)
    if like_rows:
        line = like_rows[0][0][0]
        return True, f"{len(like_rows)} quoted cells look like several rows, as in line {line}"
    return True, ""


def _doubt(path: Path, merged: list[list[Line]]) -> DataError:
    line, last = merged[0][0][0], merged[0][-1][0]
    return DataError(
        f"lines {line} to {last} are one row if quotation marks enclose cells, and "
        f"{last - line + 1} rows if they are text; say --quoting quoted or --quoting none",
        path,
        line,
    )


def _known_values(rows: Lines, delimiter: str, found: Evidence) -> dict[int, set[str] | None]:
    """Returns the values of each column of classes, and None for each other column of numbers.

    Only lines without quoted cells, and outside of the records in doubt, are looked at.
    """
    doubtful = {number for lines in found.merged for number, _ in lines}
    width, mark = len(found.names), delimiter.encode()
    plain = (
        raw.decode("utf-8", "replace").split(delimiter)
        for number, raw in rows.read()
        if number not in doubtful and raw.count(mark) == width - 1 and b'"' not in raw
    )
    next(plain, None)  # the header
    values: list[set[str] | None] = [set() for _ in range(width)]
    numbers, count = [True] * width, 0
    for cells in plain:
        count += 1
        for place, cell in enumerate(map(str.strip, cells)):
            numbers[place] = numbers[place] and bool(_NUMBER.fullmatch(cell))
            if (seen := values[place]) is not None:
                seen.add(cell)
                values[place] = None if len(seen) > MOST_VALUES else seen
    known: dict[int, set[str] | None] = {}
    for place, seen in enumerate(values):
        if seen is not None and 0 < len(seen) <= count // 2:
            known[place] = seen
        elif numbers[place] and count > 0:
            known[place] = None
    return known


def _like_rows(lines: list[Line], known: dict[int, set[str] | None], delimiter: str) -> bool | None:
    """Returns whether each line has values that its columns have elsewhere; None if unknown."""
    if not known:
        return None
    for _, raw in lines:
        cells = raw.decode("utf-8", "replace").split(delimiter)
        for place, values in known.items():
            cell = cells[place].strip() if place < len(cells) else ""
            if not (cell in values if values is not None else _NUMBER.fullmatch(cell)):
                return False
    return True
