"""`numbered_lines`: the lines of a file, plain or compressed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from kerasnlp_lab.errors import DataError, first_line

__all__ = ["numbered_lines"]


def _open_zstandard(path: Path, mode: str) -> IO[bytes]:
    import pyarrow

    return io.BufferedReader(pyarrow.input_stream(str(path), compression="zstd"))


_COMPRESSIONS = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"\x28\xb5\x2f\xfd": _open_zstandard,
}


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yields each line with its number, uncompressed."""
    try:
        with path.open("rb") as file:
            head = file.read(6)
        opens: Any = next((o for magic, o in _COMPRESSIONS.items() if head.startswith(magic)), open)
        with opens(path, "rb") as file:
            yield from enumerate(_without_mark(file), start=1)
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"cannot be read to its end ({first_line(error)})", path) from error


def _without_mark(file: IO[bytes]) -> Iterator[bytes]:
    for index, line in enumerate(file):
        yield line.removeprefix(b"\xef\xbb\xbf") if index == 0 else line
