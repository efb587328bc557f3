"""Reads AG News' own CSV files ("class 1-4","title","description")."""

from __future__ import annotations

import csv
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kerasnlp_lab.errors import DataError, first_line
from kerasnlp_lab.paths import did_you_mean_path

__all__ = ["csv_folder", "read_rows"]


@contextmanager
def csv_folder(source: Path) -> Iterator[Path]:
    """Yields the folder with train.csv and test.csv, perhaps in ag_news_csv/ or in a .tar.gz.

    Raises DataError if there is nothing at that path, or the archive is not whole.
    """
    if source.is_dir():
        nested = source / "ag_news_csv"
        yield nested if nested.is_dir() else source
    elif source.is_file():
        with tempfile.TemporaryDirectory() as scratch:
            _unpack(source, Path(scratch))
            try:
                yield Path(scratch)
            except DataError as error:  # name the archive: the folder is gone by then
                name = f"{source}, {Path(error.path or '').name}"
                raise DataError(error.message, name, error.line, error.column) from error
    else:
        raise DataError(
            f"no such file or folder{did_you_mean_path(source)}; give ag_news_csv.tar.gz or its "
            "folder",
            source,
        )


def _unpack(archive: Path, target: Path) -> None:
    wanted = {"train.csv", "test.csv"}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = Path(member.name).name
                content = tar.extractfile(member) if member.isfile() and name in wanted else None
                if content is not None:
                    (target / name).write_bytes(content.read())
            while tar.fileobj.read(1 << 20):  # to the end, where gzip has its checksum
                pass
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise DataError(
            f"not a whole .tar.gz archive ({first_line(error)}); it may be cut short, or a web "
            "page saved in its place: fetch it again",
            archive,
        ) from error


def read_rows(path: Path) -> list[tuple[int, str, str]]:
    """Returns the label id, title and description of each row of a CSV file.

    Raises DataError if it is missing, empty, or has a row in another form.
    """
    if not path.is_file():
        raise DataError("missing; expected AG News' own train.csv and test.csv", path)
    rows = []
    with path.open("rb") as file:
        reader = csv.reader(_decoded_lines(file, path), strict=True)
        try:
            for row in reader:
                _check_row(row, path, reader.line_num)
                rows.append((int(row[0]) - 1, row[1], row[2]))
        except csv.Error as error:
            raise DataError(f"broken quoting ({error})", path, reader.line_num) from error
    if not rows:
        raise DataError("no rows", path)
    return rows


def _decoded_lines(file: Any, path: Path) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"not valid UTF-8 at byte {error.start + 1} of the line; convert the file to UTF-8",
                path,
                number,
            ) from error


def _check_row(row: list[str], path: Path, line: int) -> None:
    if len(row) != 3:
        raise DataError(
            f'expected 3 columns ("class 1-4","title","description"), got {len(row)}', path, line
        )
    if row[0] not in {"1", "2", "3", "4"}:
        raise DataError(f"expected a class from 1 to 4, got {row[0]!r}", path, line, 1)
    if not row[1].strip() and not row[2].strip():
        raise DataError("title and description are both empty", path, line)
