"""`read_parquet`: rows of a Parquet file, with their numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kerasnlp_lab.data.tables.rows import (
    INVALID,
    Rows,
    TableRow,
    as_text,
    check_names,
    rejected_row,
)
from kerasnlp_lab.errors import DataError, first_line

if TYPE_CHECKING:
    import pyarrow

__all__ = ["read_parquet"]


def read_parquet(path: Path) -> tuple[list[str], Rows]:
    """Returns the names of the columns, and the rows, which are read as they are asked for."""
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"no Parquet file ({first_line(error)})", path) from error

    def rows() -> Rows:
        number = 0
        batches = file.iter_batches()
        while True:
            try:
                batch = next(batches, None)
                found = [] if batch is None else _shortest_floats(batch).to_pylist()
            except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
                message = f"cannot be read after row {number} ({first_line(error)})"
                raise DataError(message, path) from error
            if batch is None:
                return
            for values in found:
                number += 1
                try:
                    cells = {name: as_text(cell) for name, cell in values.items()}
                except UnicodeDecodeError:
                    yield rejected_row(path, number, INVALID, str(values))
                else:
                    yield TableRow(number, cells)

    names = list(file.schema_arrow.names)
    check_names(names, path)
    return names, rows()


def _shortest_floats(batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
    """Returns a batch with float32 0.1 as float64 0.1, not 0.10000000149011612, as in a CSV."""
    import pyarrow.types

    for place, field in enumerate(batch.schema):
        if pyarrow.types.is_float16(field.type) or pyarrow.types.is_float32(field.type):
            column = batch.column(place).cast("string").cast("float64")
            batch = batch.set_column(place, field.name, column)
    return batch
