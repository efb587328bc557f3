"""Offsets of spans: in code points, or in the units of other programming languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from kerasnlp_lab.data.entities.rows import GivenSpan, SpanRow

__all__ = ["CODE_POINTS", "find_unit", "in_code_points", "other_unit"]

CODE_POINTS = "code points"
_SIZES: dict[str, Callable[[str], int]] = {
    CODE_POINTS: lambda character: 1,
    "UTF-16 units": lambda character: 1 + (character > "\uffff"),  # JavaScript and Java
    "bytes": lambda character: len(character.encode("utf-8")),
}


def in_code_points(text: str, span: GivenSpan, unit: str) -> tuple[int, int] | None:
    """Returns a span's start and end in code points; None if one cuts a character or the text."""
    if unit == CODE_POINTS or text.isascii():
        return span.start, span.end
    sizes = map(_SIZES[unit], text)
    places = {offset: place for place, offset in enumerate(accumulate(sizes, initial=0))}
    ends = places.get(span.start), places.get(span.end)
    return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])


def find_unit(rows: Sequence[SpanRow]) -> str:
    """Returns the unit of the offsets in some rows.

    It is another than code points only if the file proves it: more spans whose text is given have
    this text in the other unit than in code points.
    """
    given = [(row.text, span) for row in rows for span in row.spans if span.surface is not None]
    return max(_SIZES, key=lambda unit: sum(_fits(text, span, unit) for text, span in given))


def other_unit(text: str, span: GivenSpan) -> str:
    """Returns the unit other than code points in which a span has its given text, or ""."""
    units = (unit for unit in _SIZES if unit != CODE_POINTS and _fits(text, span, unit))
    return next(units, "")


def _fits(text: str, span: GivenSpan, unit: str) -> bool:
    ends = in_code_points(text, span, unit)
    return ends is not None and text[slice(*ends)] == span.surface
