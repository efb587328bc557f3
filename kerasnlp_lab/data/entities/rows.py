"""`TokenRow` and `SpanRow`: what readers of annotation files return for a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kerasnlp_lab.data.tables import TableRow

__all__ = ["GivenSpan", "SpanRow", "TokenRow"]


class GivenSpan(NamedTuple):
    """A span as a file has it.

    Args:
        start: Its start, in the file's unit.
        end: Its end, in the same unit.
        label: Its label.
        surface: Its part of the text, where the file has it.
    """

    start: int
    end: int
    label: str
    surface: str | None = None


@dataclass(frozen=True)
class TokenRow(TableRow):
    """A text as tokens with tags.

    Args:
        tokens: The tokens.
        tags: The tag of each.
        lines: The line of each.
    """

    tokens: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class SpanRow(TableRow):
    """A text with spans.

    Args:
        text: The text.
        spans: Its spans.
    """

    text: str = ""
    spans: tuple[GivenSpan, ...] = ()
