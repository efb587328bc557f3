"""`join_pair`: a pair of texts as one string, the form in which datasets and models keep it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from reprlib import repr as short
from typing import Any

from kerasnlp_lab.data.inputs import iter_items, one_text
from kerasnlp_lab.errors import DataError

__all__ = [
    "PAIR_SEPARATOR",
    "are_pairs",
    "check_pairs",
    "is_pair",
    "iter_pairs",
    "join_pair",
    "shown_pair",
    "split_pair",
    "text_fields",
]

PAIR_SEPARATOR = "\x1f"
"""The unit separator, a control character that texts of people do not have."""


def join_pair(first: str, second: str) -> str:
    """Returns a pair of texts as one string.

    Raises:
        DataError: A text has a `PAIR_SEPARATOR` of its own.

    Example:
        >>> split_pair(join_pair("A man sleeps.", "He is awake."))
        ('A man sleeps.', 'He is awake.')
    """
    for text in (first, second):
        if PAIR_SEPARATOR in text:
            raise DataError("a text of a pair has the control character U+001F; remove it")
    return f"{first}{PAIR_SEPARATOR}{second}"


def split_pair(text: str) -> tuple[str, str]:
    """Returns the two texts of a pair; the second is "" if the string is no pair."""
    first, _, second = text.partition(PAIR_SEPARATOR)
    return first, second


def is_pair(text: str) -> bool:
    """Returns whether a string is a pair of texts, neither of them blank."""
    first, second = split_pair(text)
    return bool(first.strip() and second.strip()) and PAIR_SEPARATOR not in second


def are_pairs(texts: Iterable[str]) -> bool:
    """Returns whether all texts are pairs; False if there are none."""
    rest = iter(texts)
    first = next(rest, "")
    return all(map(is_pair, chain([first], rest)))


def shown_pair(text: str) -> str:
    """Returns a pair of texts as people see it, with a bar between; another text as it is."""
    return text.replace(PAIR_SEPARATOR, " | ")


def text_fields(text: str, pair: bool) -> dict[str, str]:
    """Returns a text as ``text``, or a pair as ``text`` and ``second_text``, by name."""
    names = ("text", "second_text")
    return dict(zip(names, split_pair(text) if pair else (text,), strict=False))


def check_pairs(texts: Iterable[str | bytes], names: tuple[str, str]) -> None:
    """Checks that every text is a pair; one side may be blank.

    Raises:
        DataError: A text is none.
    """
    for row, text in enumerate(texts):
        found = PAIR_SEPARATOR in text if isinstance(text, str) else b"\x1f" in text
        if not found:
            raise _no_pair(text, row, names)


def iter_pairs(pairs: Iterable[Any], names: tuple[str, str]) -> Iterator[str]:
    """Returns an iterator that reads each pair when it is needed, as a string of `join_pair`.

    Args:
        pairs: For each text a tuple or list of two strings, or a string of `join_pair`. Bytes that
            are not UTF-8 become U+FFFD, and a `PAIR_SEPARATOR` within a text becomes a space.
        names: The names of the two texts, for messages.

    Raises:
        DataError: At once if this is no sequence; at its turn for a pair that is none.
    """
    return (_joined(item, row, names) for row, item in enumerate(iter_items(pairs, "pairs")))


def _joined(item: Any, row: int, names: tuple[str, str]) -> str:
    if isinstance(item, (str, bytes)):
        check_pairs([item], names)
        sides = split_pair(_decoded(item))
    elif isinstance(item, (tuple, list)) and len(item) == 2:
        sides = _decoded(one_text(item[0], row)), _decoded(one_text(item[1], row))
    else:
        raise _no_pair(item, row, names)
    return join_pair(*(side.replace(PAIR_SEPARATOR, " ") for side in sides))


def _decoded(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _no_pair(found: Any, row: int, names: tuple[str, str]) -> DataError:
    first, second = names
    return DataError(
        f"row {row} must be a pair of {first} and {second}, got {short(found)}; give both texts"
    )
