"""`CorpusSource`: which files hold the texts to pre-train on, and how to read them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kerasnlp_lab.data.tables.table_format import TableFormat
from kerasnlp_lab.errors import OptionError, RunError, check_option
from kerasnlp_lab.paths import is_pipe, user_path

__all__ = ["CorpusSource", "Lines"]

Lines = Literal["auto", "sentences", "documents"]


@dataclass(frozen=True, kw_only=True)
class CorpusSource:
    """Files with texts to pre-train on. Their order is that of the documents.

    Args:
        paths: Files of plain text, tables, zip archives, folders of these (with their
            folders), patterns, shards of 'kerasnlp-lab data shard'; "-" or another pipe.
        lines: What a line of plain text is: "sentences", with blank lines between documents;
            "documents"; "auto" to decide for each file by its blank lines.
        text_columns: The columns of a table's texts, joined by a space; empty to choose by name.
        format: How to read tables; its encoding is that of plain text too.
        language: The language whose rules cut documents into sentences, by its ISO 639 code.
        skip_bad_rows: Whether to skip lines and rows that cannot be read.

    Raises:
        OptionError: One of them cannot be used.
    """

    paths: tuple[str, ...]
    lines: Lines = "auto"
    text_columns: tuple[str, ...] = ()
    format: TableFormat = TableFormat()
    language: str = "en"
    skip_bad_rows: bool = False

    def __post_init__(self) -> None:
        if not self.paths:
            raise OptionError("no texts to pre-train on: name a file, a folder or a pattern")
        kinds = ("auto", "sentences", "documents")
        check_option("lines", self.lines, self.lines in kinds, "auto, sentences or documents")
        code = re.fullmatch("[a-z]{2,3}", self.language)
        check_option("language", self.language, bool(code), "an ISO 639 code, such as en or de")

    def to_json(self) -> dict[str, Any]:
        """Returns what config.json says about it: "files" as given, and their absolute "paths"."""
        return asdict(self) | {
            "files": list(self.paths),
            "paths": [
                "-" if is_pipe(path) else os.path.abspath(user_path(path)) for path in self.paths
            ],
            "text_columns": list(self.text_columns),
            "format": self.format.to_json(),
        }

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> CorpusSource:
        """Returns the source that `to_json` described.

        Files that were moved together with the current folder are found in it.

        Raises:
            RunError: Texts came from a pipe, which cannot be read again.
        """
        fields = dict(described)
        paths = []
        for file, path in zip(fields.pop("files"), fields["paths"], strict=True):
            if path == "-":
                name = "standard input" if file == "-" else file
                raise RunError(
                    f"the texts came from {name}, which cannot be read again: repeat the command "
                    "with the same texts and the same --output, or pre-train on a file of them"
                )
            moved = not os.path.exists(path) and os.path.exists(file)
            paths.append(os.path.abspath(file) if moved else path)
        fields |= {
            "paths": tuple(paths),
            "text_columns": tuple(fields["text_columns"]),
            "format": TableFormat(**fields["format"]),
        }
        return cls(**fields)
