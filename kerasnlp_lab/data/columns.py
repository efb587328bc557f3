"""Chooses a table's columns of texts and of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kerasnlp_lab.data.labels import wrong_value
from kerasnlp_lab.data.tables import TableRow
from kerasnlp_lab.display import listed
from kerasnlp_lab.errors import DataError, did_you_mean

__all__ = ["OnProblem", "choose_columns", "choose_text_columns", "joined_text", "wrong_cell"]

TEXT_NAMES = ("text", "message", "sms", "sentence", "content", "review", "comment", "tweet")
LABEL_NAMES = ("label", "class", "category", "target", "sentiment", "topic")
ANNOTATIONS = {"entities", "spans", "tokens", "ner_tags", "ner"}  # of entities in texts
ROW_WORDS = 4  # in the first line, so many words are a text rather than a name

OnProblem = Callable[[DataError], None]


def choose_columns(
    path: Path,
    columns: list[str],
    text_columns: Sequence[str],
    label_column: str | None,
    on_problem: OnProblem,
) -> tuple[tuple[str, ...], str]:
    """Returns the columns of texts and the column of labels, as asked for or by their names.

    Empty `text_columns` and a `label_column` of None are chosen by name; "" is no column of labels.
    If none is surely that of the labels, it is "", and `on_problem` is called with the error.
    Raises DataError if there is no such column, or none is surely that of the texts.
    """
    texts = choose_text_columns(path, columns, text_columns)
    if label_column == "":
        return texts, ""
    try:
        given = [label_column] if label_column else []
        (label,) = _choose(path, columns, given, LABEL_NAMES, "--label-column")
    except DataError as error:
        if label_column:
            raise
        on_problem(error)
        return texts, ""
    if label in texts:
        raise DataError(f"column {label!r} cannot be both text and label", path)
    return texts, label


def choose_text_columns(
    path: Path, columns: list[str], text_columns: Sequence[str]
) -> tuple[str, ...]:
    """Returns the columns of texts that are asked for, or the one whose name is unambiguous."""
    return _choose(path, columns, text_columns, TEXT_NAMES, "--text-column")


def _choose(
    path: Path, columns: list[str], given: Sequence[str], names: Sequence[str], option: str
) -> tuple[str, ...]:
    known, advice = ", ".join(columns), _no_header_advice(columns, option)
    for name in given:
        if name not in columns:
            close = did_you_mean(name, columns)
            raise DataError(f"no column {name!r}; there are {known}{close}{advice}", path)
    found = tuple(given) or tuple(name for name in columns if name.lower() in names)
    if not given and len(found) != 1:
        doubt = f"{' or '.join(found)}?" if found else "none has a name that tells."
        doubt = f"which column is it? {doubt} Say {option} NAME"
        if ANNOTATIONS & {*columns}:
            advice = ". If these are entities in texts, train and inspect with --task entities"
        raise DataError(f"{doubt}; there are {known}{advice}", path)
    return found


def joined_text(row: TableRow, text_columns: Sequence[str]) -> str:
    """Returns the cells of a row's columns of texts, joined by a space."""
    return " ".join(filter(None, (row.cells.get(name, "").strip() for name in text_columns)))


def _no_header_advice(columns: list[str], option: str) -> str:
    """Returns advice if the names of columns look like a row: numbers, or long texts."""
    numbers = [name for name in columns if name.isdecimal()]
    if numbers == [str(number) for number in range(1, len(columns) + 1)]:  # of --no-header
        return ""
    if not numbers and all(len(name.split()) < ROW_WORDS for name in columns):
        return ""
    return (
        ". The first line looks like a row and not like names: if it is one, say --no-header and "
        f"columns by number, as in {option} 1"
    )


def wrong_cell(row: TableRow, column: str, kind: str) -> str:
    """Returns why a cell holds no text or label; "" if it does, or is empty."""
    if column in row.cells or not column:
        return wrong_value(row.cells.get(column, ""), kind)
    # an object of nested JSON has a column for each of its keys
    inside = [name for name in row.cells if name.startswith(f"{column}.")]
    return f"the {kind} is an object, with {listed(inside, 3)}" if inside else ""
