"""`CorpusSource`: which files hold the texts to pre-train on, and how to read them."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
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
        folder: The folder that relative paths start from.

    Raises:
        OptionError: One of them cannot be used.
    """

    paths: tuple[str, ...]
    lines: Lines = "auto"
    text_columns: tuple[str, ...] = ()
    format: TableFormat = TableFormat()
    language: str = "en"
    skip_bad_rows: bool = False
    folder: str = field(default_factory=os.getcwd)

    def __post_init__(self) -> None:
        if not self.paths:
            raise OptionError("no texts to pre-train on: name a file, a folder or a pattern")
        kinds = ("auto", "sentences", "documents")
        check_option("--lines", self.lines, self.lines in kinds, "auto, sentences or documents")
        code = re.fullmatch("[a-z]{2,3}", self.language)
        check_option("--language", self.language, bool(code), "an ISO 639 code, such as en or de")

    def place(self, given: str) -> Path:
        """Returns where a path leads: from `folder` if it is there, or else from the current one.

        So a run is resumed from any folder, and also after it moved together with its texts.
        """
        path = user_path(given)
        there = Path(self.folder, path)
        if self.folder != os.getcwd() and (there.exists() or glob.glob(str(there))):
            return there
        return path

    def to_json(self) -> dict[str, Any]:
        """Returns what config.json says about it."""
        lists = {"paths": list(self.paths), "text_columns": list(self.text_columns)}
        return asdict(self) | lists | {"format": self.format.to_json()}

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> CorpusSource:
        """Returns the source that `to_json` described, to read it again.

        Raises:
            RunError: Texts came from a pipe, which cannot be read again.
        """
        for path in filter(is_pipe, described["paths"]):
            name = "standard input" if path == "-" else path
            raise RunError(
                f"the texts came from {name}, which cannot be read again: repeat the command with "
                "the same texts and the same --output, or pre-train on a file of them"
            )
        tuples = {name: tuple(described[name]) for name in ("paths", "text_columns")}
        return cls(**{**described, **tuples, "format": TableFormat(**described["format"])})
