"""`read_labels`: the labels of a row, from a cell with one or several, or from columns of 0 and 1.

A list of labels is a list in JSON or Parquet, the text of one as JSON, Python or NumPy writes it
(pandas' to_csv does), or names with a separator between, quoted as in CSV.
"""

from __future__ import annotations

import ast
import json
import re
from functools import lru_cache
from typing import Any, NamedTuple

from kerasnlp_lab.data.columns import Columns, wrong_cell
from kerasnlp_lab.data.labels import is_number, label_text
from kerasnlp_lab.data.tables import TableRow
from kerasnlp_lab.data.tables.rows import as_text

__all__ = ["LabelCell", "joined_labels", "read_labels"]

_YES, _NO = {"1", "true", "yes"}, {"", "0", "false", "no"}
_STRING = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_ITEM = rf"(?:{_STRING}|[+-]?\d+(?:\.\d+)?)"
# NumPy writes no commas; adjacent texts would be one text to Python
_BETWEEN = r"(?:\s*+,\s*+|\s++|(?=\s*+[\])}]))"  # possessive, so that it takes linear time
_LIST = re.compile(rf"[\[({{]\s*+(?:{_ITEM}{_BETWEEN})*+\s*+[\])}}]", re.DOTALL)
_HALF_LIST = re.compile(r"[\[({]\s*['\"].*|\[[^\]]*|[^\[]*\]", re.DOTALL)  # as a list, but none
_NO_NAME = re.compile(r"(?:^\[|,)\s*(null|None|nan|NaN)\s*(?=[,\]])")
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"', re.DOTALL)


class LabelCell(NamedTuple):
    """The labels of a row.

    Args:
        labels: The labels, each once; one, perhaps "", where texts have one label each; or the
            target text.
        numbers: Whether each was a number in its file, and no text.
        wrong: Why they cannot be read; "" if they can.
        is_list: Whether the cell was a list, or the text of one in brackets.
    """

    labels: tuple[str, ...] = ()
    numbers: bool = False
    wrong: str = ""
    is_list: bool = False


def read_labels(row: TableRow, columns: Columns) -> LabelCell:
    """Returns the labels of a row."""
    if columns.annotation == "target_texts":
        return _target(row, columns.target)
    if columns.flags:
        return _flags(row, columns.flags)
    name = columns.label or ""
    cell = row.cells.get(name, "")
    if columns.annotation == "labels":
        wrong = wrong_cell(row, name, "label")
        found = LabelCell((label_text(cell),), is_number(cell), wrong)
    else:
        found = _several(row, name, cell, columns.separator)
    if not columns.names or found.wrong or found.labels == ("",):
        return found
    named = tuple(_named(label, columns.names) for label in found.labels)
    if "" in named:
        unknown = found.labels[named.index("")]
        most = len(columns.names) - 1
        return LabelCell(wrong=f"label {unknown!r} has no name: expected a number from 0 to {most}")
    return found._replace(labels=tuple(dict.fromkeys(named)), numbers=False)


def _target(row: TableRow, name: str) -> LabelCell:
    """Returns a target text in the place of a label."""
    target = row.cells.get(name, "").strip()
    wrong = wrong_cell(row, name, "target text") or ("" if target else f"no text in column {name}")
    return LabelCell((target,), wrong=wrong)


def joined_labels(labels: tuple[str, ...]) -> str:
    """Returns labels as one cell that `read_labels` reads back, quoted where that is needed."""
    return ",".join(
        '"' + label.replace('"', '""') + '"'
        if "," in label or label[:1] in ('"', "[", "(", "{") or label[-1:] == "]"
        else label
        for label in labels
    )


def _flags(row: TableRow, columns: tuple[str, ...]) -> LabelCell:
    found = []
    for name in columns:
        value = row.cells.get(name, "")
        word = label_text(value).lower().removesuffix(".0")
        if word not in _YES | _NO:
            expected = "expected 0 or 1 (or false or true, no or yes, or an empty cell)"
            return LabelCell(wrong=f"column {name} has {value[:60]!r}: {expected}")
        found += [name] if word in _YES else []
    return LabelCell(tuple(found))


