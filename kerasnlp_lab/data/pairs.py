"""`join_pair`: a pair of texts as one string, the form in which datasets and models keep it."""

from __future__ import annotations

from kerasnlp_lab.errors import DataError

__all__ = ["PAIR_SEPARATOR", "is_pair", "join_pair", "shown_pair", "split_pair"]

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


def shown_pair(text: str) -> str:
    """Returns a pair of texts as people see it, with a bar between; another text as it is."""
    return text.replace(PAIR_SEPARATOR, " | ")
