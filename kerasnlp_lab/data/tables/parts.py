"""`read_parts` and `read_folder`: several files as one table."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasnlp_lab.data.tables.kinds import kind_of, kind_of_name
from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.rows import INVALID, Rows, TableRow, rejected_row
from kerasnlp_lab.errors import DataError

if TYPE_CHECKING:
    from kerasnlp_lab.data.tables.table import Table

__all__ = ["files_of_pattern", "is_pattern", "read_folder", "read_parts", "split_entries"]

Parts = tuple[list[str], Rows, str, tuple[str, ...]]

_SPLIT = re.compile(r"(train|training|validation|valid|val|dev|test)(?![a-z])", re.IGNORECASE)
_SPLIT_NAMES = {"train": "train", "training": "train", "test": "test"}
_UNLABELLED = "unsup"  # the folder of IMDB's texts without a class
_SHOWN_NAMES = 5


def is_pattern(path: Path) -> bool:
    """Returns whether a path has ``*``, ``?`` or ``[``, and is no file with such a name."""
    return glob.has_magic(str(path)) and not path.exists()


def files_of_pattern(pattern: Path) -> list[Path]:
    """Returns the files that match a pattern, by name; raises DataError if there are none."""
    matches = sorted(Path(one) for one in glob.glob(str(pattern), recursive=True))
    files = [one for one in matches if one.is_file()]
    if not files:
        reason = "only folders match this pattern" if matches else "no file matches this pattern"
        raise DataError(f"{reason}; expected tables", pattern)
    return files


def read_parts(files: Sequence[Path], read: Callable[[Path], Table]) -> Parts:
    """Returns columns, rows, note and files of a table in several files, one after the other.

    Args:
        files: The files.
        read: Reads one; each is read twice.

    Raises:
        DataError: One cannot be read, or has other columns than the first. Objects of JSON
            may lack keys.
    """
    notes: dict[str, None] = {}
    columns: list[str] = []
    for file in files:
        table = read(file)
        sparse = kind_of(file) in ("json", "json_lines")
        if columns and not sparse and set(table.columns) != set(columns):
            raise DataError(
                f"expected the columns of {files[0]} ({', '.join(columns)}), got "
                f"{', '.join(table.columns)}",
                file,
            )
        columns += [name for name in table.columns if name not in columns]
        notes |= dict.fromkeys([table.note] if table.note else [])

    def rows() -> Rows:
        for part, file in enumerate(files):
            for row in read(file).rows:
                yield TableRow(row.line, row.cells, part) if isinstance(row, TableRow) else row

    note = "; ".join([f"{len(files)} files", *notes])
    return columns, rows(), note, tuple(map(str, files))


def read_folder(folder: Path, read: Callable[[Path], Table], encoding: str | None) -> Parts:
    """Returns columns, rows, note and files of a folder.

    Args:
        folder: A folder of tables, or of a folder of texts for each class.
        read: Reads a table; each is read twice.
        encoding: The encoding of the texts; None for UTF-8.

    Raises:
        DataError: It is neither, or a table in it cannot be read.
    """
    entries = _entries(folder)
    if (folder / "shards.json").exists():
        raise DataError("expected tables, got shards of 'kerasnlp-lab data shard'", folder)
    if splits := split_entries(folder):
        names = ", ".join(str(entry) for entry in splits.values())
        raise DataError(f"has a split each in {names}; name one of them", folder)
    tables = [one for one in entries if one.is_file() and kind_of_name(one.name)]
    classes = [one for one in entries if one.is_dir()]
    if tables and classes:
        raise DataError(
            f"has both tables ({tables[0].name}) and folders ({classes[0].name}); name the tables "
            f"by a pattern, such as '{folder}/*{tables[0].suffix}'",
            folder,
        )
    if not tables and not classes:
        raise DataError(
            "no table in this folder; expected tables, a folder of texts for each class, or "
            "shards of 'kerasnlp-lab data shard'",
            folder,
        )
    found = read_parts(tables, read) if tables else _read_texts(classes, encoding)
    others = [one.name for one in entries if one.is_file() and one not in tables]
    columns, rows, note, files = found
    return columns, rows, "; ".join([note, *_not_read(others)]), files


def split_entries(folder: Path) -> dict[str, Path]:
    """Returns the tables or folders of a folder that are named after splits, by split.

    Returns:
        "train", and "validation" or "test"; empty if the folder has not both.

    Raises:
        DataError: A split has several.
    """
    found: dict[str, list[Path]] = {}
    for entry in _entries(folder):
        match = _SPLIT.match(entry.name)
        if match and (entry.is_dir() or kind_of_name(entry.name)):
            name = _SPLIT_NAMES.get(match[1].lower(), "validation")
            found.setdefault(name, []).append(entry)
    if "train" not in found or len(found) == 1:
        return {}
    for name, entries in found.items():
        if len(entries) > 1:
            raise DataError(
                f"has several tables to {name.replace('ation', 'ate')} on "
                f"({', '.join(one.name for one in entries[:_SHOWN_NAMES])}); name them by a "
                "pattern with --data, --validation-data and --test-data",
                folder,
            )
    return {name: entries[0] for name, entries in found.items()}


def _read_texts(classes: Sequence[Path], encoding: str | None) -> Parts:
    """Returns a table with a row for each file, whose class is the name of its folder."""
    skipped = [one for one in classes if one.name == _UNLABELLED]
    files = [file for folder in classes if folder not in skipped for file in _texts(folder)]

    def rows() -> Rows:
        for part, file in enumerate(files):
            raw = b"".join(line for _, line in numbered_lines(file))
            try:
                text = raw.decode(encoding or "utf-8")
            except UnicodeDecodeError:
                yield rejected_row(file, 1, INVALID, raw.decode("utf-8", "replace"))
            else:
                yield TableRow(1, {"text": text, "label": file.parent.name}, part)

    notes = [f"{len(files)} texts in a folder for each class"]
    notes += [f"{one.name} skipped: texts without a class" for one in skipped]
    return ["text", "label"], rows(), "; ".join(notes), tuple(map(str, files))


def _texts(folder: Path) -> list[Path]:
    files = _entries(folder)
    for file in files:
        if file.is_dir() or kind_of_name(file.name):
            kind = "a folder" if file.is_dir() else "a table"
            raise DataError(
                f"{kind} in a class's folder, where each file is a text; name tables by a "
                f"pattern, such as '{folder.parent}/*/*{file.suffix}'",
                file,
            )
    if not files:
        raise DataError("a class's folder without texts; remove it, or add texts", folder)
    return files


def _entries(folder: Path) -> list[Path]:
    """Returns what a folder holds, by name, without hidden files and those of Spark or Excel."""
    return sorted(one for one in folder.iterdir() if not one.name.startswith((".", "_", "~$")))


def _not_read(names: Sequence[str]) -> list[str]:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return [f"not read: {', '.join(names[:_SHOWN_NAMES])}{more}"] if names else []
