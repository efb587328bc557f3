"""`UnlabelledFiles`: files of texts without labels, read whole to be learned from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasnlp_lab.data.labelled_rows import advice_on
from kerasnlp_lab.data.pairs import PAIR_SEPARATOR, is_pair
from kerasnlp_lab.data.tables import RejectedRow, TableFormat
from kerasnlp_lab.data.tables.kinds import kind_of_name
from kerasnlp_lab.data.tables.parts import files_of_pattern, is_pattern
from kerasnlp_lab.data.tables.records import invalid
from kerasnlp_lab.data.unlabelled import UnlabelledRow, divided_lines, read_column, read_lines
from kerasnlp_lab.display import first_few
from kerasnlp_lab.errors import DataError, RunError, check_option
from kerasnlp_lab.paths import did_you_mean_path, is_pipe, sha256_of, user_path

__all__ = ["UnlabelledFiles", "UnlabelledTexts"]


@dataclass(frozen=True, eq=False)
class UnlabelledTexts:
    """Texts without labels, in the order of their files.

    Args:
        texts: The texts; none is empty.
        files: The files, as messages call them.
        parts: The file of each text, as an index into `files`, int32 [texts].
        lines: The line of each text in its file, from 1, int32 [texts].
        sha256: The hash of each file by its absolute path; "" for a pipe.
        notes: What was found and decided, as lines for a terminal.
    """

    texts: list[str]
    files: tuple[str, ...]
    parts: np.ndarray
    lines: np.ndarray
    sha256: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UnlabelledFiles:
    """Files with texts without labels: a line of plain text, or a row of a table, is a text.

    Args:
        paths: Files, patterns and folders of files; "-" or another pipe.
        text_columns: The columns of a table's texts; empty for those of the labelled rows.
        second_text_column: The column of the second texts of pairs; "" for that of the labelled
            rows.
        format: How to read tables; its encoding is that of plain text too.
        skip_bad_rows: Whether to skip lines and rows that cannot be used.
    """

    paths: tuple[str, ...] = ()
    text_columns: tuple[str, ...] = ()
    second_text_column: str = ""
    format: TableFormat = TableFormat()
    skip_bad_rows: bool = False

    def __post_init__(self) -> None:
        for path in self.paths:
            check_option("unlabelled", path, path != "", "the name of a file or a folder")

    def to_json(self) -> dict[str, Any]:
        """Returns how the files are read, without their paths."""
        return {
            "text_columns": list(self.text_columns),
            "second_text_column": self.second_text_column,
            "format": self.format.to_json(),
            "skip_bad_rows": self.skip_bad_rows,
        }

    @classmethod
    def from_json(cls, paths: Sequence[str], described: Mapping[str, Any]) -> UnlabelledFiles:
        """Returns the files that were described, to read them again.

        Raises:
            RunError: Texts came from a pipe, which cannot be read again.
        """
        for path in filter(is_pipe, paths):
            raise RunError(
                f"unlabelled texts came from {path}, which cannot be read again: repeat the "
                "command with the same texts and the same --output, or distil with a file of them"
            )
        columns, format = tuple(described["text_columns"]), TableFormat(**described["format"])
        given = {**described, "text_columns": columns, "format": format}
        return cls(paths=tuple(paths), **given)

    def read(
        self, trained_on: Sequence[str] = (), pair: tuple[str, str] | None = None
    ) -> UnlabelledTexts:
        """Reads all files.

        Args:
            trained_on: The columns of the labelled rows' texts.
            pair: The names of the two texts, if texts are pairs.

        Raises:
            DataError: A file is missing, binary or in doubt, or a row cannot be used.
        """
        files = list(self._files())
        tables = any(kind_of_name(file.name) for file in files)
        found: list[tuple[str, int, int]] = []
        notes: dict[str, list[str]] = {}
        skipped: list[str] = []
        blank = 0
        for number, file in enumerate(files):
            table = bool(kind_of_name(file.name) or (self.text_columns and not tables))
            rows, note = self._rows(file, table, trained_on, pair)
            unit = "a pair, with a tab between its texts" if pair else "a text"
            for line in (note if table else f"each line is {unit}\n{note}").splitlines():
                notes.setdefault(line, []).append(str(file))
            for row in rows:
                text = row if isinstance(row, RejectedRow) else _text(row, file, pair)
                if isinstance(text, RejectedRow):
                    skipped.append(self._skipped(text))
                elif text:
                    found.append((text, number, row.line))
                else:
                    blank += 1
        shown = [f"{first_few(some, 3)}: {line}" for line, some in notes.items()]
        shown += [f"skipped: {first_few(skipped, 3, '; ')}"] if skipped else []
        shown += [f"blank lines, which are no texts: {blank:,}"] if blank else []
        if files and not found:
            raise DataError("; ".join(["found no texts", *shown]), first_few(self.paths, 3))
        places = np.array([place for _, *place in found], np.int32).reshape(-1, 2)
        return UnlabelledTexts(
            texts=[text for text, *_ in found],
            files=tuple(map(str, files)),
            parts=places[:, 0],
            lines=places[:, 1],
            sha256=dict(map(_hashed, files)),
            notes=tuple(shown),
        )

    def _skipped(self, row: RejectedRow) -> str:
        """Returns a line on a row that is skipped; raises DataError unless such rows are."""
        if not self.skip_bad_rows:
            raise DataError(f"{row.reason}; {advice_on(row.reason)}", row.path, row.line)
        return f"{row.path}, line {row.line}: {row.reason}"

    def _files(self) -> Iterator[Path]:
        """Yields each file once."""
        seen: set[str] = set()
        for path in map(user_path, self.paths):
            found = [path]
            if is_pattern(path):
                found = files_of_pattern(path)
            elif path.is_dir():
                found = [one for one in sorted(path.iterdir()) if one.is_file()]
                found = [one for one in found if not one.name.startswith((".", "~$"))]
                if not found:
                    raise DataError("a folder without files; expected files of texts", path)
            elif not is_pipe(path) and not path.exists():
                raise DataError(f"no such file{did_you_mean_path(path)}", path)
            for file in found:
                if (key := os.path.abspath(file)) not in seen:
                    seen.add(key)
                    yield file

    def _rows(
        self, file: Path, table: bool, trained_on: Sequence[str], pair: tuple[str, str] | None
    ) -> tuple[Iterator[UnlabelledRow | RejectedRow], str]:
        second = self.second_text_column or (pair[1] if pair else "")
        if second and not pair:
            raise DataError("the teacher reads single texts: leave out --second-text-column", file)
        if table:
            given = file, self.text_columns, trained_on, self.format
            return read_column(*given, second_text_column=second)
        rows, note = read_lines(file, self.format.encoding)
        return (divided_lines(rows, pair, str(file)) if pair else rows), note


def _text(row: UnlabelledRow, file: Path, pair: tuple[str, str] | None) -> str | RejectedRow:
    """Returns a row's text, "" for a blank line, or why it is none."""
    raw, reason = row.text, ""
    if isinstance(raw, bytes):
        reason = invalid(raw, "utf-8")
        raw = raw.decode("utf-8", "replace")
    text = PAIR_SEPARATOR.join(one.strip() for one in raw.split(PAIR_SEPARATOR))
    if pair and not is_pair(text):
        reason = f"{' or '.join(pair)} is empty"
    return RejectedRow(row.file or str(file), row.line, reason, text[:200]) if reason else text


def _hashed(file: Path) -> tuple[str, str]:
    """Returns the absolute path of a file and its hash; ("-", "") for a pipe."""
    return ("-", "") if is_pipe(file) else (os.path.abspath(file), sha256_of(file))
