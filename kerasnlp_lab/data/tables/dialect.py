"""`find_dialect`: the delimiter of a file, and what its quotation marks mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kerasnlp_lab.data.tables.records import Line, Quoted, Records, cells_of_line, misfit
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
    """How a delimited file is written.

    Args:
        delimiter: The character between cells.
        quoted: Whether quotation marks enclose cells; otherwise they are text.
        first_line: The line from which on there are rows, from 1.
        notes: What was found, for people, where it is not the plain case.
    """

    delimiter: str
    quoted: bool
    first_line: int
    notes: tuple[str, ...]


@dataclass
class Evidence:
    """How the rows of a file fit its header, with quotation marks read in both ways.

    Args:
        names: The cells of the first row; "" for a column without a name.
        fits: How many rows have the columns.
        only_text: Records that fit only where quotation marks are text.
        only_quoted: Records that only enclosing marks can explain: one that fits only so, or a
            mark that is doubled.
        neither: Lines that fit in neither way.
        merged: Records of several lines, each of which is a row where marks are text.
        quoted_header: Whether one of the header's cells begins with a quotation mark.
    """

    names: list[str]
    fits: int = 0
    only_text: int = 0
    only_quoted: int = 0
    neither: int = 0
    merged: list[list[Line]] = field(default_factory=list)
    quoted_header: bool = False


def find_dialect(
    path: Path, lines: Callable[[], Iterator[Line]], usual: str, format: TableFormat
) -> Dialect:
    """Decides what a format leaves open, by all lines of a file.

    Args:
        path: The file.
        lines: Reads its lines, as UTF-8.
        usual: The delimiter that its ending stands for, which wins where several fit.
        format: What is known.

    Raises:
        DataError: Two readings give other rows, and neither is clearly the right one; or a
            delimiter is asked for that the first row does not have.
    """
    start = next(((n, raw) for n, raw in lines() if raw.strip()), (1, b""))
    said = _SEP.fullmatch(start[1])
    first_line = start[0] + 1 if said else start[0]
    notes = []
    delimiter = format.delimiter or (said.group(1).decode("utf-8", "replace") if said else None)

    def rows() -> Iterator[Line]:
        return (line for line in lines() if line[0] >= first_line)

    top = next((raw for _, raw in rows() if raw.strip()), b"").decode("utf-8", "replace")
    candidates = _candidates(rows, usual)
    if format.delimiter and format.delimiter not in top and candidates:
        raise DataError(
            f"there is no {format.delimiter!r} in {top.strip()[:80]!r}; leave out --delimiter, or "
            f"say {' or '.join(map(repr, candidates))}",
            path,
            first_line,
        )
    evidence = None
    if delimiter is None:
        delimiter, evidence = _best_delimiter(rows, candidates, usual, format)
        if delimiter != usual:
            notes.append(f"{NAMES[delimiter]} between cells")
    elif said and not format.delimiter:
        notes.append(f"{NAMES.get(delimiter, repr(delimiter))} between cells, as sep= says")
    if format.quoting:
        quoted = format.quoting == "quoted"
    else:
        evidence = evidence or _gather(rows, delimiter, format)
        quoted, note = _is_quoted(path, rows, delimiter, evidence)
        notes += [note] if note else []
    return Dialect(delimiter, quoted, first_line, tuple(notes))


def _candidates(rows: Callable[[], Iterator[Line]], usual: str) -> list[str]:
    """Returns the delimiters that the first row has, the usual one first."""
    return [d for d in dict.fromkeys((usual, *NAMES)) if len(_first_row(rows, d)[0]) > 1]


def _best_delimiter(
    rows: Callable[[], Iterator[Line]], candidates: list[str], usual: str, format: TableFormat
) -> tuple[str, Evidence | None]:
    """Returns the delimiter by which most rows agree with the first, and the evidence."""
    if len(candidates) < 2:
        return (candidates or [usual])[0], None
    best = usual, Evidence([], fits=-1)
    for delimiter in candidates:
        found = _gather(rows, delimiter, format)
        if found.fits > best[1].fits:
            best = delimiter, found
        if not found.neither:
            break
    return best


def _first_row(rows: Callable[[], Iterator[Line]], delimiter: str) -> tuple[list[str], Line | None]:
    """Returns the cells of the first row, quoted where that can be, and its last line."""
    records = Records(rows(), delimiter)
    for line in records:
        if line[1].strip():
            record = records.quoted(line)
            text = line[1].decode("utf-8", "replace")
            cells = record.cells or cells_of_line(text, delimiter)[0]
            return [cell.strip() for cell in cells], record.lines[-1]
    return [], None


def _gather(rows: Callable[[], Iterator[Line]], delimiter: str, format: TableFormat) -> Evidence:
    """Returns how the rows fit, in one pass over the file."""
    names, last = _first_row(rows, delimiter)
    after = last[0] if last and format.header else 0
    if not format.header:
        names = ["1"] * len(names)
    found = Evidence(names)
    if format.header and last:
        top = next(raw for _, raw in rows() if raw.strip())
        found.quoted_header = Records((), delimiter).has_quoted_cell(top)
    needed = max((place for place, name in enumerate(names, 1) if name), default=0)
    mark, usual_count = delimiter.encode(), len(names) - 1
    lines = Records((line for line in rows() if line[0] > after), delimiter)

    def fits(raw: bytes) -> bool:
        cells, reason = cells_of_line(raw.decode("utf-8", "replace"), delimiter)
        return not reason and not (cells and misfit(names, needed, cells))

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


def _is_quoted(
    path: Path, rows: Callable[[], Iterator[Line]], delimiter: str, found: Evidence
) -> tuple[bool, str]:
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


def _known_values(
    rows: Callable[[], Iterator[Line]], delimiter: str, found: Evidence
) -> dict[int, set[str] | None]:
    """Returns the values of each column of classes, and None for each other column of numbers.

    Only lines without quoted cells, and outside of the records in doubt, are looked at.
    """
    doubtful = {number for lines in found.merged for number, _ in lines}
    records = Records(rows(), delimiter)
    width = len(found.names)
    values: list[set[str] | None] = [set() for _ in range(width)]
    numbers, count = [True] * width, -1
    for number, raw in records:
        if number in doubtful or raw.count(delimiter.encode()) != width - 1 or b'"' in raw:
            continue
        count += 1
        if not count:  # the header
            continue
        for place, cell in enumerate(raw.decode("utf-8", "replace").split(delimiter)):
            cell, seen = cell.strip(), values[place]
            numbers[place] = numbers[place] and bool(_NUMBER.fullmatch(cell))
            if seen is not None:
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
