"""`numbered_lines`: the lines of a file, plain or compressed, as UTF-8."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from kerasnlp_lab.errors import DataError, first_line

__all__ = ["head_of", "numbered_lines", "open_uncompressed", "uncompressed"]

HEAD = 1 << 16
BROKEN = "\udcff"  # stands for bytes that the encoding does not have; not valid in UTF-8 either


def _open_zstandard(path: Path, mode: str) -> IO[bytes]:
    import pyarrow

    return io.BufferedReader(pyarrow.input_stream(str(path), compression="zstd"))


_COMPRESSIONS = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"\x28\xb5\x2f\xfd": _open_zstandard,
}

codecs.register_error("kerasnlp_lab.broken", lambda error: (BROKEN, error.end))  # type: ignore[attr-defined]


@contextlib.contextmanager
def uncompressed(path: Path) -> Iterator[IO[bytes]]:
    """Opens a file, plain or compressed; raises DataError if it cannot be read to its end."""
    try:
        with open_uncompressed(path) as file:
            yield file
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


def head_of(path: Path) -> bytes:
    """Returns the first 64 KiB of a file's content."""
    with uncompressed(path) as file:
        return file.read(HEAD)


def numbered_lines(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, bytes]]:
    """Yields each line with its number, uncompressed and in UTF-8, without a byte order mark.

    Lines end with a line feed, or with a carriage return where the file has no line feeds.
    Bytes that the encoding does not have become bytes that are not valid UTF-8.
    """
    start = head_of(path).decode(encoding, "replace")
    old_mac = "\r" in start and "\n" not in start
    with uncompressed(path) as file:
        if codecs.lookup(encoding).name == "utf-8" and not old_mac:
            lines = iter(file)
        else:
            lines = _in_utf8(file, encoding, "\r" if old_mac else "\n")
        for number, line in enumerate(lines, start=1):
            yield number, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line


def _in_utf8(file: IO[bytes], encoding: str, line_end: str) -> Iterator[bytes]:
    with io.TextIOWrapper(file, encoding, "kerasnlp_lab.broken", newline=line_end) as text:
        for line in text:
            whole = line[:-1] + "\n" if line.endswith(line_end) else line
            yield whole.encode("utf-8", "surrogatepass")
