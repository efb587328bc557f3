"""`read_annotations`: opens annotation files of any kind that is supported."""

from __future__ import annotations

from pathlib import Path

from kerasnlp_lab.data.entities.conll import read_conll
from kerasnlp_lab.data.tables import Table, TableFormat
from kerasnlp_lab.data.tables.copies import read_pipe, read_zip
from kerasnlp_lab.data.tables.parts import files_of_pattern, is_pattern, read_parts
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.paths import did_you_mean_path, is_pipe

__all__ = ["read_annotations"]


def read_annotations(path: Path, format: TableFormat) -> Table:
    """Opens annotation files, whose rows are `TokenRow`, `SpanRow` or `RejectedRow`.

    Args:
        path: A file, perhaps compressed; a folder or a pattern of several; "-" or another pipe.
        format: Its encoding, if that is known.

    Raises:
        DataError: It is missing, empty or of another kind.
        StorageError: A pipe or a part of an archive cannot be copied to a temporary file.
    """

    def read(part: Path) -> Table:
        return read_annotations(part, format)

    if is_pipe(path):
        return read_pipe(path, read)
    if is_pattern(path):
        return Table(*read_parts(files_of_pattern(path), read))
    if not path.is_file():
        raise DataError(f"no such file{did_you_mean_path(path)}", path)
    with path.open("rb") as file:
        head = file.read(4)
    if head == b"PK\x03\x04":
        return read_zip(path, read)
    return read_conll(path, format.encoding)
