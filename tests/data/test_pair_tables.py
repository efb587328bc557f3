"""Tables of pairs: two columns of texts, to train, evaluate, predict and inspect."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from kerasnlp_lab.data import (
    describe_dataset,
    load_again,
    load_labelled_rows,
    load_table,
    without_leaks,
)
from kerasnlp_lab.data.inspection import clean, inspect_table
from kerasnlp_lab.data.pairs import join_pair, split_pair
from kerasnlp_lab.data.tables import TableFormat
from kerasnlp_lab.data.unlabelled import read_column
from kerasnlp_lab.errors import DataError
from tests.data.table_files import write

COLUMNS = {"text_columns": "premise", "second_text_column": "hypothesis"}
ROWS = [
    (f"A man walks dog {i}.", f"Somebody is out {i}.", "yes no".split()[i % 2]) for i in range(24)
]


def save(folder, rows=ROWS, name="pairs.csv"):
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("premise", "hypothesis", "label"), *rows])
    return path


def test_two_columns_are_pairs(tmp_path):
    data = load_table(save(tmp_path), **COLUMNS)
    assert data.pair == ("premise", "hypothesis")
    every = [*data.train.texts, *data.validation.texts, *data.test.texts]
    assert sorted(map(split_pair, every)) == sorted(row[:2] for row in ROWS)
    frame = pd.DataFrame(ROWS, columns=["premise", "hypothesis", "label"])
    frame.to_parquet(tmp_path / "pairs.parquet")
    assert load_table(tmp_path / "pairs.parquet", **COLUMNS).fingerprint == data.fingerprint
    described = json.loads(json.dumps(describe_dataset(data)))
    again = load_again(described)
    assert (again.source, again.pair) == (data.source, data.pair)


def test_the_first_text_may_have_several_columns(tmp_path):
    path = write(tmp_path, "title,body,reply,label\n" + "a,b,c,x\nd,e,f,y\n" * 12)
    data = load_table(path, text_columns=("title", "body"), second_text_column="reply")
    assert data.pair == ("title and body", "reply")
    assert {*map(split_pair, data.train.texts)} == {("a b", "c"), ("d e", "f")}


@pytest.mark.parametrize(
    "row, reason",
    [
        (("a", " ", "yes"), "no text in column hypothesis"),
        (("", "b", "yes"), "no text in column premise"),
        ((" ", "", "yes"), "no text in column premise and hypothesis"),
        (("a", "b", ""), "no label in column label"),
    ],
)
def test_a_pair_without_one_of_its_texts_is_bad(row, reason, tmp_path):
    path = save(tmp_path, [*ROWS, row])
    with pytest.raises(DataError, match=f"pairs.csv, line 26: {reason}"):
        load_table(path, **COLUMNS)
    (bad,) = load_table(path, skip_bad_rows=True, **COLUMNS).rejected
    assert (bad.line, bad.reason) == (26, reason)
    assert "\x1f" not in bad.content


def test_what_joins_pairs_is_a_space_in_a_cell(tmp_path):
    rows = [("a\x1fb", "c\x1f", "yes"), *ROWS]
    data = load_table(save(tmp_path, rows), **COLUMNS)
    every = [*data.train.texts, *data.validation.texts, *data.test.texts]
    assert join_pair("a b", "c") in every
    assert data.notes == ("1 rows have the control character U+001F, read as a space",)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"second_text_column": "Hypothesis"}, "no column 'Hypothesis'; .* did you mean"),
        ({"second_text_column": "premise"}, "cannot be both texts of a pair"),
        ({"second_text_column": "label"}, "cannot be both text and label"),
    ],
)
def test_columns_that_cannot_be(settings, message, tmp_path):
    with pytest.raises(DataError, match=f"pairs.csv: .*{message}"):
        load_table(save(tmp_path), text_columns="premise", **settings)


def test_evaluation_reads_the_columns_that_were_trained_on(tmp_path):
    data = load_table(save(tmp_path), **COLUMNS)
    other = write(tmp_path, "text,label,hypothesis,premise\nx,yes,second,first\n", "other.csv")
    found, _ = load_labelled_rows(other, data.label_names, trained_on=data.source)
    assert list(found.texts) == [join_pair("first", "second")]
    found, _ = load_labelled_rows(
        other, data.label_names, trained_on=data.source, text_columns="text"
    )
    assert list(found.texts) == [join_pair("x", "second")]


def test_predictions_read_pairs(tmp_path):
    path = save(tmp_path, [("a", "b", "yes"), ("c", "", "no")])
    rows, note = read_column(path, (), ["premise"], TableFormat(), second_text_column="hypothesis")
    first, bad = rows
    assert (first.text, first.cells["premise"]) == (join_pair("a", "b"), "a")
    assert bad.reason == "no text in column hypothesis"
    assert note == "the pairs are in columns premise and hypothesis"
    with pytest.raises(DataError, match="; name both columns: --text-column FIRST --second-text"):
        read_column(path, (), ["premise"], TableFormat(), second_text_column="answer")


def test_both_texts_make_a_leak(tmp_path):
    train = [*ROWS, ("First text", "second", "yes"), ("first", "text second", "no")]
    test = [("first  TEXT", "Second", "yes")]
    data = load_table(save(tmp_path, train), test=save(tmp_path, test, "test.csv"), **COLUMNS)
    left = without_leaks(data)
    assert left.leaks_left_out.train + left.leaks_left_out.validation == 1


LONG = "the quick brown fox jumps over the lazy dog near the old river bank"


def test_inspection_compares_both_texts(tmp_path):
    rows = [
        *ROWS,
        (LONG, "a fox jumps over a dog", "yes"),
        (LONG, "nobody sleeps in the sun", "no"),  # another pair
        (f"{LONG}!", "a fox jumps over a dog!", "yes"),  # nearly the first
        (LONG.upper(), "A fox  jumps over a dog", "no"),  # the same as the first
    ]
    found = inspect_table(save(tmp_path, rows), near=0.7, **COLUMNS)
    lines = {
        kind: {one.line for one in found.findings if one.kind == kind}
        for kind in ("exact_duplicate", "near_duplicate", "two_labels", "control_character")
    }
    assert lines["exact_duplicate"] == {29}
    assert lines["two_labels"] == {26, 29}
    assert 28 in lines["near_duplicate"] and not lines["near_duplicate"] & {26, 27}
    assert not lines["control_character"]
    assert [one.unit for one in found.lengths] == ["words of premise", "words of hypothesis"]
    text = next(one.text for one in found.findings if one.line == 29)
    assert text == f"{LONG.upper()} | A fox  jumps over a dog"
    assert any("in pairs of texts" in note for note in found.notes)


def test_a_cleaned_copy_has_both_columns(tmp_path):
    rows = [*ROWS, ("caf\u00c3\u00a9 &amp; bar", "it&#39;s open", "yes"), ROWS[0]]
    found = inspect_table(save(tmp_path, rows), **COLUMNS)
    cleaned = clean(found.data)
    path = write(tmp_path, cleaned.files["cleaned.csv"], "cleaned.csv")
    with path.open(newline="", encoding="utf-8") as file:
        header, *copied = csv.reader(file)
    assert header == ["text", "second_text", "label"]
    assert copied[-1] == ["café & bar", "it's open", "yes"]
    assert len(copied) == len(ROWS) + 1
    (mended,) = (one for one in cleaned.changes if one.action == "mended")
    assert mended.after == "café & bar | it's open"
    assert cleaned.other_columns == ()
    assert Path(mended.path).name == "pairs.csv"
