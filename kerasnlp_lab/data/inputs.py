"""Texts, label ids and class names, from everything that people pass for them.

Every public function that takes texts reads them with `iter_texts` or `as_texts`. Lists, tuples,
generators, NumPy arrays, columns of pandas, polars and Arrow, and TensorFlow's strings all work.
None of these libraries is imported. Rows are counted from 0 in errors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np

from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.sharded_split import ShardedTexts
from kerasnlp_lab.errors import DataError

__all__ = ["as_class_names", "as_label_ids", "as_strings", "as_texts", "iter_texts", "one_text"]


def iter_texts(texts: Iterable[Any]) -> Iterator[str | bytes]:
    """Yields texts one at a time, as they are needed; the container is checked at once.

    Args:
        texts: The texts, each a string or bytes.

    Raises:
        DataError: This is one string, a table, or something else that is no sequence of texts. A
            row that is missing (None, NaN) or no text raises it when its turn comes.
    """
    items = _items(texts, "texts")
    return (one_text(item, row) for row, item in enumerate(items))


def as_texts(texts: Iterable[Any]) -> Collection[str | bytes]:
    """Returns texts in memory; those in a temporary file or in shards stay there.

    Raises:
        DataError: As in `iter_texts`.
    """
    if isinstance(texts, (StoredTexts, ShardedTexts)):  # checked when they were written
        return texts
    return tuple(iter_texts(texts))


def as_strings(texts: Iterable[Any]) -> Sequence[str]:
    """Returns texts as `as_texts` does, with bytes decoded from UTF-8, as a sequence.

    Raises:
        DataError: As in `iter_texts`, and for bytes that are not UTF-8.
    """
    if isinstance(texts, StoredTexts):
        return texts
    if isinstance(texts, ShardedTexts):
        return StoredTexts.write(texts)
    return tuple(_decoded(text, row) for row, text in enumerate(iter_texts(texts)))


def one_text(text: Any, row: int | None = None) -> str | bytes:
    """Returns one text as a plain string or bytes.

    Args:
        text: A string or bytes of Python or NumPy, or a scalar of TensorFlow or Arrow.
        row: The row, for the error message; None if there is only this text.

    Raises:
        DataError: It is missing, or something else.
    """
    if type(text) is str or type(text) is bytes:
        return text
    plain = _unwrapped(text)
    if isinstance(plain, str):
        return str(plain)
    if isinstance(plain, bytes):
        return bytes(plain)
    where = "the text" if row is None else f"the text of row {row}"
    if _is_missing(plain):
        raise DataError(f'{where} is missing ({plain!r}); remove the row, or pass "" as its text')
    raise DataError(f"{where} must be a string, got {_short(plain)} of type {_kind(plain)}")


def as_label_ids(labels: Any, rows: int) -> np.ndarray:
    """Returns label ids as int64 [rows].

    Args:
        labels: Integers of any type, booleans, or floats that are whole numbers.
        rows: The number of texts.

    Raises:
        DataError: A label is missing, not a whole number or a class name, or the number of labels
            is not that of the texts.
    """
    if isinstance(labels, (Iterator, Set)):
        labels = list(_items(labels, "labels"))
    try:
        found = np.asarray(labels)
    except ValueError as error:
        raise DataError(
            "expected one label for each text, got some texts with several labels; a text has one "
            "class here"
        ) from error
    if found.shape != (rows,):
        several = found.ndim == 2 and found.shape[1] > 1
        raise DataError(
            f"expected one label for each of {rows} texts, got labels of shape {found.shape}"
            + ("; pass np.argmax(labels, axis=1), if they are one-hot" if several else "")
        )
    if found.dtype.kind in "iub":
        return found.astype(np.int64)
    if found.dtype.kind == "f" and np.all(np.isfinite(found) & (found == np.rint(found))):
        return found.astype(np.int64)
    # One at a time, to name the first wrong row. NumPy would turn [0, "spam"] into two strings.
    values = labels if isinstance(labels, (list, tuple)) else found.tolist()
    return np.array([_label_id(value, row) for row, value in enumerate(values)], np.int64)


def as_class_names(names: Any) -> tuple[str, ...]:
    """Returns class names as strings; whole numbers and booleans are written out.

    Args:
        names: The names, in the order of the label ids.

    Raises:
        DataError: This is one string or has no order, or a name is missing or there twice.

    Example:
        >>> as_class_names(np.array([1, 2, 3]))
        ('1', '2', '3')
    """
    found = tuple(map(_class_name, _items(names, "class names")))
    if len(set(found)) < len(found):
        twice = [repr(name) for name, count in Counter(found).items() if count > 1]
        raise DataError(
            f"every class needs a name of its own, but {', '.join(twice)} comes more than once"
        )
    return found


def _items(values: Any, what: str) -> Iterable[Any]:
    """Returns a container to iterate over, unless iterating over it would not give its values."""
    values = _unwrapped(values)  # an array of strings is quicker than one tensor after the other
    if isinstance(values, (str, bytes)):
        raise DataError(
            f"expected a list of {what}, got the single {_kind(values)} {_short(values)}; pass "
            f"[{_short(values)}]"
        )
    is_table = hasattr(type(values), "columns")
    if is_table or isinstance(values, Mapping):  # which would give names of columns, or keys
        advice = "one of its columns" if is_table else "a list of its values"
        raise DataError(f"expected a list of {what}, got a {_kind(values)}; pass {advice}")
    if isinstance(values, Set):
        raise DataError(f"expected a list of {what}, got a set, which has no order; pass a list")
    try:
        return iter(values)
    except TypeError as error:
        advice = "; pass its .texts" if hasattr(values, "texts") else ""
        raise DataError(f"expected a list of {what}, got {_short(values)}{advice}") from error


def _decoded(text: str | bytes, row: int) -> str:
    try:
        return text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"the text of row {row} is not UTF-8 ({error.reason}); decode it first"
        ) from error


def _label_id(label: Any, row: int) -> int:
    value = _unwrapped(label)
    if _is_missing(value):
        raise DataError(f"the label of row {row} is missing ({value!r}); remove the row")
    if isinstance(value, (str, bytes)):
        raise DataError(
            f"the label of row {row} is {value!r}; expected a label id, which is an index into the "
            "class names: pass [label_names.index(label) for label in labels]"
        )
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)) and value % 1 == 0:
        return int(value)
    raise DataError(
        f"the label of row {row} must be a whole number, a label id; got {_short(value)}"
    )


def _class_name(name: Any) -> str:
    value = _unwrapped(name)
    if isinstance(value, (str, bool, int, np.integer, np.bool_)):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (float, np.floating)) and np.isfinite(value):
        return str(int(value)) if int(value) == value else str(value)
    missing = " (missing)" if _is_missing(value) else ""
    raise DataError(f"a class name must be a string, got {_short(value)}{missing}")


def _unwrapped(value: Any) -> Any:
    """Returns the value of a scalar of TensorFlow or Arrow, and anything else as it is."""
    for method in ("numpy", "as_py"):
        if hasattr(type(value), method):  # an attribute of a pandas Series may be one of its rows
            return getattr(value, method)()
    return value


def _is_missing(value: Any) -> bool:
    if isinstance(value, (float, np.floating)):
        return bool(np.isnan(value))
    return value is None or type(value).__name__ in ("NAType", "NaTType")  # pandas' own


def _kind(value: Any) -> str:
    return type(value).__name__


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
