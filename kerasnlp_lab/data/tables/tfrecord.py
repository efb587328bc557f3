"""`read_tfrecord`: rows of a TFRecord file with a tf.train.Example in each record."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from kerasnlp_lab.data.tables.json_lines import columns_of, no_objects
from kerasnlp_lab.data.tables.rows import INVALID, Rows, TableRow, as_text, rejected_row
from kerasnlp_lab.errors import DataError, first_line

__all__ = ["read_tfrecord"]

RECORDS_FOR_COLUMNS = 1000


def read_tfrecord(path: Path) -> tuple[list[str], Rows]:
    """Returns the names of the features, and the records, which are read as they are asked for.

    A feature with several values is a cell with a space between them. The columns are the features
    of the first 1,000 records. The file may be compressed by gzip.
    """
    names = columns_of(islice(_rows(path), RECORDS_FOR_COLUMNS))
    if not names:
        raise no_objects(_rows(path), "a tf.train.Example in each record", path)
    return names, _rows(path)


def _rows(path: Path) -> Rows:
    import tensorflow as tf

    for number, record in enumerate(_records(path), start=1):
        try:
            example = tf.train.Example.FromString(record)
            cells = {name: _cell(one) for name, one in sorted(example.features.feature.items())}
        except UnicodeDecodeError:
            yield rejected_row(path, number, INVALID, record.decode("utf-8", "replace"))
        except Exception as error:  # protobuf's DecodeError, which moves between its releases
            reason = f"no tf.train.Example ({first_line(error)})"
            yield rejected_row(path, number, reason, record.decode("utf-8", "replace"))
        else:
            yield TableRow(number, cells)


def _records(path: Path) -> Iterator[bytes]:
    import tensorflow as tf

    with path.open("rb") as file:
        compression = "GZIP" if file.read(2) == b"\x1f\x8b" else ""
    number = 0
    try:
        for record in tf.data.TFRecordDataset(str(path), compression).as_numpy_iterator():
            number += 1
            yield record
    except tf.errors.OpError as error:
        message = f"cannot be read after record {number} ({first_line(error)}); copy it again"
        raise DataError(message, path) from error


def _cell(feature: Any) -> str:
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else ()
    cells = [as_text(value) for value in values]
    return cells[0] if len(cells) == 1 else " ".join(cells)
