"""Labels: cells of a table become classes, the same ones in every format.

pandas writes one column of labels as True (CSV), true (JSON) or a boolean (Parquet), and 0 as
0.0 where another row has no label. All of them are one class.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from kerasnlp_lab.display import listed

__all__ = [
    "ClassMatcher",
    "class_problem",
    "class_names",
    "in_order",
    "is_number",
    "label_text",
    "wrong_value",
]

SEVERAL_LABELS = "several labels a text are another task: say --task multi_label"
_MISSING = {"NA", "N/A", "n/a", "nan", "NaN", "null", "NULL", "None", "<NA>", "#N/A"}
_NUMBER = re.compile(r"[+-]?\d{1,300}(\.\d{1,300})?([eE][+-]?\d{1,3})?")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII
)


def label_text(cell: str) -> str:
    """Returns a cell as a label: a text as it is, another value as pandas' to_csv writes it."""
    value = getattr(cell, "value", None)
    if isinstance(value, bool | float):
        return str(value)
    return cell.strip()


def is_number(cell: str) -> bool:
    """Returns whether a cell was a number in its file, and no text."""
    value = getattr(cell, "value", None)
    return isinstance(value, int | float) and not isinstance(value, bool)


def wrong_value(cell: str, kind: str) -> str:
    """Returns why a cell holds none of a kind, "text" or "label"; "" if it does."""
    value = getattr(cell, "value", None)
    if not isinstance(value, list | tuple | dict):
        return ""
    name = "an object" if isinstance(value, dict) else "a list"
    advice = "join its parts into one text"
    if kind == "label":
        advice = f"one label is expected; {SEVERAL_LABELS}"
        if isinstance(value, list | tuple) and any(isinstance(one, list | dict) for one in value):
            advice = "if these are entities in the text, say --task entities"
    return f"the {kind} is {name} ({cell[:60]}): {advice}"


def class_names(labels: Collection[str], numbers: bool) -> tuple[dict[str, str], list[str]]:
    """Returns the class of each distinct label of a table, and what to tell people about it.

    Labels keep their text, unless all are numbers or all are dates as Python writes them: then
    equal ones are one class. If no number has a fraction, 1.0 becomes 1; if all are midnights,
    2024-01-05 00:00:00 and pandas' 1704412800000 in JSON become 2024-01-05. `numbers` says whether
    each was a number in its file, and no text.
    """
    named = _numbers(labels, numbers) or _dates(labels) or {label: label for label in labels}
    notes = []
    renamed = [f"{label} as {name}" for label, name in named.items() if label != name]
    if renamed:
        notes.append(f"labels are read by value: {listed(renamed, 3)}")
    lists = [label for label in labels if label.startswith("[") and label.endswith("]")]
    if lists and len(lists) == len(labels):
        notes.append(f"labels such as {lists[0]!r} are taken as names of classes; {SEVERAL_LABELS}")
    if missing := [label for label in labels if label in _MISSING]:
        found = listed(sorted(missing))
        notes.append(f"{found}: read as a class; if no label is meant, empty these cells")
    return named, notes


def _numbers(labels: Collection[str], typed: bool) -> dict[str, str]:
    found = {label: value for label in labels if (value := _number(label)) is not None}
    if len(found) < len(labels):
        return {}
    if all(value == value.to_integral_value() for value in found.values()):
        whole = {label: int(value) for label, value in found.items()}
        moments = {label: _since_1970(value) for label, value in whole.items()}
        if len(set(whole.values())) > 1 and all(map(_is_day, moments.values())):
            return {label: str(moment)[:10] for label, moment in moments.items()}
        return {label: str(value) for label, value in whole.items()}
    # a column of pandas has one type: 1 beside 1.5 is 1.0
    floats = {value: label for label, value in found.items() if not label.lstrip("-").isdecimal()}
    return {
        label: floats.get(value, f"{label}.0" if typed else label) for label, value in found.items()
    }


