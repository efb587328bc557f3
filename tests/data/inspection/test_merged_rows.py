"""Cells with the rows that a quotation mark swallowed are a finding."""

import pytest

from kerasnlp_lab.data.inspection import inspect_table
from kerasnlp_lab.data.tables import TableFormat
from tests.data.inspection.tables import inspect_rows, of_kind, plain_rows


@pytest.mark.parametrize(
    "text, detail",
    [
        ("Hello,ham\nwin a prize,spam\nshe said", "3 lines with the class name 'ham' beside ','"),
        ("spam\tHello\r\nham\twin", "2 lines with the class name 'spam' beside '\\t'"),
        ("win a prize\tspam", "a text with the class name 'spam' beside '\\t'"),
        ('Hello;"ham"\nwin a prize', "2 lines with the class name 'ham' beside ';'"),
    ],
)
def test_a_class_name_beside_a_delimiter(text, detail, tmp_path):
    found = of_kind(inspect_rows(tmp_path, [(text, "ham")]), "merged_rows")
    assert found == [("t.csv", 62, f"{detail}: rows in one cell?")]


@pytest.mark.parametrize(
    "text", ["two\nlines, with commas", "eggs, ham", "ham and eggs, please", "I like\nham", "spam"]
)
def test_prose_is_no_row(text, tmp_path):
    assert of_kind(inspect_rows(tmp_path, [(text, "ham")]), "merged_rows") == []


def test_rows_that_quoting_merges(tmp_path):
    rows = [f"{text.replace(',', '')}\t{label}\n" for text, label in plain_rows()]
    path = tmp_path / "t.tsv"
    path.write_text("text\tlabel\n" + "".join([*rows, '"Hi\tham\nwin\tspam\nno"\tham\n']))
    merged = inspect_table(path, format=TableFormat(quoting="quoted"))
    assert [line for _, line, _ in of_kind(merged, "merged_rows")] == [62]
    plain = inspect_table(path)
    assert plain.counts["merged_rows"] == 0
    assert plain.rows["train"] + plain.rows["validation"] + plain.rows["test"] == 63
    assert "quotation marks are text (--quoting overrides it)" in plain.notes
