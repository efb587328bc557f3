"""Texts, label ids and class names are read from whatever holds them, or refused by row."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kerasnlp_lab.data import Split, TextDataset, load_labelled_rows, load_table
from kerasnlp_lab.data.inputs import as_class_names, as_strings, as_texts, iter_texts
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.errors import DataError

TWO = Split(["a", "b"], [0, 1])
TEXTS = {
    "list": ["a", "b"],
    "tuple": ("a", "b"),
    "generator": (text for text in "ab"),
    "numpy": np.array(["a", "b"]),
    "objects": np.array(["a", "b"], object),
    "bytes": np.array([b"a", b"b"]),
    "numpy_scalars": [np.str_("a"), np.bytes_(b"b")],
    "series": pd.Series(["a", "b"], index=[7, 7]),
    "object_series": pd.Series(["a", "b"], dtype=object),
    "python_strings": pd.Series(["a", "b"], dtype="string[python]"),
    "words_as_index": pd.Series(["a", "b"], index=["numpy", "columns"]),
    "category": pd.Series(["a", "b"], dtype="category"),
    "index": pd.Index(["a", "b"]),
    "arrow": pa.array(["a", "b"]),
    "chunked": pa.chunked_array([["a"], ["b"]]),
    "values": {1: "a", 2: "b"}.values(),
}


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_texts_in_every_container(texts):
    found = as_strings(texts)
    assert found == ("a", "b")
    assert all(type(text) is str for text in found)  # np.str_ is written otherwise


@pytest.mark.parametrize("missing", [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT])
def test_a_missing_text_is_named_by_its_row(missing):
    with pytest.raises(DataError, match=r"the text of row 1 is missing \(.*\); remove the row"):
        Split(["a", missing], [0, 1])


@pytest.mark.parametrize(
    "texts, message",
    [
        ("free cash", r"a list of texts, got the single str 'free cash'; pass \['free cash'\]"),
        (b"free", "got the single bytes b'free'"),
        (pd.DataFrame({"text": ["a"]}), "got a DataFrame; pass one of its columns"),
        (pa.table({"text": ["a"]}), "got a Table; pass one of its columns"),
        ({"a": 1}, "got a dict; pass a list of its values"),
        ({"a"}, "got a set, which has no order"),
        (5, "expected a list of texts, got 5"),
        (np.array("ab"), r"expected a list of texts, got array\('ab'"),
        (TWO, "pass its .texts"),
        (["a", 5], "the text of row 1 must be a string, got 5 of type int"),
        (["a", ["b", "c"]], "the text of row 1 must be a string, got .* of type list"),
        (np.array([["a"], ["b"]]), "the text of row 0 must be a string, got .* of type ndarray"),
        (["a", b"\xff"], "the text of row 1 is not UTF-8"),
    ],
    ids=str,
)
def test_what_is_no_list_of_texts(texts, message):
    with pytest.raises(DataError, match=message):
        as_strings(texts)


def test_lazy_texts_stay_lazy_and_stored_texts_stay_on_disk():
    read = []
    texts = iter_texts(read.append(text) or text for text in "abc")
    assert (next(texts), read) == ("a", ["a"])
    stored = StoredTexts.write("ab")
    assert as_texts(stored) is stored
    assert Split(stored, [0, 1]).texts is stored


LABELS = {
    "list": [1, 0],
    "generator": (label for label in (1, 0)),
    "booleans": [True, False],
    "whole_floats": [1.0, 0.0],
    "int8": np.array([1, 0], np.int8),
    "uint64": np.array([1, 0], np.uint64),
    "float16": np.array([1, 0], np.float16),
    "objects": np.array([np.int64(1), False], object),
    "series": pd.Series([1, 0], index=[7, 7]),
    "nullable": pd.Series([1, 0], dtype="Int64"),
    "category": pd.Series([1, 0], dtype="category"),
    "arrow": pa.array([1, 0]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_label_ids_of_every_type(labels):
    found = Split(["a", "b"], labels).labels
    assert (found.tolist(), found.dtype) == ([1, 0], np.int64)


@pytest.mark.parametrize(
    "labels, message",
    [
        ([0.7, 1.9], "the label of row 0 must be a whole number, got 0.7"),
        ([1, 2.5], "the label of row 1 must be a whole number, got 2.5"),
        ([0, float("inf")], "the label of row 1 must be a whole number, got inf"),
        ([0, float("nan")], "the label of row 1 is missing"),
        ([0, None], "the label of row 1 is missing"),
        (pd.Series([0, None], dtype="Int64"), "the label of row 1 is missing"),
        (["ham", "spam"], r"row 0 is 'ham', expected an index .*\[label_names.index"),
        ([0, "spam"], "the label of row 1 is 'spam'"),
        (pd.Series(["0", "1"]), "the label of row 0 is '0'"),
        (np.eye(2), r"of shape \(2, 2\); pass np.argmax\(labels, axis=1\), if"),
        ([[0], [1]], r"of shape \(2, 1\)"),
        ([[0], [0, 1]], "some texts with several labels"),
        ([0, 1, 0], r"each of 2 texts, got labels of shape \(3,\)"),
        ("01", r"got labels of shape \(\)"),
        ({0, 1}, "got a set, which has no order"),
    ],
    ids=str,
)
def test_what_is_no_label_id(labels, message):
    with pytest.raises(DataError, match=message):
        Split(["a", "b"], labels)


@pytest.mark.parametrize(
    "names, expected",
    [
        (["ham", "spam"], ("ham", "spam")),
        (np.array(["ham", "spam"]), ("ham", "spam")),
        (pd.Index(["ham", "spam"]), ("ham", "spam")),
        (np.array([1, 2]), ("1", "2")),
        ([np.True_, False], ("True", "False")),
        (pd.Series([1.0, 2.5]), ("1", "2.5")),
        ([b"ham", "spam"], ("ham", "spam")),
    ],
    ids=str,
)
def test_class_names_are_plain_strings(names, expected):
    found = as_class_names(names)
    assert found == expected
    assert {type(name) for name in found} == {str}


@pytest.mark.parametrize(
    "names, message",
    [
        ("spam", r"a list of class names, got the single str 'spam'; pass \['spam'\]"),
        (["a", "b", "a"], "every class needs a name of its own, but 'a' comes more than once"),
        ([1, "1"], "but '1' comes more than once"),
        (["a", None], r"a class name must be a string, got None"),
        ([["a"], ["b"]], r"a class name must be a string, got \['a'\]"),
        ({"a"}, "got a set, which has no order"),
        ({0: "a", 1: "b"}, "got a dict; pass a list of its values"),
    ],
    ids=str,
)
def test_what_is_no_list_of_class_names(names, message):
    with pytest.raises(DataError, match=message):
        TextDataset("mine", names, TWO, TWO, TWO)


def test_lines_may_be_a_list_and_rows_a_mask():
    split = Split(["a", "b", "c"], [0, 1, 0], "a.csv", [2, 3, 5])
    for rows in ([2, 0], [True, False, True], pd.Series([True, False, True]), []):
        taken = split.take(rows)
        expected = list(np.arange(3)[rows])
        assert taken.texts == tuple("abc"[row] for row in expected)
        assert taken.lines.tolist() == [[2, 3, 5][row] for row in expected]
    with pytest.raises(IndexError):  # texts were repeated, once, for a mask of another length
        split.take(np.array([True, False]))


def test_one_column_of_texts_needs_no_list(tmp_path):
    path = tmp_path / "rows.csv"
    rows = "".join(f"{n} {c},{c}\n" for n in range(9) for c in ("ham", "spam"))
    path.write_text("text,label\n" + rows)
    data = load_table(path, text_columns="text")
    assert data.source.text_columns == ("text",)
    split, _ = load_labelled_rows(path, np.array(["ham", "spam"]), text_columns="text")
    assert list(split.texts)[:2] == ["0 ham", "0 spam"]
