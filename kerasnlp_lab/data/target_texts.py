"""`as_target_texts`: the texts that are to be written, one for each text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kerasnlp_lab.data.inputs import as_strings
from kerasnlp_lab.errors import DataError

__all__ = ["as_target_texts"]


def as_target_texts(
    target_texts: Iterable[Any], rows: int, where: Callable[[int], str]
) -> tuple[str, ...]:
    """Returns target texts as plain strings, every character as it was.

    Args:
        target_texts: A target text for each text.
        rows: The number of texts.
        where: Returns the place of a row for messages.

    Raises:
        DataError: The number of rows differs, or a target text is missing, empty or no string.
    """
    found = tuple(as_strings(target_texts))
    if len(found) != rows:
        raise DataError(f"expected a target text for each of {rows} texts, got {len(found)}")
    for row, target in enumerate(found):
        if not target.strip():
            raise DataError(f"{where(row)} has no target text; write one, or remove the row")
    return found
