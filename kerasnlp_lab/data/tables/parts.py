"""`read_parts` and `read_folder`: several files as one table."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from kerasnlp_lab.data.tables.encoding import marked_encoding
from kerasnlp_lab.data.tables.kinds import kind_of, kind_of_name
from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.rows import INVALID, Rows, Table, TableRow, rejected_row
from kerasnlp_lab.display import first_few
from kerasnlp_lab.errors import DataError

__all__ = [
    "files_of_pattern",
    "is_hidden",
    "is_pattern",
    "read_folder",
    "read_parts",
    "split_entries",
]

Parts = tuple[list[str], Rows, str, tuple[str, ...]]  # columns, rows, note and files

_SPLIT = re.compile(r"(train|test|valid|val|dev)(ing|ation)?(?![a-z])", re.IGNORECASE)
_UNLABELLED = "unsup"  # the folder of IMDB's texts without a class


def is_pattern(path: Path) -> bool:
    """Returns whether a path has ``*``, ``?`` or ``[``, and is no file with such a name."""
    return glob.has_magic(str(path)) and not path.exists()


def is_hidden(name: str) -> bool:
    """Returns whether a file or a folder is hidden, or one of Spark or Excel that has no rows."""
    return name.startswith((".", "_", "~$"))


def files_of_pattern(pattern: Path) -> list[Path]:
    """Returns the files that match a pattern, by name; raises DataError if there are none."""
    matches = sorted(Path(one) for one in glob.glob(str(pattern), recursive=True))
    if files := [one for one in matches if one.is_file()]:
        return files
    found = "only folders match" if matches else "no file matches"
    raise DataError(f"{found} this pattern; expected tables", pattern)


def read_parts(files: Sequence[Path], read: Callable[[Path], Table]) -> Parts:
    """Returns a table in several files, one after the other; each is read twice.

    Raises DataError if one has other columns than the first. Objects of JSON may lack keys.
    """
    notes = {f"{len(files)} files": None}
    columns: list[str] = []
    for file in files:
        table = read(file)
        may_lack = kind_of(file, delimited=True) in ("json", "json_lines")
        if columns and not may_lack and set(table.columns) != set(columns):
            expected, got = ", ".join(columns), ", ".join(table.columns)
            raise DataError(f"expected the columns of {files[0]} ({expected}), got {got}", file)
        columns += [name for name in table.columns if name not in columns]
        notes |= {table.note: None} if table.note else {}

    def rows() -> Rows:
        for part, file in enumerate(files):
            for row in read(file).rows:
                yield replace(row, part=part) if isinstance(row, TableRow) else row

    return columns, rows(), "; ".join(notes), tuple(map(str, files))


def read_folder(
    folder: Path,
    read: Callable[[Path], Table],
    encoding: str | None,
    endings: Sequence[str] = (),
) -> Parts:
    """Returns the tables in a folder, or the texts in its folders, which are named after classes.

    Args:
        folder: The folder.
        read: Reads one table.
        encoding: The encoding of the texts, if it is known.
        endings: The endings of files that count as tables too; the folders are not read then.

    Raises:
        DataError: It has neither or both, a table for each split, or shards.
    """
    entries = _entries(folder)
    tables = [one for one in entries if one.is_file() and _is_table(one, endings)]
    classes = [one for one in entries if one.is_dir() and not endings]
    reason = ""
    if (folder / "shards.json").exists():
        reason = "expected tables, got shards of 'kerasnlp-lab data shard'"
    elif splits := split_entries(folder):
        reason = f"has a split each in {', '.join(map(str, splits.values()))}; name one of them"
    elif tables and classes:
        reason = (
            f"has both tables ({tables[0].name}) and folders ({classes[0].name}); name the tables "
            f"by a pattern, such as '{folder}/*{tables[0].suffix}'"
        )
    elif not tables and not classes:
        reason = (
            "no table in this folder; expected tables, a folder of texts for each class, or "
            "shards of 'kerasnlp-lab data shard'"
        )
    if reason:
        raise DataError(reason, folder)
    found = read_parts(tables, read) if tables else _read_texts(classes, encoding)
    columns, rows, note, files = found
    if others := [one.name for one in entries if one not in (*tables, *classes)]:
        note += f"; not read: {first_few(others, 5)}"
    return columns, rows, note, files


def split_entries(folder: Path, endings: Sequence[str] = ()) -> dict[str, Path]:
    """Returns the tables or folders that are named after splits, if "train" is one of several.

    Args:
        folder: The folder.
        endings: The endings of files that count as tables too.

    Raises:
        DataError: A split has several.
    """
    found: dict[str, list[Path]] = {}
    for entry in _entries(folder):
        match = _SPLIT.match(entry.name)
        if match and (entry.is_dir() or _is_table(entry, endings)):
            split = {"train": "train", "test": "test"}.get(match[1].lower(), "validation")
            found.setdefault(split, []).append(entry)
    if "train" not in found or len(found) == 1:
        return {}
    for first, *more in found.values():
        if more:
            raise DataError(
                f"has several tables of one split ({first.name}, {more[0].name}); name those of "
                "each by a pattern, with --data, --validation-data and --test-data",
                folder,
            )
    return {split: entries[0] for split, entries in found.items()}


def _is_table(file: Path, endings: Sequence[str]) -> bool:
    return bool(kind_of_name(file.name)) or file.name.endswith(tuple(endings))


def _read_texts(classes: Sequence[Path], encoding: str | None) -> Parts:
    """Returns a table with a row for each file, whose class is the name of its folder."""
    labelled = [one for one in classes if one.name != _UNLABELLED]
    files = [file for folder in labelled for file in _texts(folder)]

    def rows() -> Rows:
        for part, file in enumerate(files):
            lines = numbered_lines(file, encoding or marked_encoding(file) or "utf-8")
            raw = b"".join(line for _, line in lines)
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                yield rejected_row(file, 1, INVALID, raw.decode("utf-8", "replace"))
            else:
                yield TableRow(1, {"text": text, "label": file.parent.name}, part)

    note = f"{len(files)} texts in a folder for each class"
    if labelled != classes:
        note += f"; {_UNLABELLED} skipped: texts without a class"
    return ["text", "label"], rows(), note, tuple(map(str, files))


def _texts(folder: Path) -> list[Path]:
    files = _entries(folder)
    if not files:
        raise DataError("a class's folder without texts; remove it, or add texts", folder)
    for file in files:
        if file.is_dir() or kind_of_name(file.name):
            raise DataError(
                f"{'a folder' if file.is_dir() else 'a table'} in a class's folder, where each "
                f"file is a text; name tables by a pattern, such as '{folder.parent}/*/*"
                f"{file.suffix}'",
                file,
            )
    return files


def _entries(folder: Path) -> list[Path]:
    """Returns what a folder holds, by name, without hidden files and those of Spark or Excel."""
    return sorted(one for one in folder.iterdir() if not is_hidden(one.name))
