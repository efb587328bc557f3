"""A table that cannot be trained on is described all the same, with a note on why."""

import io
import json

import pytest
import rich.console

from kerasnlp_lab.data.inspection import clean, inspect_table, print_summary, write_inspection
from kerasnlp_lab.errors import DataError
from tests.data.inspection.tables import plain_rows, write_table

PLAIN = plain_rows()
TABLES = {
    "one rare class": ([*PLAIN, ("my money back", "refund")], "'refund' has 1 row", 61, 0),
    "one class": ([(text, "ham") for text, _ in PLAIN], "nothing to learn", 60, 0),
    "one row": ([("hello", "ham")], "nothing to learn", 1, 0),
    "no row": ([], "no rows that can be used", 0, 0),
    "bad rows alone": ([("", "ham"), ("x", "")], "line 2: no text in column text; line 3", 0, 2),
    "ids": ([(t, f"id{i}") for i, (t, _) in enumerate(PLAIN)], "is it the column of", 60, 0),
}


def summary(found):
    console = rich.console.Console(file=io.StringIO(), width=200)
    print_summary(found, console)
    return console.file.getvalue()


@pytest.mark.parametrize("name", TABLES)
def test_it_is_described(name, tmp_path):
    rows, reason, usable, bad = TABLES[name]
    found = inspect_table(write_table(tmp_path / "t.csv", rows))
    assert found.notes[0].startswith("training would stop: ")
    assert reason in found.notes[0]
    assert sum(found.rows.values()) - found.rows["bad"] == usable
    assert found.counts["bad_row"] == found.rows["bad"] == bad
    assert sum(sum(counts.values()) for counts in found.balance.values()) == usable
    assert reason in summary(found)
    write_inspection(found, tmp_path / "out", clean(found.data))
    assert json.loads((tmp_path / "out" / "inspection.json").read_text())["rows"] == found.rows
    assert (tmp_path / "out" / "cleaned.csv").exists()


@pytest.mark.parametrize("header", [("text", "mood"), ("text", "label", "class")])
def test_without_a_sure_column_of_labels_the_texts_are_inspected(header, tmp_path):
    rows = [(text, *[label] * (len(header) - 1)) for text, label in [*PLAIN, *PLAIN[:3]]]
    path = write_table(tmp_path / "t.csv", rows, header)
    found = inspect_table(path, test=path)
    assert "Say --label-column NAME" in found.notes[0]
    assert found.counts["exact_duplicate"] == 66
    assert (found.balance, found.counts["two_labels"]) == ({}, 0)
    assert found.lengths[0].rows == found.rows["train"]
    assert "Say --label-column NAME" in summary(found)
    with pytest.raises(DataError, match="--fix needs to know the column of the labels"):
        clean(found.data)


def test_more_classes_than_the_limit(tmp_path):
    rows = [(f"text {i} of {i % 150}", f"class {i % 150}") for i in range(1500)]
    path = write_table(tmp_path / "t.csv", rows)
    found = inspect_table(path, max_classes=149)
    assert "150 classes, and the limit is 149" in found.notes[0]
    assert len(found.balance) == 150
    printed = summary(found)
    assert "... 50 more classes, in inspection.json" in printed
    assert "class 0 " in printed and "class 99 " in printed
    assert not any("limit" in note for note in inspect_table(path, max_classes=150).notes)


def test_a_column_that_does_not_exist_is_still_an_error(tmp_path):
    path = write_table(tmp_path / "t.csv", PLAIN)
    with pytest.raises(DataError, match="no column 'lable'"):
        inspect_table(path, label_column="lable")
