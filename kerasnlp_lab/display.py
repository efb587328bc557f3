"""`shown_names`: class names, which may be any string, in one short printable line each."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence

from rich.cells import cell_len

__all__ = ["LONGEST", "duration", "first_few", "listed", "printable", "shortened", "shown_names"]

LONGEST = 40  # cells of a terminal; a Chinese character takes two
# Persian and Indian scripts cannot be written without these two invisible characters.
JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """Returns a text with control and invisible characters escaped as in Python."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in JOINERS else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def shortened(text: str, cells: int = LONGEST) -> str:
    """Returns a text of at most so many terminal cells: start and end, with an ellipsis between."""
    head, tail = text, ""
    if cell_len(text) > cells:
        head, tail = text[:cells], text[-cells:]
        while cell_len(tail) > cells // 3 or unicodedata.combining(tail[0]):
            tail = tail[1:]
        while cell_len(head) + 1 + cell_len(tail) > cells:
            head = head[:-1]
        head += "…"
    return head + tail


def shown_names(names: Sequence[str], cells: int = LONGEST) -> list[str]:
    """Returns class names as tables and figures show them; data always has the whole names.

    Args:
        names: The names, in the order of their label ids.
        cells: The most cells of a terminal for one of them.

    Returns:
        Each name in one line: shortened, with control characters escaped, and in quotation
        marks if spaces are around it. Names that would look the same start with their number.

    Example:
        >>> shown_names(["spam", " spam", "a\\nb"])
        ['spam', "' spam'", 'a\\\\nb']
    """
    quoted = [repr(name) if name != name.strip() or not name else name for name in names]
    shown = [shortened(printable(name), cells) for name in quoted]
    count = Counter(shown)
    return [name if count[name] == 1 else f"#{number} {name}" for number, name in enumerate(shown)]


def listed(names: Collection[str], most: int = 12) -> str:
    """Returns class names for a message, separated by commas; of many, the first and how many."""
    every = list(names)
    return first_few(shown_names(every[:most]) + every[most:], most)


def first_few(items: Sequence[str], most: int, separator: str = ", ") -> str:
    """Returns the first of some items, and how many more there are."""
    more = [f"and {len(items) - most:,} more"] if len(items) > most else []
    return separator.join([*items[:most], *more])


def duration(seconds: float) -> str:
    """Returns a time in the unit that fits: "40 s", "12 min", "3 h 5 min", "4 days".

    Example:
        >>> duration(39.6), duration(700), duration(11100), duration(4e5)
        ('40 s', '12 min', '3 h 5 min', '5 days')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes / 1440:,.0f} days"
