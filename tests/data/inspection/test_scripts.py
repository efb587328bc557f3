"""Scripts: their shares, homoglyphs in words, and texts in another script than the rest."""

import unicodedata

import pytest

from kerasnlp_lab.data.inspection.scripts import mixed_words, script_counts
from tests.data.inspection.tables import inspect_rows, of_kind

RUSSIAN = "встреча завтра в семь часов"


@pytest.mark.parametrize("text", ["plain words 123", RUSSIAN, "Ελλάδα και Europa", "naïve Łódź"])
def test_counts_are_those_of_the_names_of_the_characters(text):
    names = [unicodedata.name(c).split()[0].title() for c in text if c.isalpha()]
    assert dict(script_counts(text)) == {name: names.count(name) for name in set(names)}


def test_what_is_no_letter_of_a_script_does_not_count():
    assert script_counts("12 €, 👍 µ ʼ 。") == {}
    assert script_counts("日本のカメラ") == {"Han": 2, "Hiragana": 1, "Katakana": 3}
    assert script_counts("\U00010330") == {"Other": 1}  # Gothic


@pytest.mark.parametrize(
    "text, found",
    [
        ("p\u0430ypal login", {"p\u0430ypal": "Cyrillic and Latin"}),
        ("free viagr\u03b1!", {"viagr\u03b1": "Greek and Latin"}),
        ("Windowsを使う iPhoneの", {}),
        ("日本のカメラ 김치찌개", {}),
        ("Moskva Москва", {}),
        ("naïve 5µm", {}),
    ],
)
def test_mixed_words(text, found):
    assert mixed_words(text) == found


def test_findings(tmp_path):
    rows = [(RUSSIAN, "ham"), ("win at p\u0430ypal now", "spam"), (f"see {RUSSIAN}", "ham")]
    found = inspect_rows(tmp_path, rows)
    detail = "mostly Cyrillic; the table is mostly Latin"
    assert of_kind(found, "other_script") == [("t.csv", 62, detail), ("t.csv", 64, detail)]
    assert of_kind(found, "mixed_scripts") == [
        ("t.csv", 63, '"p\u0430ypal" is written in Cyrillic and Latin')
    ]
    assert list(found.scripts) == ["Latin", "Cyrillic"]
    assert sum(found.scripts.values()) == pytest.approx(1)


def test_a_table_without_letters(tmp_path):
    from tests.data.inspection.tables import inspect_table, write_table

    rows = [(f"{n} {n + 1}", "odd" if n % 2 else "even") for n in range(40)]
    found = inspect_table(write_table(tmp_path / "t.csv", rows))
    assert found.scripts == {}
    assert found.counts["other_script"] == 0
