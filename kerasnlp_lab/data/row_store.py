"""`RowStore`: rows of bytes in a temporary file, which take almost no memory."""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np

from kerasnlp_lab.paths import explain_os_error

__all__ = ["RowStore", "StoredTexts"]

WRITE_BYTES = 1 << 20
READ_ROWS = 4096

Block = bytes | bytearray | memoryview


class RowStore:
    """Rows of any length, end to end in a file; only their starts are in memory, 8 bytes each.

    The file has no name and vanishes with the object. It is read by pread rather than mapped:
    pages of a mapped file count as the process's own memory. Each block is some rows' bytes end to
    end, and the number of bytes of each row, int64 [rows]. Raises StorageError if they cannot be
    written; TMPDIR names the folder.
    """

    def __init__(self, blocks: Iterable[tuple[Block, np.ndarray]]):
        starts = array("q", [0])
        try:
            self._file = tempfile.TemporaryFile(prefix="kerasnlp_lab-", buffering=WRITE_BYTES)
            weakref.finalize(self, self._file.close)
            for block, sizes in blocks:
                self._file.write(block)
                starts.frombytes((starts[-1] + np.cumsum(sizes, dtype=np.int64)).tobytes())
            self._file.flush()
        except OSError as error:
            raise explain_os_error(error, tempfile.gettempdir()) from error
        self.starts = np.array(starts, np.int64)

    @classmethod
    def of_rows(cls, rows: Iterable[bytes]) -> RowStore:
        """Stores rows that come one at a time; raises StorageError as the class does."""
        return cls(_in_blocks(rows))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> np.ndarray:
        """The bytes of each row, int64 of shape [rows]."""
        return np.diff(self.starts)

    def read(self, rows: Sequence[int] | np.ndarray) -> list[bytes]:
        """Returns some rows, in the given order."""
        block, sizes = self.read_block(rows)
        ends = np.cumsum(sizes).tolist()
        return [block[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]

    def read_block(self, rows: Sequence[int] | np.ndarray) -> tuple[bytes, np.ndarray]:
        """Returns rows end to end, and the bytes of each; adjacent rows are read together."""
        if not len(rows):
            return b"", np.zeros(0, np.int64)
        begins, ends = self.starts[rows], self.starts[np.add(rows, 1)]
        first = np.flatnonzero(np.append(True, begins[1:] != ends[:-1]))  # of adjacent rows
        last = np.append(first[1:], len(begins)) - 1
        offsets = begins[first]
        wanted = zip((ends[last] - offsets).tolist(), offsets.tolist(), strict=True)
        file = self._file.fileno()
        return b"".join([os.pread(file, size, offset) for size, offset in wanted]), ends - begins


def _in_blocks(rows: Iterable[bytes]) -> Iterator[tuple[Block, np.ndarray]]:
    """Yields rows end to end, about a megabyte at a time, and the bytes of each."""
    block, sizes = bytearray(), array("q")
    for row in rows:
        block += row
        sizes.append(len(row))
        if len(block) >= WRITE_BYTES:
            yield block, np.array(sizes)
            block, sizes = bytearray(), array("q")
    yield block, np.array(sizes, np.int64)


class StoredTexts(Sequence[str]):
    """Texts in a `RowStore` as UTF-8, with lone surrogates encoded too ("surrogatepass").

    They are the given rows of the store, in order, int32 of shape [texts].
    """

    def __init__(self, store: RowStore, rows: np.ndarray):
        self._store = store
        self._rows = np.asarray(rows, np.int32)

    @classmethod
    def write(cls, texts: Iterable[str]) -> StoredTexts:
        """Stores texts that come one at a time."""
        store = RowStore.of_rows(text.encode("utf-8", "surrogatepass") for text in texts)
        return cls(store, np.arange(len(store)))

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return StoredTexts(self._store, self._rows[index])
        row = self._rows[index]
        return self._store.read([row])[0].decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), READ_ROWS):
            for text in self._store.read(self._rows[start : start + READ_ROWS]):
                yield text.decode("utf-8", "surrogatepass")

    def take(self, rows: np.ndarray) -> StoredTexts:
        """Returns the texts of the given rows, in the given order."""
        return StoredTexts(self._store, self._rows[rows])
