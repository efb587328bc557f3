"""Texts, label ids and class names, from everything that people pass for them.

Lists, tuples, generators, NumPy arrays, columns of pandas, polars and Arrow, and TensorFlow's
strings all work, and none of these libraries is imported. Errors count rows from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from reprlib import repr as short
from typing import Any

import numpy as np

from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.sharded_split import ShardedTexts
from kerasnlp_lab.errors import DataError

__all__ = [
    "as_class_names",
    "as_label_ids",
    "as_strings",
    "as_texts",
    "iter_items",
    "iter_texts",
    "one_text",
]


def iter_texts(texts: Iterable[Any]) -> Iterator[str | bytes]:
    """Returns an iterator that reads each text when it is needed.

    Raises:
        DataError: At once if this is one string, a table or no sequence at all; at its turn for a
            text that is missing (None, NaN) or no string.
    """
    return (one_text(item, row) for row, item in enumerate(iter_items(texts, "texts")))


def as_texts(texts: Iterable[Any]) -> Collection[str | bytes]:
    """Returns texts in memory; those in a temporary file or in shards stay there."""
    if isinstance(texts, (StoredTexts, ShardedTexts)):  # checked when they were written
        return texts
    return tuple(iter_texts(texts))


def as_strings(texts: Iterable[Any]) -> Sequence[str]:
    """Does the same, and decodes bytes. Raises DataError for bytes that are not UTF-8."""
    if isinstance(texts, (StoredTexts, ShardedTexts)):
        return texts if isinstance(texts, StoredTexts) else StoredTexts.write(texts)
    return tuple(_decoded(text, row) for row, text in enumerate(iter_texts(texts)))


def one_text(text: Any, row: int | None = None) -> str | bytes:
    """Returns a text as a plain string or bytes; raises DataError, with the row, if it is none."""
    if type(text) is str or type(text) is bytes:
        return text
    value = _unwrapped(text)
    if isinstance(value, (str, bytes)):  # NumPy's are subclasses
        return str(value) if isinstance(value, str) else bytes(value)
    where = "the text" if row is None else f"the text of row {row}"
    if _is_missing(value):
        raise DataError(f'{where} is missing ({value!r}); remove the row, or pass "" as its text')
    raise DataError(f"{where} must be a string, got {short(value)} of type {type(value).__name__}")


def as_label_ids(labels: Any, rows: int) -> np.ndarray:
    """Returns labels as int64 [rows]: integers, booleans, or floats that are whole numbers.

    Raises DataError if one is missing, a class name or no whole number, or their number is wrong.
    """
    if isinstance(labels, (Iterator, Set)):
        labels = list(iter_items(labels, "labels"))
    try:
        found = np.asarray(labels)
    except ValueError as error:
        message = "expected one label for each text, got some texts with several labels"
        raise DataError(message) from error
    if found.shape != (rows,):
        one_hot = found.ndim == 2 and found.shape[1] > 1
        raise DataError(
            f"expected one label for each of {rows} texts, got labels of shape {found.shape}"
            + ("; pass np.argmax(labels, axis=1), if they are one-hot" if one_hot else "")
        )
    if found.dtype.kind in "iub":
        if found.size and found.max() > np.iinfo(np.int64).max:
            raise DataError(f"a label of {found.max()} is larger than 64 bits hold")
        return found.astype(np.int64)
    # One at a time, to name the first wrong row. NumPy would turn [0, "spam"] into two strings.
    values = labels if isinstance(labels, (list, tuple)) else found.tolist()
    return np.array([_label_id(value, row) for row, value in enumerate(values)], np.int64)


def as_class_names(names: Any) -> tuple[str, ...]:
    """Returns class names as plain strings; numbers and booleans are written out.

    Raises DataError if this is one string or has no order; or a name is missing, or comes twice.
    """
    found = tuple(map(_class_name, iter_items(names, "class names")))
    if len(set(found)) < len(found):
        twice = [repr(name) for name, count in Counter(found).items() if count > 1]
        raise DataError(
            f"every class needs a name of its own, but {', '.join(twice)} comes more than once"
        )
    return found


def iter_items(values: Any, what: str) -> Iterable[Any]:
    """Returns a container to iterate over, unless that would not give its values in order."""
    values = _unwrapped(values)  # an array of strings is quicker than one tensor after the other
    kind = type(values).__name__
    advice = ""
    if isinstance(values, (str, bytes)):
        kind, advice = f"the single {kind} {short(values)}", f"; pass [{short(values)}]"
    elif hasattr(type(values), "columns"):
        kind, advice = f"a {kind}", "; pass one of its columns"
    elif isinstance(values, Mapping):
        kind, advice = f"a {kind}", "; pass a list of its values"
    elif isinstance(values, Set):
        kind = "a set, which has no order"
    else:
        try:
            return iter(values)
        except TypeError:
            kind, advice = short(values), "; pass its .texts" if hasattr(values, "texts") else ""
    raise DataError(f"expected a list of {what}, got {kind}{advice}")


def _decoded(text: str | bytes, row: int) -> str:
    try:
        return text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"the text of row {row} is not UTF-8; decode it first") from error


def _label_id(label: Any, row: int) -> int:
    value = _unwrapped(label)
    if _is_missing(value):
        raise DataError(f"the label of row {row} is missing ({value!r}); remove the row")
    if isinstance(value, (str, bytes)):
        raise DataError(
            f"the label of row {row} is {value!r}, expected an index into the class names; pass "
            "[label_names.index(label) for label in labels]"
        )
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)) and value % 1 == 0:
        return int(value)
    raise DataError(f"the label of row {row} must be a whole number, got {short(value)}")


def _class_name(name: Any) -> str:
    value = _unwrapped(name)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (float, np.floating)) and value % 1 == 0:
        return str(int(value))
    if isinstance(value, (str, int, float, np.number, np.bool_)) and not _is_missing(value):
        return str(value)
    raise DataError(f"a class name must be a string, got {short(value)}")


def _unwrapped(value: Any) -> Any:
    """Returns the content of a TensorFlow tensor or an Arrow scalar, and anything else as it is."""
    for method in ("numpy", "as_py"):
        if hasattr(type(value), method):  # the type's: a pandas Series has its rows as attributes
            return getattr(value, method)()
    return value


def _is_missing(value: Any) -> bool:
    if isinstance(value, (float, np.floating)):
        return bool(np.isnan(value))
    return value is None or type(value).__name__ in ("NAType", "NaTType")  # pandas' own
