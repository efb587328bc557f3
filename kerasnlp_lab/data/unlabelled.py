"""`read_column` and `read_lines`: texts to classify, from a table or from lines."""

from __future__ import annotations

import codecs
import io
import lzma
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerasnlp_lab.data.columns import (
    LABEL_NAMES,
    TEXT_NAMES,
    Columns,
    choose_text_columns,
    row_text,
)
from kerasnlp_lab.data.pairs import shown_pair
from kerasnlp_lab.data.tables import RejectedRow, TableFormat, read_table
from kerasnlp_lab.data.tables.encoding import by_mark, check_encoding, find_encoding, is_binary
from kerasnlp_lab.data.tables.lines import numbered_lines, open_uncompressed
from kerasnlp_lab.errors import DataError, first_line
from kerasnlp_lab.paths import did_you_mean_path, is_pipe

__all__ = [
    "Unlabelled",
    "UnlabelledRow",
    "divided_lines",
    "looks_like_a_table",
    "read_column",
    "read_lines",
    "read_names",
]


class UnlabelledRow(NamedTuple):
    """A text, its line (in Parquet its row, from 1), and its row's cells by column.

    The file is named only where there are several.
    """

    text: str | bytes
    line: int = 0
    cells: Mapping[str, str] = {}
    file: str = ""

    @property
    def is_utf_8(self) -> bool:
        """Whether the text is read as it is; other bytes are read as U+FFFD."""
        if isinstance(self.text, bytes):
            try:
                self.text.decode()
            except UnicodeDecodeError:
                return False
        return True


Unlabelled = tuple[Iterator[UnlabelledRow | RejectedRow], str]
"""Rows, which are read as they are asked for, and a note on what was found."""


def read_column(
    path: Path,
    text_columns: Sequence[str],
    trained_on: Sequence[str],
    format: TableFormat,
    *,
    whole: bool = False,
    second_text_column: str = "",
) -> Unlabelled:
    """Reads the texts of a table that `read_table` reads, their columns joined by a space.

    Without `text_columns` they are those of `trained_on` if the table has them, or else chosen by
    name. `whole` keeps the white space at the ends of a single column's text, which the offsets of
    entities count. With a `second_text_column`, each text is a pair as `join_pair` makes it.
    Raises DataError if the table cannot be read, or the column is in doubt.
    """
    table = read_table(path, format)
    if not text_columns and set(trained_on) <= set(table.columns):
        text_columns = trained_on
    try:
        wanted = Columns(texts=tuple(text_columns), second=second_text_column)
        columns = choose_text_columns(path, table.columns, wanted)
    except DataError as error:
        advice = "--lines reads each line as a text"
        if second_text_column:
            advice = "name both columns: --text-column FIRST --second-text-column SECOND"
        raise DataError(f"{error.message}; {advice}", path) from error
    names = columns.of_texts

    def rows() -> Iterator[UnlabelledRow | RejectedRow]:
        for row in table.rows:
            if isinstance(row, RejectedRow):
                yield row
                continue
            file = table.files[row.part] if table.files else ""
            text, wrong = row_text(row, columns)
            if not wrong:
                text = str(row.cells[names[0]]) if whole and len(names) == 1 else text
                yield UnlabelledRow(text, row.line, row.cells, file)
            else:
                yield RejectedRow(file or str(path), row.line, wrong, shown_pair(text)[:200])

    kind = "pairs" if columns.second else "texts"
    place = f"the {kind} are in column{'s' if len(names) > 1 else ''} {' and '.join(names)}"
    return rows(), f"{table.note}\n{place}".strip()


