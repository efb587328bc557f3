"""`read_excel`: rows of a spreadsheet, with the row numbers that Excel shows."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from kerasnlp_lab.data.tables.rows import Rows, TableRow, as_text, check_names, rejected_row
from kerasnlp_lab.errors import DataError, first_line

__all__ = ["read_excel"]


def read_excel(path: Path, header: bool = True) -> tuple[list[str], Rows, str]:
    """Returns the names of the columns, the rows, and a note on the sheet.

    It is the first that is shown and has rows. Without a header, columns are numbered from 1.
    Formulas are read as the values that were saved with them.
    """
    sheets = _sheets(path)
    if not sheets:
        raise DataError("no rows; expected the columns' names in the first row", path)
    (name, values, merged), *more = sheets
    filled = [
        (number, [as_text(value) for value in row])
        for number, row in enumerate(values, start=1)
        if any(value != "" for value in row)
    ]
    if header:
        line, names = filled[0][0], [cell.strip() for cell in filled[0][1]]
        filled = filled[1:]
    else:
        line, names = 1, [str(place) for place in range(1, len(filled[0][1]) + 1)]
    check_names([one for one in names if one], path, line)
    notes = [f"sheet {name!r}"]
    if more:
        others = ", ".join(repr(other) for other, _, _ in more)
        notes.append(f"not read: {others} (save a sheet as a file of its own to read it)")
    if merged:
        notes.append("of merged cells, only the first has the value")
    if not names[0] and any(cells[0] for _, cells in filled):
        notes.append("the first column has no name and is skipped as an index")
    return [one for one in names if one], _rows(path, names, filled), "; ".join(notes)


def _rows(path: Path, names: list[str], filled: list[tuple[int, list[str]]]) -> Rows:
    unnamed = [place for place, name in enumerate(names) if not name and place > 0]
    for number, cells in filled:
        if any(cells[place].strip() for place in unnamed):
            reason = "text in a column without a name; name the column in the first row"
            yield rejected_row(path, number, reason, " | ".join(cells))
        else:
            pairs = zip(names, cells, strict=True)
            yield TableRow(number, {name: cell for name, cell in pairs if name})


def _sheets(path: Path) -> list[tuple[str, list[list[Any]], Any]]:
    """Returns name, cells and merged ranges of each sheet that is shown and has rows."""
    import python_calamine as calamine

    shown = calamine.SheetVisibleEnum.Visible, calamine.SheetTypeEnum.WorkSheet
    content = path.read_bytes()
    try:  # from its bytes, as a path would be read by its ending alone
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = [one.name for one in book.sheets_metadata if (one.visible, one.typ) == shown]
        sheets = [
            (one.name, one.to_python(skip_empty_area=False), one.merged_cell_ranges)
            for one in map(book.get_sheet_by_name, names)
        ]
    except calamine.CalamineError as error:
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise DataError("has a password; save a copy without one", path) from error
        reason = f"cannot be read as a spreadsheet ({first_line(error)}); save it as .csv"
        raise DataError(reason, path) from error
    return [sheet for sheet in sheets if any(value != "" for row in sheet[1] for value in row)]
