"""`ShardedSplit`: texts and labels in TFRecord files, read on demand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from kerasnlp_lab.errors import DataError, first_line

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["ADVICE", "ShardedSplit", "ShardedTexts", "parse_records", "read_records"]

ADVICE = "copy the folder again, or write it again with 'kerasnlp-lab data shard'"
READ_ROWS = 1024


@dataclass(frozen=True, eq=False)
class ShardedSplit:
    """Texts and their labels in TFRecord files, which take no memory.

    A row is a record of a file; rows are counted from 0 through the files in their order.
    They were checked when the files were written, and are not read to make this object.

    Args:
        files: The files.
        rows: The records of each, int64 of shape [files].
        counts: The rows of each class, int64 of shape [classes].
        sha256: The hash of each file, hex digits.

    Raises:
        DataError: The numbers do not fit together.
    """

    annotation: ClassVar[Literal["labels"]] = "labels"

    files: tuple[Path, ...]
    rows: np.ndarray
    counts: np.ndarray
    sha256: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("rows", "counts"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.int64))
        if not (len(self.files) == len(self.rows) == len(self.sha256)):
            raise DataError(
                f"expected rows and a hash for each of {len(self.files)} files, "
                f"got {len(self.rows)} and {len(self.sha256)}"
            )
        if self.counts.sum() != len(self):
            raise DataError(f"expected labels of {len(self)} rows, got {self.counts.sum()}")

    def __len__(self) -> int:
        return int(self.rows.sum())

    @property
    def texts(self) -> Collection[str]:
        """The texts; each iteration reads the files again.

        A damaged record raises DataError with its file.
        """
        return ShardedTexts(self)

    def label_counts(self, classes: int) -> np.ndarray:
        """Returns the rows of each class, int64 of shape [classes]."""
        return np.concatenate([self.counts, np.zeros(classes - len(self.counts), np.int64)])

    def where(self, row: int) -> str:
        """Returns the place of a row, counted from 0: its file and its record, counted from 1."""
        ends = np.cumsum(self.rows)
        file = int(np.searchsorted(ends, row, side="right"))
        return f"{self.files[file]}, record {row - ends[file] + self.rows[file] + 1}"


class ShardedTexts(Collection[str]):
    def __init__(self, split: ShardedSplit):
        self._split = split

    def __len__(self) -> int:
        return len(self._split)

    def __iter__(self) -> Iterator[str]:
        for texts, _ in read_records(self._split.files, self._split.rows):
            yield from texts

    def __contains__(self, text: object) -> bool:
        return any(text == other for other in self)


def parse_records(records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the texts and the labels (int64) of records, both in the shape of the records."""
    import tensorflow as tf

    one = {
        "text": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], "int64"),
    }
    found = tf.io.parse_example(tf.reshape(records, [-1]), one)
    texts, labels = (tf.reshape(found[name], tf.shape(records)) for name in ("text", "label"))
    return texts, labels


def read_records(
    files: Sequence[Path], rows: Sequence[int] | np.ndarray
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yields the texts and the labels of TFRecord files, 1,024 rows at a time.

    Raises DataError if one cannot be read, or has another number of records than in `rows`.
    """
    found = 0
    try:
        for texts, labels in _batches(files):
            found += len(labels)
            yield [text.decode("utf-8", "surrogatepass") for text in texts], labels
    except _unreadable() as error:
        # The error does not name the file. Opening a reader for each file would take 40 ms each.
        first = int(np.searchsorted(np.cumsum(rows)[:-1], found, side="right"))
        _check(files[first:], rows[first:])
        raise DataError(f"cannot be read ({first_line(error)}); {ADVICE}", files[first]) from error
    if found != np.sum(rows):
        _check(files, rows)


def _batches(files: Sequence[Path]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    import tensorflow as tf

    for records in tf.data.TFRecordDataset([str(file) for file in files]).batch(READ_ROWS):
        texts, labels = parse_records(records)
        yield texts.numpy(), labels.numpy()


def _check(files: Sequence[Path], rows: Sequence[int] | np.ndarray) -> None:
    """Raises DataError for the first file that cannot be read, or has another number of rows."""
    for file, expected in zip(files, rows, strict=True):
        found = 0
        try:
            for _, labels in _batches([file]):
                found += len(labels)
        except _unreadable() as error:
            message = f"cannot be read after record {found} ({first_line(error)}); {ADVICE}"
            raise DataError(message, file) from error
        if found != expected:
            raise DataError(f"expected {expected} records, got {found}; {ADVICE}", file)


def _unreadable() -> tuple[type[Exception], ...]:
    import tensorflow as tf

    # The latter if TensorFlow's message quotes the bytes that it could not read.
    return tf.errors.OpError, UnicodeDecodeError
