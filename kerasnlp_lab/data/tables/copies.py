"""`read_pipe` and `read_zip`: tables that are copied to a temporary file before they are read."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import sys
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from kerasnlp_lab.data.tables.kinds import kind_of_name
from kerasnlp_lab.data.tables.rows import RejectedRow, Rows
from kerasnlp_lab.errors import DataError, first_line
from kerasnlp_lab.paths import explain_os_error

if TYPE_CHECKING:
    from kerasnlp_lab.data.tables.table import Table

__all__ = ["read_pipe", "read_zip"]

_SHOWN_NAMES = 5


def read_pipe(path: Path, read: Callable[[Path], Table]) -> Table:
    """Returns the table that standard input or another pipe holds, read to its end.

    Args:
        path: A path for which `is_pipe` is true.
        read: Reads the copy.

    Raises:
        DataError: Nothing comes, or it is no table.
        StorageError: It cannot be copied.
    """
    shown = "standard input" if str(path) == "-" else str(path)
    try:
        if shown == str(path):
            stream: contextlib.AbstractContextManager[IO[bytes]] = path.open("rb")
        else:
            stream = contextlib.nullcontext(sys.stdin.buffer)
        with stream as content:
            table = _read_copy(content, shown, path.name, read)
    except (AttributeError, OSError) as error:  # without a terminal, sys.stdin is None
        if isinstance(error, DataError) or os.path.exists(path):
            raise
        raise DataError(f"cannot be read ({first_line(error)})", shown) from error
    note = "it cannot be read again, so 'train --resume' needs the rows in a file"
    return dataclasses.replace(table, note="; ".join(filter(None, (table.note, note))))


def read_zip(path: Path, read: Callable[[Path], Table]) -> Table:
    """Returns the only table in a zip archive.

    Args:
        path: The archive.
        read: Reads the copy.

    Raises:
        DataError: It holds no table or several, has a password, or is damaged.
        StorageError: The table cannot be copied.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = _only_table(archive, path)
            if member.flag_bits & 1:
                raise DataError("has a password; unpack it and give the table", path)
            with archive.open(member) as content:
                name = PurePosixPath(member.filename).name
                table = _read_copy(content, str(path), name, read)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        reason = f"cannot be unpacked ({first_line(error)}); unpack it and give the table"
        raise DataError(reason, path) from error
    note = "; ".join(filter(None, (f"{member.filename} in the archive", table.note)))
    return dataclasses.replace(table, note=note)


def _only_table(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    files = [
        one
        for one in archive.infolist()
        if not one.is_dir()
        and not one.filename.startswith("__MACOSX/")
        and not PurePosixPath(one.filename).name.startswith(".")
    ]
    tables = [one for one in files if kind_of_name(one.filename)] or files
    if len(tables) == 1:
        return tables[0]
    shown = ", ".join(one.filename for one in tables[:_SHOWN_NAMES])
    more = f" and {len(tables) - _SHOWN_NAMES} more" if len(tables) > _SHOWN_NAMES else ""
    found = f"{shown}{more}" if tables else "an empty archive"
    raise DataError(f"expected one table, got {found}; unpack it and name a table", path)


def _read_copy(content: IO[bytes], shown: str, name: str, read: Callable[[Path], Table]) -> Table:
    """Reads a table from a temporary copy, whose errors and rows name its origin."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="kerasnlp_lab-"))
            copy = Path(folder, name)
            file = copy.open("wb")
        except OSError as error:
            raise explain_os_error(error, tempfile.gettempdir()) from error
        with file:
            shutil.copyfileobj(content, file)
        if not copy.stat().st_size:
            raise DataError("nothing came; expected a table", shown)
        with _errors_about(shown):
            table = read(copy)
        rows = _rows_of(table.rows, shown)
        weakref.finalize(rows, stack.pop_all().close)
    return dataclasses.replace(table, rows=rows)


def _rows_of(rows: Rows, shown: str) -> Rows:
    with _errors_about(shown):
        for row in rows:
            yield dataclasses.replace(row, path=shown) if isinstance(row, RejectedRow) else row


@contextlib.contextmanager
def _errors_about(shown: str) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise DataError(error.message, shown, error.line, error.column) from error
