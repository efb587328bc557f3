"""`read_pipe` and `read_zip`: tables that are copied to a temporary file before they are read."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sys
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from kerasnlp_lab.data.tables.kinds import kind_of_name
from kerasnlp_lab.data.tables.rows import RejectedRow, Rows, Table
from kerasnlp_lab.display import first_few
from kerasnlp_lab.errors import DataError, first_line
from kerasnlp_lab.paths import explain_os_error

__all__ = ["errors_about", "name_of_pipe", "open_pipe", "read_pipe", "read_zip"]


def read_pipe(path: Path, read: Callable[[Path], Table]) -> Table:
    """Returns the table that comes from a path for which `is_pipe` is true; `read` reads a copy."""
    with open_pipe(path) as stream:
        return _read_copy(stream, name_of_pipe(path), path.name, read)


def open_pipe(path: Path) -> contextlib.AbstractContextManager[IO[bytes]]:
    """Opens a pipe; standard input stays open after the block. Raises DataError if it cannot."""
    if str(path) == "-":
        if sys.stdin is None:
            raise DataError("there is none; name a file", "standard input")
        return contextlib.nullcontext(sys.stdin.buffer)
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"cannot be read ({first_line(error)})", path) from error


def name_of_pipe(path: Path) -> str:
    """Returns how messages call a pipe."""
    return "standard input" if str(path) == "-" else str(path)


def read_zip(path: Path, read: Callable[[Path], Table]) -> Table:
    """Returns the only table in a zip archive; `read` reads a copy."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = _only_table(archive, path)
            if member.flag_bits & 1:
                raise DataError("has a password; unpack it and give the table", path)
            note = f"{member.filename} in the archive"
            with archive.open(member) as content:
                return _read_copy(content, str(path), Path(member.filename).name, read, note)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        reason = f"cannot be unpacked ({first_line(error)}); unpack it and give the table"
        raise DataError(reason, path) from error


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
    found = first_few([one.filename for one in tables], 5) or "an empty archive"
    raise DataError(f"expected one table, got {found}; unpack it and name a table", path)


def _read_copy(
    content: IO[bytes], shown: str, name: str, read: Callable[[Path], Table], note: str = ""
) -> Table:
    """Reads a table from a temporary copy; errors and rows name its origin."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="kerasnlp_lab-"))
            copy = Path(folder, name)
            with copy.open("wb") as file:
                shutil.copyfileobj(content, file)
        except OSError as error:
            raise explain_os_error(error, tempfile.gettempdir()) from error
        if not copy.stat().st_size:
            raise DataError("nothing came; expected a table", shown)
        with errors_about(shown):
            table = read(copy)
        rows = _rows_of(table.rows, shown)
        weakref.finalize(rows, stack.pop_all().close)
    notes = [one for one in (note, table.note) if one]
    return dataclasses.replace(table, rows=rows, note="; ".join(notes))


def _rows_of(rows: Rows, shown: str) -> Rows:
    with errors_about(shown):
        for row in rows:
            yield dataclasses.replace(row, path=shown) if isinstance(row, RejectedRow) else row


@contextlib.contextmanager
def errors_about(shown: str) -> Iterator[None]:
    """Lets the errors about a temporary copy name its origin."""
    try:
        yield
    except DataError as error:
        raise type(error)(error.message, shown, error.line, error.column) from error
