"""Chooses a table's columns of texts and of labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kerasnlp_lab.data.inputs import as_class_names
from kerasnlp_lab.data.labels import wrong_value
from kerasnlp_lab.data.pairs import PAIR_SEPARATOR, join_pair
from kerasnlp_lab.data.tables import TableRow
from kerasnlp_lab.display import listed
from kerasnlp_lab.errors import DataError, check_option, did_you_mean

if TYPE_CHECKING:
    from kerasnlp_lab.data.dataset import Annotation

__all__ = [
    "Columns",
    "OnProblem",
    "choose_columns",
    "choose_text_columns",
    "joined_text",
    "row_text",
    "wrong_cell",
]

TEXT_NAMES = ("text", "message", "sms", "sentence", "content", "review", "comment", "tweet")
LABEL_NAMES = ("label", "class", "category", "target", "sentiment", "topic")
SOURCE_NAMES = (*TEXT_NAMES, "source", "input", "question")  # of texts with a target text
TARGET_NAMES = ("target", "target_text", "output", "answer", "translation", "summary")
SEVERAL_NAMES = (*LABEL_NAMES, "labels", "classes", "categories", "tags", "topics")
ANNOTATIONS = {"entities", "spans", "tokens", "ner_tags", "ner"}  # of entities in texts
ROW_WORDS = 4  # in the first line, so many words are a text rather than a name

OnProblem = Callable[[DataError], None]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a table that are read, and how its labels are written.

    Args:
        texts: The columns of texts, joined by a space; empty to choose by name.
        second: The column of the second text of each pair; "" if texts are no pairs.
        label: The column of labels; None to choose by name, "" for none.
        flags: The columns of 0 and 1, one for each label, in place of `label`; patterns with
            ``*`` or ``?`` stand for all columns that match.
        target: The column of target texts; "" to choose by name.
        annotation: "labels" for one label a text, "label_sets" for any number of them,
            "target_texts" for a target text.
        separator: What stands between the labels of a cell; None for a comma.
        names: The names of labels that are numbers, from 0; empty if labels are names.
    """

    texts: tuple[str, ...] = ()
    second: str = ""
    label: str | None = None
    flags: tuple[str, ...] = ()
    target: str = ""
    annotation: Annotation = "labels"
    separator: str | None = None
    names: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        text_columns: str | Sequence[str] = (),
        second_text_column: str = "",
        label_column: str | None = None,
        annotation: Annotation = "labels",
        label_columns: str | Sequence[str] = (),
        label_separator: str | None = None,
        number_names: Sequence[str] = (),
        target_column: str = "",
    ) -> Columns:
        """Returns the columns that `load_table` is asked for.

        Raises:
            OptionError: The arguments do not fit together.
        """
        several, generated = annotation == "label_sets", annotation == "target_texts"
        fits = generated or not target_column
        check_option("target_column", target_column, fits, "left out for texts with labels")
        if generated:
            labels = [label_column, label_columns, label_separator, number_names]
            given = next(filter(None, labels), None)
            fits = given is None
            check_option("a column of labels", given, fits, "left out for texts with a target text")
        fits = not label_columns or (several and not label_column)
        check_option("label_columns", label_columns, fits, "left out, or label_column is")
        if label_separator is not None:
            expected = "left out where texts have one label"
            fits = several and bool(label_separator) and '"' not in label_separator
            if several:
                expected = "a character or more, without a quotation mark"
            check_option("the separator of labels", label_separator, fits, expected)
        return cls(
            texts=_names(text_columns),
            second=second_text_column,
            label=label_column,
            flags=_names(label_columns),
            target=target_column,
            annotation=annotation,
            separator=label_separator,
            names=as_class_names(number_names),
        )

    def or_as_in(self, other: Columns) -> Columns:
        """Returns them with those of another table where none are named.

        One text with one label is found by the names of the columns, in every table.
        """
        pair, generated = bool(self.second or other.second), other.annotation == "target_texts"
        found = dataclasses.replace(
            self,
            texts=self.texts or (other.texts if pair or generated else ()),
            second=self.second or other.second,
            names=self.names or other.names,
        )
        if generated:
            target = self.target or other.target
            found = dataclasses.replace(found, annotation="target_texts", target=target)
        if other.annotation == "label_sets":
            if not self.of_labels:
                found = dataclasses.replace(found, label=other.label, flags=other.flags)
            separator = other.separator if self.separator is None else self.separator
            found = dataclasses.replace(found, annotation="label_sets", separator=separator)
        return found

    @cached_property
    def of_texts(self) -> tuple[str, ...]:
        """All columns of texts."""
        return (*self.texts, self.second) if self.second else self.texts

    @cached_property
    def of_labels(self) -> tuple[str, ...]:
        """All columns of labels; none if no column is certain."""
        return self.flags or ((self.label,) if self.label else ())

    @property
    def pair(self) -> tuple[str, str] | None:
        """The names of the first and the second text of a pair."""
        return (" and ".join(self.texts), self.second) if self.second else None


