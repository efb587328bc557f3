"""`numbered_lines`: the lines of a file, plain or compressed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from kerasnlp_lab.errors import DataError, first_line

__all__ = ["numbered_lines", "open_uncompressed"]

_COMPRESSIONS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yields each line with its number, uncompressed."""
    try:
        with open_uncompressed(path) as file:
            yield from enumerate(_without_mark(file), start=1)
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"cannot be read to its end ({first_line(error)})", path) from error


def open_uncompressed(path: Path) -> IO[bytes]:
    """Opens a file, which is uncompressed as it is read; a pipe is read as it is."""
    head = b""
    if path.is_file():  # a pipe can be opened only once
        with path.open("rb") as file:
            head = file.read(6)
    opens: Any = next((o for magic, o in _COMPRESSIONS.items() if head.startswith(magic)), open)
    return opens(path, "rb")


def _without_mark(file: IO[bytes]) -> Iterator[bytes]:
    for index, line in enumerate(file):
        yield line.removeprefix(b"\xef\xbb\xbf") if index == 0 else line
