"""`read_table`: opens a table of any kind that is supported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerasnlp_lab.data.tables.copies import read_pipe, read_zip
from kerasnlp_lab.data.tables.delimited import read_delimited
from kerasnlp_lab.data.tables.encoding import marked_encoding
from kerasnlp_lab.data.tables.excel import read_excel
from kerasnlp_lab.data.tables.fasttext import read_fasttext
from kerasnlp_lab.data.tables.json_document import read_json
from kerasnlp_lab.data.tables.json_lines import read_json_lines
from kerasnlp_lab.data.tables.kinds import kind_of, kind_of_name
from kerasnlp_lab.data.tables.parquet import read_parquet
from kerasnlp_lab.data.tables.parts import files_of_pattern, is_pattern, read_folder, read_parts
from kerasnlp_lab.data.tables.rows import Table
from kerasnlp_lab.data.tables.table_format import TableFormat
from kerasnlp_lab.data.tables.tfrecord import read_tfrecord
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.paths import did_you_mean_path, is_pipe

__all__ = ["is_table", "read_table"]

_DEFAULT = TableFormat()
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_READERS: dict[str, Callable[[Path, str], Any]] = {
    "json": read_json,
    "json_lines": read_json_lines,
}


def read_table(
    path: Path, format: TableFormat = _DEFAULT, *, several_labels: bool = False
) -> Table:
    """Opens a table.

    Args:
        path: A file of CSV, TSV, JSON lines, JSON, Parquet, Excel, TFRecord or fastText; a zip
            archive with one of them; a folder or a pattern of several, or a folder with a folder of
            texts for each class; "-" or another pipe. Files of lines may be compressed by
            gzip, bzip2, xz or Zstandard. Text is in any encoding that its bytes show.
        format: How to read it.
        several_labels: Whether a line of fastText may have several labels, or none.

    Raises:
        DataError: It is missing, empty, or of another kind, or `format` does not fit it.
        StorageError: A pipe or a part of an archive cannot be copied to a temporary file.
    """

    def read(part: Path) -> Table:
        return read_table(part, format, several_labels=several_labels)

    if is_pipe(path):
        return read_pipe(path, read)
    if is_pattern(path):
        return Table(*read_parts(files_of_pattern(path), read))
    if path.is_dir():
        return Table(*read_folder(path, read, format.encoding))
    if not path.is_file():
        raise DataError(f"no such file{did_you_mean_path(path)}", path)
    kind = kind_of(path, delimited=bool(format.delimiter or format.quoting))
    if kind in _DELIMITERS:
        return Table(*read_delimited(path, _DELIMITERS[kind], format))
    if kind == "conll":
        raise DataError(
            "expected a table, got tokens with tags, which train, compare and data inspect read "
            "with --task entities",
            path,
        )
    if kind == "zip":
        return read_zip(path, read)
    if (other := format.delimited_alone()) and (kind, other) != ("excel", "--no-header"):
        raise DataError(f"{other} is for .csv and .tsv; leave it out", path)
    if kind in ("excel", "parquet", "tfrecord") and format.encoding:
        raise DataError("such a file has its own encoding; leave out --encoding", path)
    if kind == "excel":
        return Table(*read_excel(path, format.header))
    if kind == "parquet":
        return Table(*read_parquet(path))
    if kind == "tfrecord":
        return Table(*read_tfrecord(path))
    encoding = format.encoding or marked_encoding(path) or "utf-8"
    if kind == "fasttext":
        return Table(*read_fasttext(path, encoding, several_labels))
    return Table(*_READERS[kind](path, encoding))


def is_table(path: Path) -> bool:
    """Returns whether a path is a table by its name: a file's ending, a pattern, or a folder."""
    return is_pattern(path) or path.is_dir() or bool(kind_of_name(path.name))
