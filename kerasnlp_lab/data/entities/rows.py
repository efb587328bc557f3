"""`TokenRow` and `SpanRow`: the rows of annotation files, as their readers return them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kerasnlp_lab.data.tables import TableRow

__all__ = ["GivenSpan", "SpanRow", "TokenRow"]


class GivenSpan(NamedTuple):
    """A span as a file has it: in the file's unit, perhaps with its part of the text."""

    start: int
    end: int
    label: str
    surface: str | None = None


@dataclass(frozen=True)
class TokenRow(TableRow):
    """A text as tokens, each with a tag and a line."""

    tokens: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class SpanRow(TableRow):
    """A text with spans."""

    text: str = ""
    spans: tuple[GivenSpan, ...] = ()
