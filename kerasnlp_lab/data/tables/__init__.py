"""Reads tables: files of rows with named columns, in the formats that people have."""

from kerasnlp_lab.data.tables.parts import split_entries
from kerasnlp_lab.data.tables.rows import RejectedRow, Table, TableRow, csv_content
from kerasnlp_lab.data.tables.table import read_table
from kerasnlp_lab.data.tables.table_format import TableFormat

__all__ = [
    "RejectedRow",
    "Table",
    "TableFormat",
    "TableRow",
    "csv_content",
    "read_table",
    "split_entries",
]
