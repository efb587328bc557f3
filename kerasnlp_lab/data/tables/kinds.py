"""`kind_of`: the kind of a table's file, by its first bytes, its name, or else its content."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from itertools import islice
from pathlib import Path, PurePath

from kerasnlp_lab.data.tables.encoding import marked_encoding
from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.errors import DataError, first_line

__all__ = ["JSON_START", "binary_kind", "kind_of", "kind_of_name"]

_SUPPORTED = (
    ".csv, .tsv, .jsonl, .json, .parquet, .xlsx, .ft (fastText) or .zip, perhaps .gz or .zst"
)
_ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".json": "json",
    ".parquet": "parquet",
    ".zip": "zip",
    ".ft": "fasttext",
    ".tfrecord": "tfrecord",
    ".tfrecords": "tfrecord",
}
_ENDINGS |= dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "excel")
_ENDINGS |= dict.fromkeys((".conll", ".conllu", ".iob", ".iob2", ".bio", ".bioes"), "conll")
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_BINARY = {b"PK\x03\x04": "zip", b"PAR1": "parquet", b"\xd0\xcf\x11\xe0": "excel"}
_SPREADSHEETS = {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}
JSON_START = re.compile(rb'\s*(\{\s*("|\}|$)|\[\s*([\[{"\]]|$))')
_SAMPLE_LINES = 50


def kind_of(path: Path, delimited: bool = False) -> str:
    """Returns the kind of a file, for `read_table`.

    Args:
        path: The file.
        delimited: Whether it is a CSV if its name does not tell.

    Raises:
        DataError: Neither its name nor its content shows a kind.
    """
    binary = binary_kind(path)
    kind = binary or kind_of_name(path.name)
    if kind == "zip":
        return _kind_of_archive(path)
    if kind == "" or (kind == "excel" and not binary):  # many .xls are CSV or HTML
        return "csv" if delimited else _kind_of_lines(path)
    return kind


def binary_kind(path: Path) -> str:
    """Returns the kind of file that the first bytes show: zip, parquet, excel or ""."""
    with path.open("rb") as file:
        kind = _BINARY.get(file.read(4), "")
    return _kind_of_archive(path) if kind == "zip" else kind


def kind_of_name(name: str) -> str:
    """Returns the kind of table that a file's name tells, or ""."""
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    telling = [suffix for suffix in suffixes if suffix not in _COMPRESSED]
    return _ENDINGS.get(telling[-1], "") if telling else ""


def _kind_of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            return "zip" if _SPREADSHEETS.isdisjoint(archive.namelist()) else "excel"
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"cannot be read ({first_line(error)}); copy it again", path) from error


def _kind_of_lines(path: Path) -> str:
    lines = numbered_lines(path, marked_encoding(path) or "utf-8")
    sample = [line for _, line in islice(lines, _SAMPLE_LINES) if line.strip()]
    if not sample:
        raise DataError("no rows; expected a table", path)
    if sample[0].startswith(b"__label__"):
        return "fasttext"
    if JSON_START.match(sample[0]):
        return "json"
    text = b"".join(sample).decode("utf-8", "replace")
    for delimiter, kind in (("\t", "tsv"), (",", "csv"), (";", "csv"), ("|", "csv")):
        if "\0" not in text and _has_columns(text, delimiter):
            return kind
    named = f"expected a file named {_SUPPORTED}, or one whose first lines show a table"
    raise DataError(f"{named}; rename it to what it is", path)


def _has_columns(text: str, delimiter: str) -> bool:
    """Returns whether most lines have as many cells as the first, and more than one."""
    try:
        sizes = [len(cells) for cells in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error:
        return False
    return sizes[0] > 1 and 2 * sizes.count(sizes[0]) > max(len(sizes), 2)
