"""`Span`: an entity in a text, by its characters and its label."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from kerasnlp_lab.errors import DataError

__all__ = ["Span", "as_spans"]


class Span(NamedTuple):
    """A part of a text with a label.

    Attributes:
        start: Its first character, a code point counted from 0.
        end: The character after its last one.
        label: The type of the entity.
    """

    start: int
    end: int
    label: str


def as_spans(
    spans: Sequence[Iterable[Any]], texts: Sequence[str], where: Callable[[int], str]
) -> tuple[tuple[Span, ...], ...]:
    """Returns the spans of each text as a tuple of `Span`, after checking them.

    Args:
        spans: For each text its spans, (start, end, label), in the order of the text.
        texts: The texts.
        where: Returns the place of a row for messages.

    Raises:
        DataError: The number of rows differs, or a span lies outside of its text, is empty or white
            space alone, or overlaps or precedes the one before it.
    """
    if len(spans) != len(texts):
        raise DataError(f"expected the spans of each of {len(texts)} texts, got {len(spans)}")
    return tuple(
        _checked(of_text, text, where, row)
        for row, (of_text, text) in enumerate(zip(spans, texts, strict=True))
    )


def _checked(
    spans: Iterable[Any], text: str, where: Callable[[int], str], row: int
) -> tuple[Span, ...]:
    found: list[Span] = []
    for one in spans:
        try:
            start, end, label = one
            span = Span(operator.index(start), operator.index(end), label)
        except (TypeError, ValueError) as error:
            message = f"{where(row)}: expected a span (start, end, label), got {one!r}"
            raise DataError(message) from error
        if problem := _problem(span, text, found[-1:]):
            raise DataError(f"{where(row)}: the span {tuple(span)} {problem}")
        found.append(span)
    return tuple(found)


def _problem(span: Span, text: str, before: Sequence[Span]) -> str:
    """Returns what is wrong with a span that follows another one, or ""."""
    if not isinstance(span.label, str) or not span.label.strip():
        return "has no label"
    if not 0 <= span.start <= span.end <= len(text):
        return f"lies outside of its text of {len(text)} characters"
    if span.start == span.end:
        return "is empty"
    if not text[span.start : span.end].strip():
        return "is white space alone"
    if before and span.start < before[0].end:
        verb = "overlaps" if span.end > before[0].start else "precedes"
        return f"{verb} the span {tuple(before[0])}; spans are in the order of the text"
    return ""
