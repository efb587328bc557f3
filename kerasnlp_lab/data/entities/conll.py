"""`read_conll`: texts of a file with a token and its tag on each line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from kerasnlp_lab.data.entities.rows import TokenRow
from kerasnlp_lab.data.entities.tokens import is_tag
from kerasnlp_lab.data.tables.encoding import check_encoding, find_encoding
from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.records import invalid
from kerasnlp_lab.data.tables.rows import RejectedRow, Table, rejected_row
from kerasnlp_lab.errors import DataError

__all__ = ["read_conll"]

_DOCUMENT = "-DOCSTART-"  # the token of a line between two documents
_SPACES = re.compile(r"[ \t]+")


class _Line(NamedTuple):
    number: int
    cells: list[str]
    content: str
    reason: str  # why it cannot be decoded, or ""


def read_conll(path: Path, encoding: str | None) -> Table:
    """Returns the texts of a file in the format of the CoNLL tasks.

    A line holds a token, perhaps other columns, and a tag, with tabs or spaces between them; a
    blank line or -DOCSTART- ends a text. A line that begins with # is a comment, unless it has as
    many columns as other lines and ends with a tag.

    Args:
        path: The file.
        encoding: Its encoding; None to find it.

    Raises:
        DataError: The file has no such lines, or another encoding.
    """
    if encoding:
        check_encoding(path, encoding)
    encoding = encoding or find_encoding(path)
    lines = list(_lines(path, encoding))
    plain = [line for line in lines if line.cells and not line.content.startswith("#")]
    columns = Counter(len(line.cells) for line in plain).most_common(1)
    if not columns:
        raise DataError("no rows; expected a token and its tag on each line", path)
    width = columns[0][0]
    tags = {line.cells[-1] for line in plain if len(line.cells) == width}
    if width == 1 or "O" not in tags:
        got = "one column" if width == 1 else f"no tag O in the last of {width} columns"
        raise DataError(
            "expected a token and its tag on each line, such as 'Oslo B-LOC' and 'is O', with a "
            f"blank line after each text; got {got}. If each text has one label, leave out "
            "--task entities",
            path,
            plain[0].number,
        )

    def is_comment(line: _Line) -> bool:
        if not line.content.startswith("#"):
            return False
        return len(line.cells) != width or not (line.cells[-1] in tags or is_tag(line.cells[-1]))

    skipped = sum(map(is_comment, lines))
    texts = list(_texts([line for line in lines if not is_comment(line)]))
    token = int(width > 2 and 2 * sum(map(_is_numbered, texts)) > len(texts))
    rows = (_row(path, text, width, token) for text in texts)
    note = [] if encoding == "utf-8" else [f"encoding {encoding}"]
    if width > 2:
        note.append(f"tokens are in column {token + 1} of {width}, tags in the last")
    if skipped:
        note.append(f"comments, which are skipped: {skipped:,} lines")
    return Table(["annotations"], rows, "; ".join(note))


def _lines(path: Path, encoding: str) -> Iterator[_Line]:
    """Yields the lines; those of white space alone have no cells."""
    texts = [
        (number, invalid(raw, encoding), raw.decode("utf-8", "replace").rstrip("\r\n"))
        for number, raw in numbered_lines(path, encoding)
    ]
    filled = [text for _, _, text in texts if text.strip()]
    tabs = 2 * sum("\t" in text for text in filled) > len(filled)
    for number, reason, text in texts:
        cells = text.rstrip().split("\t") if tabs else _SPACES.split(text.rstrip())
        yield _Line(number, [cell.strip() or cell for cell in cells if text.strip()], text, reason)


def _texts(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    text: list[_Line] = []
    for line in lines:
        if line.cells and line.cells[0] != _DOCUMENT:
            text.append(line)
        elif text:
            yield text
            text = []
    if text:
        yield text


def _is_numbered(text: Sequence[_Line]) -> bool:
    """Returns whether the first column counts tokens from 1, as in CoNLL-U."""
    return [line.cells[0] for line in text] == [str(n) for n in range(1, len(text) + 1)]


def _row(path: Path, text: Sequence[_Line], width: int, token: int) -> TokenRow | RejectedRow:
    for line in text:
        reason = line.reason
        if not reason and len(line.cells) != width:
            reason = f"expected {width} columns, got {len(line.cells)}"
        if reason:
            return rejected_row(path, line.number, reason, line.content)
    tokens = tuple(line.cells[token] for line in text)
    tags = tuple(line.cells[-1] for line in text)
    return TokenRow(text[0].number, {}, 0, tokens, tags, tuple(line.number for line in text))
