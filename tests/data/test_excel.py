"""`read_table` reads spreadsheets, with the row numbers that Excel shows."""

import datetime

import pytest

from kerasnlp_lab.data.tables import read_table
from kerasnlp_lab.errors import DataError
from tests.data.spreadsheets import write_spreadsheet
from tests.data.table_files import read, write

HEADER = ["text", "label"]
ROWS = [HEADER, ["hi", "ham"], ["bye", "spam"]]
READ = [(2, ("hi", "ham")), (3, ("bye", "spam"))]


# Excel's files are known by their bytes: downloads have any ending.
@pytest.mark.parametrize("name", ["m.xlsx", "M.XLSX", "m.xls", "m.csv", "m.zip", "m", "m.ods"])
def test_a_spreadsheet_under_any_name(name, tmp_path):
    path = write_spreadsheet(tmp_path / name, {"Sheet1": ROWS})
    assert read(path) == (HEADER, READ, [])
    assert read_table(path).note == "sheet 'Sheet1'"


def test_rows_keep_the_numbers_that_excel_shows(tmp_path):
    rows = [[], [None, None], *ROWS[:2], [], [" ", None], ROWS[2]]
    path = write_spreadsheet(tmp_path / "m.xlsx", {"Sheet1": rows})
    columns, good, bad = read(path)
    assert columns == HEADER
    assert good == [(4, ("hi", "ham")), (6, (" ", "")), (7, ("bye", "spam"))]
    assert bad == []


def test_cells_of_every_type(tmp_path):
    values = [1, 1.5, True, datetime.date(2024, 1, 5), "=A1&A2->joined", "ünï\ntwo", None]
    expected = ["1", "1.5", "true", "2024-01-05", "joined", "ünï\ntwo", ""]
    path = write_spreadsheet(tmp_path / "m.xlsx", {"s": [HEADER, *(["t", v] for v in values)]})
    assert [cells for _, cells in read(path)[1]] == [("t", value) for value in expected]


def test_the_first_sheet_that_is_shown_and_has_rows(tmp_path):
    sheets = {"empty": [], "lists": [["a"]], "A & B": ROWS, "old": [["x"]]}
    path = write_spreadsheet(tmp_path / "m.xlsx", sheets, hidden=["lists"])
    table = read_table(path)
    assert (table.columns, len(list(table.rows))) == (HEADER, 2)
    assert table.note == (
        "sheet 'A & B'; not read: 'old' (save a sheet as a file of its own to read it)"
    )


def test_merged_cells_have_one_value_and_a_note(tmp_path):
    rows = [HEADER, ["hi", "ham"], ["bye", None]]
    path = write_spreadsheet(tmp_path / "m.xlsx", {"s": rows}, merged="B2:B3")
    assert read(path)[1] == [(2, ("hi", "ham")), (3, ("bye", ""))]
    assert "of merged cells, only the first has the value" in read_table(path).note


def test_columns_without_a_name(tmp_path):
    rows = [[None, "text", None, "label"], [0, "hi", None, "ham"], [1, "bye", "a note", "spam"]]
    path = write_spreadsheet(tmp_path / "m.xlsx", {"s": rows})
    reason = "text in a column without a name; name the column in the first row"
    assert read(path) == (HEADER, [(2, ("hi", "ham"))], [(3, reason)])
    assert "the first column has no name and is skipped as an index" in read_table(path).note


@pytest.mark.parametrize(
    "rows, message",
    [
        ([], "no rows"),
        ([["text", "text"], ["a", "b"]], "line 1: two columns are called 'text'"),
    ],
)
def test_sheets_that_are_no_table(rows, message, tmp_path):
    with pytest.raises(DataError, match=f"m.xlsx(, |: ){message}"):
        read_table(write_spreadsheet(tmp_path / "m.xlsx", {"s": rows}))


def test_a_damaged_file_and_one_with_a_password(tmp_path):
    whole = write_spreadsheet(tmp_path / "m.xlsx", {"s": ROWS * 200}).read_bytes()
    with pytest.raises(DataError, match="cut.xlsx: cannot be read"):
        read_table(write(tmp_path, whole[: len(whole) // 2], "cut.xlsx"))
    # Excel stores an encrypted file in an OLE container, as a stream of this name.
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(DataError, match="secret.xlsx: has a password; save a copy without one"):
        read_table(write(tmp_path, ole, "secret.xlsx"))
    with pytest.raises(DataError, match="old.xls: cannot be read as a spreadsheet"):
        read_table(write(tmp_path, ole[:400], "old.xls"))


def test_a_csv_that_is_called_xls_is_read_as_what_it_is(tmp_path):
    assert read(write(tmp_path, "text\tlabel\nhi\tham\nbye\tspam\n", "m.xls"))[1] == READ