def _dates(labels: Collection[str]) -> dict[str, str]:
    found = {label: moment for label in labels if (moment := _moment(label)) is not None}
    if len(found) < len(labels):
        return {}
    days = all(map(_is_day, found.values()))
    return {label: str(one.date() if days else one) for label, one in found.items()}


def _number(label: str) -> Decimal | None:
    """Returns the number of a text that is as Python writes one: 01 and 1.10 are names."""
    if not label.isascii() or not _NUMBER.fullmatch(label):
        return None
    same = str(int(label)) if label.lstrip("-").isdecimal() else repr(float(label))
    return Decimal(label) if label == same else None


def _moment(label: str) -> datetime | None:
    """Returns a date and time; in UTC, without the zone, which pandas leaves out of JSON."""
    try:
        found = datetime.fromisoformat(label) if _MOMENT.fullmatch(label) else None
    except ValueError:
        return None
    return found.replace(tzinfo=None) if found and not found.utcoffset() else found


def _is_day(moment: datetime | None) -> bool:
    return moment is not None and moment.tzinfo is None and moment.time() == time()


def _since_1970(milliseconds: int) -> datetime | None:
    """Returns the moment that pandas' JSON counts so; None outside of the years 1 to 9999."""
    try:
        return datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def _values(label: str) -> Iterator[Any]:
    """Yields the values that a label may stand for."""
    if label in ("true", "True", "TRUE", "false", "False", "FALSE"):
        yield label.lower()
    number, moment = _number(label), _moment(label)
    if number is not None:
        yield number
        if number == number.to_integral_value():
            moment = _since_1970(int(number))
    if moment is not None:
        yield moment


class ClassMatcher:
    """Finds the class of a label: that of its own text, or else the only one of its value.

    "true" is "True", "0.0" is "0", and "2024-01-05T00:00:00" is "2024-01-05".
    """

    def __init__(self, classes: Collection[str], left_out: Collection[str] = ()):
        self.classes = sorted(classes)
        self.left_out = left_out
        self._found: dict[str, str | None] = {name: name for name in classes}
        self._of_value: dict[Any, set[str]] = {}
        for name in classes:
            for value in _values(name):
                self._of_value.setdefault(value, set()).add(name)

    def match(self, label: str) -> str | None:
        """Returns the class of a label; None for no class, or several."""
        if label not in self._found:
            names = {name for value in _values(label) for name in self._of_value.get(value, ())}
            self._found[label] = names.pop() if len(names) == 1 else None
        return self._found[label]

    def problem(self, label: str) -> str:
        """Returns why a label without a class has none."""
        if label in self.left_out:
            return f"class {label!r} was left out of training (--rare-classes drop)"
        return f"label {label!r} is none of {listed(self.classes)}"


def class_problem(
    column: str,
    names: Sequence[str],
    rows: int,
    most: int,
    named: bool,
    everywhere: bool = True,
) -> str:
    """Returns why a column of these classes is none of labels to train on; "" if it is one.

    There may be `most` classes, and fewer than half the `rows` unless the user `named` the column.
    `everywhere` says whether each row has a label.
    """
    doubt = "" if named else "; is it the column of the labels? If not, say --label-column NAME"
    if not names:
        return f"no row has a label in column {column}: there is nothing to learn{doubt}"
    if len(names) == 1 and everywhere:
        return f"every row has the label {names[0]!r}: there is nothing to learn"
    if len(names) > rows // 2 and not named:
        return f"column {column!r} has {len(names)} different values in {rows} rows{doubt}"
    if len(names) > most:
        limit = f"the limit is {most:,}; to train on all of them, say --max-classes {len(names)}"
        return f"column {column!r} has {len(names):,} classes, and {limit}{doubt}"
    return ""


def in_order(names: Collection[str]) -> tuple[str, ...]:
    """Returns classes by size if all are numbers, and else by alphabet."""
    if all(_NUMBER.fullmatch(name) for name in names):
        # '1' and '01' are two classes: equal numbers are in alphabetical order
        return tuple(sorted(names, key=lambda name: (Decimal(name), name)))
    return tuple(sorted(names))
