"""Classes whose names look the same are reported, each with its first line."""

import pytest

from tests.data.inspection.tables import inspect_rows, of_kind, plain_rows


@pytest.mark.parametrize(
    "name, difference",
    [
        ("Ham", "in case"),
        ("HAM", "in case"),
        ("h am", "in spaces or invisible characters"),
        ("ha\u200bm", "in spaces or invisible characters"),
        ("\ufeffham", "in spaces or invisible characters"),
        ("h\u00ada\u2009m", "in spaces or invisible characters"),
        ("ｈａｍ", "in Unicode form"),
        ("Ｈ\u00a0ＡＭ", "in several ways"),
    ],
)
def test_a_name_that_differs_little_from_ham(name, difference, tmp_path):
    found = inspect_rows(tmp_path, [(f"some new text {i}", name) for i in range(8)])
    ((file, line, detail),) = of_kind(found, "similar_class_names")
    assert (file, line) == ("t.csv", 62)
    assert detail.startswith(f"{ascii(name)} differs only {difference} from 'ham': one class?")
    assert "(rows: 8 and 30)" in detail


def test_composed_characters_and_numbers(tmp_path):
    names = ["caf\u00e9", "cafe\u0301", "01", "1", "12345678901234567", "12345678901234568"]
    found = inspect_rows(tmp_path, [(f"text {name} {i}", name) for name in names for i in range(8)])
    details = [detail for _, _, detail in of_kind(found, "similar_class_names")]
    assert len(details) == 2
    assert any("in Unicode form" in detail for detail in details)
    assert any("as numbers are written" in detail for detail in details)


def test_other_names_are_other_classes(tmp_path):
    names = ["hams", "-1", "1", "not ham", "!", "?", "c", "c++", "c#", "\N{PILE OF POO}", "1.1"]
    found = inspect_rows(tmp_path, [(f"text {name} {i}", name) for name in names for i in range(8)])
    assert of_kind(found, "similar_class_names") == []
    assert len(plain_rows()) == 60
