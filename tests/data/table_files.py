"""Writes tables, and reads them with `read_table`."""

from kerasnlp_lab.data.tables import RejectedRow, TableFormat, read_table


def write(folder, content, name="messages.csv"):
    """Writes bytes, or text as UTF-8 with its own line ends."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path, **format):
    """Returns the columns, the good rows as (line, cells) and the bad ones as (line, reason)."""
    table = read_table(path, TableFormat(**format))
    columns, rows = table.columns, table.rows
    found = list(rows)
    bad = [(row.line, row.reason) for row in found if isinstance(row, RejectedRow)]
    good = [
        (row.line, tuple(row.cells.get(name, "") for name in columns))
        for row in found
        if not isinstance(row, RejectedRow)
    ]
    assert all(row.path == str(path) for row in found if isinstance(row, RejectedRow))
    return columns, good, bad
