"""`TableFormat`: how to read a table, where a user says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["TableFormat"]


@dataclass(frozen=True)
class TableFormat:
    """How to read a table. None leaves it to what the file shows.

    Args:
        delimiter: The character between cells.
        encoding: The encoding of the text, by a name that Python knows.
        quoting: "quoted": quotation marks enclose cells; "none": they are text.
        header: Whether the first row names the columns. If not, they are numbered from 1.
    """

    delimiter: str | None = None
    encoding: str | None = None
    quoting: str | None = None
    header: bool = True

    def to_json(self) -> dict[str, Any]:
        """Returns the fields that differ from their defaults."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value != getattr(TableFormat(), name)
        }

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> TableFormat:
        """Returns what `to_json` described."""
        return cls(**described)