def _names(columns: str | Sequence[str]) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else tuple(columns)


def choose_columns(
    path: Path, columns: list[str], wanted: Columns, on_problem: OnProblem
) -> Columns:
    """Returns the columns that are asked for, or those whose names are unambiguous.

    If no column is surely that of the labels, `label` is "" and `on_problem` is called with the
    error. Raises DataError if there is no such column, or none is surely that of the texts.
    """
    found = choose_text_columns(path, columns, wanted)
    if wanted.annotation == "target_texts":
        given = [wanted.target] if wanted.target else []
        (target,) = _choose(path, columns, given, TARGET_NAMES, "--target-column")
        if target in found.of_texts:
            raise DataError(f"column {target!r} cannot be both text and target text", path)
        return dataclasses.replace(found, label="", target=target)
    if wanted.flags:
        found = dataclasses.replace(found, label="", flags=_flags(path, columns, wanted.flags))
    elif wanted.label != "":
        given = [wanted.label] if wanted.label else []
        names = LABEL_NAMES if wanted.annotation == "labels" else SEVERAL_NAMES
        label = ""
        try:
            (label,) = _choose(path, columns, given, names, "--label-column")
        except DataError as error:
            if wanted.label:
                raise
            on_problem(error)
        found = dataclasses.replace(found, label=label)
    for name in found.of_labels:
        if name in found.of_texts:
            raise DataError(f"column {name!r} cannot be both text and label", path)
    return found


def choose_text_columns(path: Path, columns: list[str], wanted: Columns) -> Columns:
    """Returns the columns with its texts chosen by name, unless they are asked for."""
    others = [name for name in columns if name != wanted.second]
    if wanted.second:
        _choose(path, columns, [wanted.second], (), "--second-text-column")
    if wanted.second in wanted.texts:
        raise DataError(f"column {wanted.second!r} cannot be both texts of a pair", path)
    names = SOURCE_NAMES if wanted.annotation == "target_texts" else TEXT_NAMES
    texts = _choose(path, columns if wanted.texts else others, wanted.texts, names, "--text-column")
    return dataclasses.replace(wanted, texts=texts)


def _flags(path: Path, columns: list[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns of 0 and 1 that names and patterns stand for, each once."""
    found: dict[str, None] = {}
    for name in wanted:
        matching = [one for one in columns if one == name or fnmatchcase(one, name)]
        if not matching and {*"*?["} & {*name}:
            known = ", ".join(columns)
            raise DataError(f"no column {name!r}, read as a pattern; there are {known}", path)
        if name in columns or not matching:
            matching = list(_choose(path, columns, [name], (), "--label-column"))
        found |= dict.fromkeys(matching)
    return tuple(found)


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
        wanted = option.removeprefix("--").removesuffix("-column").replace("-", " ")
        doubt = f"which column has the {wanted}s? {doubt} Say {option} NAME"
        if ANNOTATIONS & {*columns}:
            advice = ". If these are entities in texts, train and inspect with --task entities"
        raise DataError(f"{doubt}; there are {known}{advice}", path)
    return found


def joined_text(row: TableRow, text_columns: Sequence[str]) -> str:
    """Returns the cells of a row's columns of texts, joined by a space."""
    return " ".join(filter(None, (row.cells.get(name, "").strip() for name in text_columns)))


def row_text(row: TableRow, columns: Columns) -> tuple[str, str]:
    """Returns a row's text, or the pair of its texts as one string, and why it has none, or ""."""
    text = joined_text(row, columns.texts)
    for name in columns.of_texts:
        if wrong := wrong_cell(row, name, "text"):
            return text, wrong
    if not columns.second:
        return text, "" if text else f"no text in column {' or '.join(columns.texts)}"
    # a control character that a pair is joined by, and that no text needs
    first, second = (
        joined_text(row, names).replace(PAIR_SEPARATOR, " ").strip()
        for names in (columns.texts, (columns.second,))
    )
    empty = [] if first else [" or ".join(columns.texts)]
    empty += [] if second else [columns.second]
    return join_pair(first, second), f"no text in column {' and '.join(empty)}" if empty else ""


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
