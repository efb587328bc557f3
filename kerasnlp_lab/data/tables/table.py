"""`read_table`: opens a table of any kind that is supported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kerasnlp_lab.data.tables.delimited import read_delimited
from kerasnlp_lab.data.tables.encoding import marked_encoding
from kerasnlp_lab.data.tables.json_lines import read_json_lines
from kerasnlp_lab.data.tables.parquet import read_parquet
from kerasnlp_lab.data.tables.rows import Rows
from kerasnlp_lab.data.tables.table_format import TableFormat
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.paths import did_you_mean_path

__all__ = ["Table", "read_table"]

_DEFAULT = TableFormat()
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True)
class Table:
    """An open table.

    Args:
        columns: The names of the columns.
        rows: An iterator over the rows, which reads as it goes.
        note: What was found about its format, as a line for people; "" where there was
            nothing to find.
    """

    columns: list[str]
    rows: Rows
    note: str = ""


def read_table(path: Path, format: TableFormat = _DEFAULT) -> Table:
    """Opens a table.

    Args:
        path: A file named .csv, .tsv, .jsonl (or .ndjson) or .parquet; the first three
            may be compressed by gzip, bzip2 or xz, with .gz, .bz2 or .xz appended.
            The cells of a CSV or TSV are separated by commas, semicolons, tabs or "|". The
            text is in any encoding that its bytes show.
        format: How to read it.

    Raises:
        DataError: It is missing, empty, or of another kind, or `format` does not fit it.
    """
    if not path.is_file():
        raise DataError(f"no such file{did_you_mean_path(path)}", path)
    suffixes = [s.lower() for s in path.suffixes if s.lower() not in (".gz", ".bz2", ".xz")]
    kind = suffixes[-1] if suffixes else ""
    if kind in _DELIMITERS:
        return Table(*read_delimited(path, _DELIMITERS[kind], format))
    if other := format.delimited_alone():
        raise DataError(f"{other} is for .csv and .tsv; leave it out", path)
    if kind in (".jsonl", ".ndjson"):
        return Table(*read_json_lines(path, format.encoding or marked_encoding(path) or "utf-8"))
    if kind == ".parquet" and format.encoding:
        raise DataError("a Parquet file has its own encoding; leave out --encoding", path)
    if kind == ".parquet":
        return Table(*read_parquet(path))
    raise DataError("expected a file named .csv, .tsv, .jsonl or .parquet, perhaps .gz", path)
