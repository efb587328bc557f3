"""Rows with target texts: made in Python, read from tables, split, described and refused."""

import dataclasses

import pytest

from kerasnlp_lab.data import (
    Split,
    TextDataset,
    describe_dataset,
    load_again,
    load_labelled_rows,
    load_table,
    without_leaks,
    write_shards,
)
from kerasnlp_lab.data.inspection import inspect_table
from kerasnlp_lab.errors import DataError, OptionError


def written(folder, rows, header="source,target", name="pairs.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def table(tmp_path):
    return written(tmp_path, [f"text {n},TEXT {n}" for n in range(40)])


def targets_of(data):
    parts = (data.train, data.validation, data.test)
    return [[*zip(part.texts, part.target_texts, strict=True)] for part in parts]


def test_columns_are_found_by_name(table):
    data = load_table(table, annotation="target_texts")
    assert data.annotation == "target_texts"
    assert data.label_names == ()
    every = [pair for part in targets_of(data) for pair in part]
    assert sorted(every) == sorted((f"text {n}", f"TEXT {n}") for n in range(40))
    assert [len(part) for part in targets_of(data)] == [28, 6, 6]


def test_a_target_column_is_enough(tmp_path):
    path = written(tmp_path, [f"a {n},b {n}" for n in range(20)], "english,german")
    data = load_table(path, text_columns="english", target_column="german")
    assert data.train.target_texts[0].startswith("b ")


@pytest.mark.parametrize("accent", ["caf\u00e9", "cafe\u0301"], ids=["composed", "decomposed"])
def test_targets_stay_exactly_as_they_are(tmp_path, accent):
    path = written(tmp_path, [f'x {n},"{accent},  Ａ {n}"' for n in range(20)])
    data = load_table(path, annotation="target_texts")
    assert data.train.target_texts[0].startswith(f"{accent},  Ａ ")


def test_a_row_without_a_target_is_refused_by_line_or_skipped(tmp_path):
    rows = [f"text {n},target {n}" for n in range(20)]
    path = written(tmp_path, [*rows[:3], "no target,  ", *rows[3:]])
    with pytest.raises(DataError, match="no text in column target") as caught:
        load_table(path, annotation="target_texts")
    assert caught.value.line == 5
    data = load_table(path, annotation="target_texts", skip_bad_rows=True)
    assert [(row.line, row.reason) for row in data.rejected] == [(5, "no text in column target")]


def test_rows_of_the_same_text_stay_in_one_part(tmp_path):
    path = written(tmp_path, [f"text {n % 20},target {n}" for n in range(60)])
    parts = targets_of(load_table(path, annotation="target_texts"))
    texts = [{text for text, _ in part} for part in parts]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]


def test_a_table_for_each_part(tmp_path, table):
    more = written(tmp_path, ["seen?,no", "text 1,TEXT 1"], name="more.csv")
    data = load_table(table, validation=more, test=more, annotation="target_texts")
    assert len(data.train) == 40
    assert list(data.test.target_texts) == ["no", "TEXT 1"]
    clean = without_leaks(data)
    assert clean.leaks_left_out.train == 1
    assert len(clean.train.target_texts) == 39


def test_a_description_loads_the_same_rows(table):
    data = load_table(table, annotation="target_texts", seed=3)
    again = load_again(describe_dataset(data))
    assert targets_of(again) == targets_of(data)
    assert again.source == data.source


def test_other_rows_have_the_columns_of_training(tmp_path):
    trained = written(tmp_path, [f"a {n},b {n}" for n in range(20)], "english,german")
    source = load_table(trained, text_columns="english", target_column="german").source
    other = written(tmp_path, ["one,eins,x"], "english,german,text", "other.csv")
    rows, rejected = load_labelled_rows(other, (), trained_on=source)
    assert (list(rows.texts), list(rows.target_texts), rejected) == (["one"], ["eins"], ())


def test_the_fingerprint_knows_targets():
    rows = Split(["a", "b"], target_texts=["x", "y"])
    data = TextDataset("two", (), rows, rows, rows)
    other = dataclasses.replace(data, test=Split(["a", "b"], target_texts=["x", "z"]))
    assert data.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (["x"], "expected a target text for each of 2 texts, got 1"),
        (["x", " "], "row 1 has no target text"),
        (["x", None], "row 1 is missing"),
        ("xy", "expected a list of texts, got the single str"),
    ],
    ids=["too few", "empty", "missing", "one string"],
)
def test_targets_that_cannot_be_used(targets, message):
    with pytest.raises(DataError, match=message):
        Split(["a", "b"], target_texts=targets)


def test_classes_beside_targets_are_refused():
    rows = Split(["a"], target_texts=["x"])
    with pytest.raises(DataError, match="leave out label_names"):
        TextDataset("rows", ("pets",), rows, rows, rows)


@pytest.mark.parametrize(
    "arguments",
    [{"label_column": "source"}, {"label_separator": ";"}, {"label_names": ["a"]}],
    ids=str,
)
def test_options_of_labels_are_refused(table, arguments):
    with pytest.raises(OptionError, match="left out for texts with a target text"):
        load_table(table, annotation="target_texts", **arguments)


def test_rare_classes_and_shards_are_refused(table, tmp_path):
    with pytest.raises(OptionError, match="there are no classes"):
        load_table(table, annotation="target_texts", rare_classes="drop")
    with pytest.raises(OptionError, match="target texts, which shards cannot hold"):
        write_shards(load_table(table, annotation="target_texts"), tmp_path / "shards")


def test_one_column_cannot_be_both(table):
    with pytest.raises(DataError, match="cannot be both text and target text"):
        load_table(table, text_columns="source", target_column="source")


def test_too_few_rows(tmp_path):
    path = written(tmp_path, ["a,b"])
    with pytest.raises(DataError, match="cannot take 1 of 1 rows for validation and leave rows"):
        load_table(path, annotation="target_texts")


def test_inspection_finds_texts_with_two_targets(tmp_path):
    rows = [f"text {n},TEXT {n}" for n in range(40)]
    path = written(tmp_path, [*rows, "Text 3,other", "no target,"])
    found = inspect_table(path, annotation="target_texts")
    assert found.counts["two_targets"] == 2
    assert found.counts["bad_row"] == 1
    [one, other] = [one for one in found.findings if one.kind == "two_targets"]
    assert (one.line, one.label, other.line, other.label) == (5, "TEXT 3", 42, "other")
    assert "'TEXT 3' at" in one.detail
    assert [lengths.unit for lengths in found.lengths] == ["words", "characters of target"]
    assert found.lengths[1].longest == 7
    assert found.as_dict()["target_column"] == "target"