def _several(row: TableRow, name: str, cell: str, separator: str | None) -> LabelCell:
    value = getattr(cell, "value", None)
    if isinstance(value, dict):
        return LabelCell(wrong=f"the labels are an object ({cell[:60]}): expected a list of names")
    if name and name not in row.cells:
        wrong = wrong_cell(row, name, "label")
        return LabelCell(
            wrong=wrong and f"{wrong}; if all are 0 or 1, say --label-column '{name}.*'"
        )
    if isinstance(value, list):
        return _of_list(value)
    if isinstance(value, tuple):  # of a line of fastText
        return LabelCell(tuple(dict.fromkeys(value)))
    if value is not None:
        return LabelCell((label_text(cell),), is_number(cell))
    return _of_text(cell.strip(), separator)


def _of_list(values: list[Any]) -> LabelCell:
    """Returns the labels of a list in JSON or Parquet."""
    shown = json.dumps(values, ensure_ascii=False, default=str)
    cells = [as_text(value) for value in values]
    if any(isinstance(value, list | tuple | dict) for value in values):
        return LabelCell(wrong=f"the labels are {shown[:60]}: expected a list of names")
    if not all(map(label_text, cells)):
        return LabelCell(wrong=_with_empty(shown))
    labels = tuple(dict.fromkeys(map(label_text, cells)))
    return LabelCell(labels, all(map(is_number, cells)), is_list=True)


def _with_empty(shown: str) -> str:
    advice = "take it out; [] is a text without labels"
    return f"the labels are {shown[:60]}: one of them is empty: {advice}"


@lru_cache(65_536)
def _of_text(cell: str, separator: str | None) -> LabelCell:
    """Returns the labels of a cell that is a text."""
    if separator is None and cell[:1] in ("[", "(", "{") and cell[-1:] in ("]", ")", "}"):
        if _LIST.fullmatch(cell):
            labels = [_literal(item).strip() for item in re.findall(_ITEM, cell)]
            wrong = "" if all(labels) else _with_empty(cell)
            return LabelCell(tuple(dict.fromkeys(labels)), wrong=wrong, is_list=True)
        if no_name := _NO_NAME.search(cell):
            advice = f"take {no_name[1]} out, or quote it if it is a name"
            return LabelCell(wrong=f"the labels {cell[:60]!r} look like a list: {advice}")
        if cell[0] == "[" and any(mark in cell for mark in ",'\""):
            advice = 'quote its names, as in ["a", "b"], or say --label-separator ,'
            return LabelCell(wrong=f"the labels {cell[:60]!r} look like a list: {advice}")
    if separator is None and _HALF_LIST.fullmatch(cell):
        what = "an object" if cell[0] == "{" else "a list with a mistake in it"
        advice = (
            'expected names, as in ["a", "b"] or a,b; if they are names, say --label-separator ,'
        )
        return LabelCell(wrong=f"the labels {cell[:60]!r} look like {what}: {advice}")
    found = _split(cell, separator or ",")
    if found is None:
        advice = 'close it, as in "a, b",c, or double it where it is part of a name'
        return LabelCell(wrong=f"the labels {cell[:60]!r} have an open quotation mark: {advice}")
    return LabelCell(tuple(dict.fromkeys(filter(None, found))))


def _split(cell: str, separator: str) -> list[str] | None:
    """Returns the names between separators, without quotation marks; None if one is left open."""
    found, start = list[str](), 0
    while True:
        if quoted := _QUOTED.match(cell, start):
            found.append(quoted[1].replace('""', '"').strip())
            end = quoted.end()
            while cell[end : end + 1].isspace() and not cell.startswith(separator, end):
                end += 1
            if end < len(cell) and not cell.startswith(separator, end):
                return None
        else:
            end = cell.find(separator, start)
            end = len(cell) if end < 0 else end
            found.append(cell[start:end].strip())
            if found[-1].startswith('"'):
                return None
        if end >= len(cell):
            return found
        start = end + len(separator)


def _literal(item: str) -> str:
    """Returns what an item of a list in JSON, Python or NumPy stands for."""
    if item[0] == '"':
        try:
            return str(json.loads(item, strict=False))
        except ValueError:  # Python's escapes
            pass
    return item if item[0] not in "'\"" else str(ast.literal_eval(item))


def _named(label: str, names: tuple[str, ...]) -> str:
    """Returns the name of a label that is a number or a name; "" if it is neither."""
    number = label.removesuffix(".0")
    if number.isdecimal() and int(number) < len(names):
        return names[int(number)]
    return label if label in names else ""
