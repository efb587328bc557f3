"""A table gives the same classes in every format, and a test table of another format fits them."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest

from kerasnlp_lab.data import load_labelled_rows, load_table
from kerasnlp_lab.data.labels import ClassMatcher, class_names, in_order
from kerasnlp_lab.data.tables.rows import as_text
from kerasnlp_lab.errors import DataError
from tests.data.spreadsheets import write_spreadsheet
from tests.data.table_files import write

ROWS = 24
NOT_IN_EXCEL = ("big", "zone")  # it has no integers beyond 2**53, and no time zones


def save_excel(frame, path):
    """Saves a frame's values as pandas' to_excel does; openpyxl is not installed."""

    def plain(value):
        if pd.isna(value):
            return None
        if isinstance(value, datetime.date):
            return datetime.date(value.year, value.month, value.day)
        return value.item() if isinstance(value, np.generic) else value

    rows = [[plain(value) for value in row] for row in frame.itertuples(index=False)]
    write_spreadsheet(path, {"Sheet1": [list(frame.columns), *rows]})


FORMATS = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "parquet": lambda frame, path: frame.to_parquet(path),
    "jsonl": lambda frame, path: frame.to_json(
        path, orient="records", lines=True, date_format="epoch"
    ),
    "ndjson": lambda frame, path: frame.to_json(
        path, orient="records", lines=True, date_format="iso"
    ),
    "xlsx": save_excel,
}


def repeated(*labels, missing=False):
    found = [labels[i % len(labels)] for i in range(ROWS)]
    return found[:-1] + [None] if missing else found


COLUMNS = {
    "booleans": (repeated(True, False), ("False", "True")),
    "booleans and none": (repeated(True, False, missing=True), ("False", "True")),
    "whole": (repeated(10, 2, -1), ("-1", "2", "10")),
    "whole and none": (repeated(1, 0, missing=True), ("0", "1")),
    "nullable": (pd.array(repeated(1, 0, missing=True), dtype="Int64"), ("0", "1")),
    "fractions": (repeated(10.0, 0.1, -2.5, 2.0), ("-2.5", "0.1", "2.0", "10.0")),
    "tiny and huge": (repeated(1e-7, 1e20, 3.0), ("1e-07", "3.0", "1e+20")),
    "big": (repeated(2**60 + 1, 2**60), (str(2**60), str(2**60 + 1))),
    "dates": (
        pd.to_datetime(repeated("2024-01-05", "1969-03-01")),
        ("1969-03-01", "2024-01-05"),
    ),
    "days": (
        repeated(datetime.date(2024, 1, 5), datetime.date(2023, 1, 5)),
        ("2023-01-05", "2024-01-05"),
    ),
    "zone": (
        pd.to_datetime(repeated("2024-01-05", "2020-02-29")).tz_localize("UTC"),
        ("2020-02-29", "2024-01-05"),
    ),
    "category": (pd.Categorical(repeated("b", "a", "B")), ("B", "a", "b")),
    "category of numbers": (pd.Categorical(repeated(10, 9, 100)), ("9", "10", "100")),
    "texts like numbers": (repeated("1", "01", "1.0", "1.5"), ("01", "1", "1.0", "1.5")),
    "versions": (repeated("1.0", "1.5", "1.10"), ("1.0", "1.10", "1.5")),
    "texts": (repeated("True", "true"), ("True", "true")),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", COLUMNS)
def test_one_frame_gives_one_dataset_in_every_format(kind, tmp_path):
    labels, names = COLUMNS[kind]
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(ROWS)], "label": labels})
    formats = {
        name: FORMATS[name] for name in FORMATS if name != "xlsx" or kind not in NOT_IN_EXCEL
    }
    found = {}
    for suffix, save in formats.items():
        save(frame, tmp_path / f"m.{suffix}")
        found[suffix] = load_table(tmp_path / f"m.{suffix}", skip_bad_rows=True)
    assert {data.label_names for data in found.values()} == {names}
    assert len({data.fingerprint for data in found.values()}) == 1
    expected = int(frame.label.notna().sum())
    for suffix in formats:  # as the test table of a classifier
        path = tmp_path / f"m.{suffix}"
        assert len(load_labelled_rows(path, names, skip_bad_rows=True)[0]) == expected


def test_float32_in_parquet_is_what_a_csv_holds(tmp_path):
    labels = np.array(repeated(0.1, 2.5), np.float32)
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(ROWS)], "label": labels})
    frame.to_parquet(tmp_path / "m.parquet")
    assert load_table(tmp_path / "m.parquet").label_names == ("0.1", "2.5")


@pytest.mark.parametrize(
    "labels, classes",
    [
        (["1", "1.0", "2"], {"1": "1", "1.0": "1", "2": "2"}),
        (["1", "1.0", "1.5"], {"1": "1.0", "1.0": "1.0", "1.5": "1.5"}),
        (["1.0", "1.5"], {"1.0": "1.0", "1.5": "1.5"}),
        (["1", "01", "1.0"], {"1": "1", "01": "01", "1.0": "1.0"}),
        (["0", "0.0", "-0.0"], {"0": "0", "0.0": "0", "-0.0": "0"}),
        (["1e5", "2.0"], {"1e5": "1e5", "2.0": "2.0"}),
        (["1.0", "b"], {"1.0": "1.0", "b": "b"}),
        (["1" * 5000, "2"], {"1" * 5000: "1" * 5000, "2": "2"}),
        (["nan", "inf", "1.0"], {"nan": "nan", "inf": "inf", "1.0": "1.0"}),
        (
            ["2024-01-05", "2024-01-05T00:00"],
            {"2024-01-05": "2024-01-05", "2024-01-05T00:00": "2024-01-05"},
        ),
        (
            ["2024-01-05 10:00", "2024-01-05"],
            {"2024-01-05 10:00": "2024-01-05 10:00:00", "2024-01-05": "2024-01-05 00:00:00"},
        ),
        (["2024-13-45", "2024-01-05T00:00"], None),
        (["86400000", "1"], None),
        (["TRUE", "True", "true"], None),
    ],
)
def test_equal_values_are_one_class_and_a_line_says_so(labels, classes):
    found, notes = class_names(labels, numbers=False)
    assert found == (classes or {label: label for label in labels})
    by_value = [note for note in notes if note.startswith("labels are read by value")]
    assert bool(by_value) == any(label != name for label, name in found.items())


def test_numbers_of_a_file_without_floats_are_spelled_as_in_a_csv():
    """JavaScript and Excel write 1.0 as 1, also beside 1.5."""
    assert class_names(["1", "1.5"], numbers=True)[0] == {"1": "1.0", "1.5": "1.5"}
    assert class_names(["1", "1.5"], numbers=False)[0] == {"1": "1", "1.5": "1.5"}


def test_labels_that_may_be_missing_are_reported():
    names, (note,) = class_names(["NA", "neg", "pos"], numbers=False)
    assert names["NA"] == "NA" and "NA: read as a class; if no label is meant" in note
    assert class_names(["none", "na"], numbers=False)[1] == []


def test_texts_that_look_like_lists_are_told_of():
    _, (note,) = class_names(["['a', 'b']", "['a']"], numbers=False)
    assert "several labels a text are another task" in note
    assert class_names(["[a]", "b"], numbers=False)[1] == []


@pytest.mark.parametrize(
    "classes, label, found",
    [
        (["false", "true"], "True", "true"),  # a run of version 0.1.0, from JSON
        (["False", "True"], "TRUE", "True"),
        (["True", "true", "no"], "TRUE", None),  # which?
        (["yes", "no"], "True", None),
        (["0", "1"], "1.0", "1"),
        (["0", "1"], "01", None),
        (["1", "1.0"], "1.0", "1.0"),
        (["1.5", "2.0"], "2", "2.0"),
        (["1.1", "1.5"], "1.10", None),
        (["2024-01-05", "b"], "2024-01-05 00:00:00", "2024-01-05"),
        (["2024-01-05", "b"], "1704412800000", "2024-01-05"),
        (["1704412800000", "b"], "1704412800000", "1704412800000"),
        (["2024-01-05 10:00:00", "b"], "1704448800000", "2024-01-05 10:00:00"),
        (["ham", "spam"], "Ham", None),
    ],
)
def test_a_label_fits_the_only_class_of_its_value(classes, label, found):
    assert ClassMatcher(classes).match(label) == found


def test_numbers_are_in_order_of_size():
    names = ["10", "9", "-2.5", "-10", "0.5", "1e3", "2.50", "2.5"]
    assert in_order(names) == ("-10", "-2.5", "0.5", "2.5", "2.50", "9", "10", "1e3")


def test_texts_stay_as_they_were():
    values = [True, 1.0, 0.5, datetime.datetime(2024, 1, 5), [1, "a"]]
    expected = ["true", "1", "0.5", "2024-01-05 00:00:00", "[1, 'a']"]
    assert [as_text(value) for value in values] == expected


@pytest.mark.parametrize(
    "row, reason",
    [
        ({"text": "a", "label": ["x", "y"]}, r"the label is a list .*several labels a text"),
        ({"text": "a", "label": ["x"]}, "the label is a list"),
        ({"text": "a", "label": []}, "the label is a list"),
        ({"text": "a", "label": {"x": 1}}, "the label is an object"),
        ({"text": ["a", "b"], "label": "x"}, "the text is a list .*join its parts"),
        ({"text": {"en": "a"}, "label": "x"}, "the text is an object"),
    ],
)
def test_a_list_or_an_object_is_refused_by_row(row, reason, tmp_path):
    good = [{"text": f"text {i}", "label": i % 2, "other": [i]} for i in range(20)]
    lines = "\n".join(json.dumps(one) for one in [*good, row])
    path = write(tmp_path, lines, "m.jsonl")
    with pytest.raises(DataError, match=f"m.jsonl, line 21: {reason}"):
        load_table(path)
    data = load_table(path, skip_bad_rows=True)
    assert [bad.line for bad in data.rejected] == [21]
    assert data.label_names == ("0", "1")


def test_a_list_in_parquet_is_refused(tmp_path):
    frame = pd.DataFrame({"text": ["a", "b"], "label": [["x"], ["y", "z"]]})
    frame.to_parquet(tmp_path / "m.parquet")
    with pytest.raises(DataError, match="line 1: the label is a list"):
        load_table(tmp_path / "m.parquet")


def table(folder, classes, rows_each, rare=""):
    lines = [f"text {i},c{i % classes}" for i in range(classes * rows_each)]
    return write(folder, "\n".join(["text,label", *lines, rare]) + "\n")


def test_the_most_classes(tmp_path):
    path = table(tmp_path, 12, 10)
    assert len(load_table(path, max_classes=12).label_names) == 12
    with pytest.raises(DataError) as caught:
        load_table(path, label_column="label", max_classes=11)
    assert "12 classes, and the limit is 11" in str(caught.value)
    assert "--max-classes 12" in str(caught.value)
    assert "--label-column" not in str(caught.value)
    with pytest.raises(DataError, match="--max-classes 12.*is it the column .*--label-column"):
        load_table(path, max_classes=11)


def test_the_limit_is_loaded_again(tmp_path):
    data = load_table(table(tmp_path, 12, 10), max_classes=12)
    from kerasnlp_lab.data.source import source_from_json, source_to_json

    described = {"name": data.name, **source_to_json(data.source, None)}
    assert source_from_json(described) == (data.source, None)
    assert data.source.load().fingerprint == data.fingerprint
    del described["reading"]["max_classes"]  # as version 0.1.0 wrote it
    assert source_from_json(described)[0].max_classes == 1000


@pytest.mark.parametrize("rare, rows", [("x,refund", "1 row"), ("x,refund\ny,refund", "2 rows")])
def test_a_rare_class_is_named(rare, rows, tmp_path):
    with pytest.raises(DataError) as caught:
        load_table(table(tmp_path, 2, 20, rare))
    assert f"'refund' has {rows}" in str(caught.value)
    assert "at least 3" in str(caught.value)
    assert "--validation-data" in str(caught.value)


def test_a_rare_class_is_named_with_one_split_given(tmp_path):
    other = write(tmp_path, "text,label\na,c0\nb,c1\n", "other.csv")
    with pytest.raises(DataError, match="'refund' has 1 row.*at least 2.*--test-data"):
        load_table(table(tmp_path, 2, 20, "x,refund"), validation=other)
    data = load_table(table(tmp_path, 2, 20, "x,refund"), validation=other, test=other)
    assert data.label_names == ("c0", "c1", "refund")


def test_no_usable_row_says_why(tmp_path):
    path = write(tmp_path, "text,label\n,ham\nx\ny,\nz,\n")
    with pytest.raises(DataError) as caught:
        load_table(path, skip_bad_rows=True)
    for part in ("line 2: no text", "line 3: expected 2", "lines 4, 5: no label"):
        assert part in str(caught.value)
