"""`read_parquet`: rows of a Parquet file, with their numbers."""

from __future__ import annotations

from pathlib import Path

from kerasnlp_lab.data.tables.rows import (
    INVALID,
    Rows,
    TableRow,
    as_text,
    check_names,
    rejected_row,
)
from kerasnlp_lab.errors import DataError, first_line

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
                found = [] if batch is None else batch.to_pylist()
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