def read_lines(path: Path | None, encoding: str | None = None, unit: str = "text") -> Unlabelled:
    """Reads each line of a file or a pipe as a text, in UTF-8 and uncompressed.

    A path of "-" or None is standard input. An encoding of None is found: by all bytes of a file,
    and by the byte order mark of a pipe. Bytes that are not UTF-8 stay as they are. Raises
    DataError, which calls a line a `unit`, if it is missing or binary, or cannot be read to its
    end.
    """
    if path is None or is_pipe(path):
        standard = path is None or str(path) == "-"
        return _lines(path, "standard input" if standard else str(path), encoding), ""
    if not path.is_file():
        problem, close = "is a folder", ""
        if not path.is_dir():
            problem, close = "no such file", did_you_mean_path(path)
        raise DataError(f"{problem}; expected a file with a {unit} on each line{close}", path)
    if encoding:
        check_encoding(path, encoding)
    found = encoding or find_encoding(path, slips=False)
    notes = [] if found in ("utf-8", encoding) else [f"encoding {found} (--encoding overrides it)"]
    if looks_like_a_table(path, found):
        notes.append("its first line names columns: say --text-column NAME, if it is a table")
    return _lines(path, str(path), found), "\n".join(notes)


def divided_lines(
    rows: Iterable[UnlabelledRow | RejectedRow], pair: tuple[str, str], path: str
) -> Iterator[UnlabelledRow | RejectedRow]:
    """Yields lines with a tab as pairs; others are bad rows."""
    for row in rows:
        if isinstance(row, RejectedRow):
            yield row
            continue
        text = row.text.encode() if isinstance(row.text, str) else row.text
        if (tabs := text.count(b"\t")) == 1:
            # What a text has of the separator becomes a space, as in a table.
            yield row._replace(text=text.replace(b"\x1f", b" ").replace(b"\t", b"\x1f"))
        else:
            reason = f"expected one tab, between {' and '.join(pair)}, got {tabs or 'none'}"
            yield RejectedRow(path, row.line, reason, text[:200].decode("utf-8", "replace"))


def read_names(path: Path) -> list[str]:
    """Returns the names in a file, one on each line; raises DataError for none, or one twice."""
    names = [
        row.text.decode("utf-8", "replace").strip()
        for row in read_lines(path, unit="name")[0]
        if isinstance(row, UnlabelledRow) and isinstance(row.text, bytes)
    ]
    while names and not names[-1]:
        names.pop()
    if not all(names):
        raise DataError("expected a name on each line, got none", path, names.index("") + 1)
    for line, name in enumerate(names, start=1):
        if (first := names.index(name) + 1) < line:
            raise DataError(f"the name {name!r} is in line {first} already", path, line)
    return names


def looks_like_a_table(path: Path, encoding: str) -> bool:
    """Returns whether the first line of a file has several cells, one named as texts often are."""
    first = next((raw for _, raw in numbered_lines(path, codecs.lookup(encoding).name)), b"")
    cells = re.split(r"[,;\t|]", first.decode("utf-8", "replace").strip())
    names = {cell.strip(" \"'").lower() for cell in cells}
    return len(cells) > 1 and bool(names & {*TEXT_NAMES, *LABEL_NAMES})


def _lines(path: Path | None, name: str, encoding: str | None) -> Iterator[UnlabelledRow]:
    standard = name == "standard input"
    try:
        with sys.stdin.buffer if standard or path is None else open_uncompressed(path) as stream:
            for line, text in enumerate(_decoded(stream, name, encoding), start=1):
                yield UnlabelledRow(text.rstrip(b"\r\n"), line)
    except (EOFError, OSError, UnicodeError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"cannot be read to its end ({first_line(error)})", name) from error


def _decoded(stream: Any, name: str, encoding: str | None) -> Iterator[bytes]:
    """Yields lines as UTF-8, without a byte order mark."""
    if not hasattr(stream, "peek"):
        stream = io.BufferedReader(stream)
    head = stream.peek(4)  # all that has come by now
    encoding = codecs.lookup(encoding or by_mark(head) or "utf-8").name
    if is_binary(head) and not encoding.startswith(("utf-16", "utf-32")):
        raise DataError(
            "is binary, expected a text on each line; give a table the ending of its format, "
            "and save texts as UTF-8",
            name,
        )
    if encoding == "utf-8":
        for index, line in enumerate(stream):
            yield line if index else line.removeprefix(codecs.BOM_UTF8)
    else:
        with io.TextIOWrapper(stream, encoding, errors="replace", newline="\n") as decoded:
            yield from (line.encode("utf-8", "replace") for line in decoded)
