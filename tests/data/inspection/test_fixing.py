"""Cleaning lists every change, changes nothing else, and leaves nothing to fix."""

import json

import pandas as pd
import pytest

from kerasnlp_lab.data import load_table
from kerasnlp_lab.data.inspection import clean, inspect_table, write_inspection
from kerasnlp_lab.errors import DataError, RunError
from tests.data.inspection.tables import inspect_rows, plain_rows, write_table
from tests.limits import file_size_limit

FIXED = ("bad_row", "exact_duplicate", "two_labels", "html_entity", "control_character")
DIRTY = [
    ("", "ham"),  # 62
    ("fish &amp; chips", "ham"),
    ("Fish & CHIPS", "ham"),  # equal to the other after its repair
    ("win now", "spam"),
    ("WIN now", "ham"),  # 66
    ("win  now", "spam"),
    ("a\x07bell", "ham"),
    ("lost \ufffd", "ham"),
    ("å£5 cash", "spam"),  # 70
    (plain_rows()[0][0] + " then", "ham"),
    (plain_rows()[0][0], "ham"),
    ("“curly” ﬁne\ntwo lines", "ham"),
    ("\x01\x02", "ham"),
]


def read_changes(folder):
    table = pd.read_csv(folder / "changes.csv", keep_default_na=False)
    assert list(table.columns) == ["path", "line", "action", "reason", "before", "after"]
    return table


def texts_of(path):
    data = load_table(path)
    return [text for part in (data.train, data.validation, data.test) for text in part.texts]


@pytest.fixture
def cleaned(tmp_path):
    found = inspect_rows(tmp_path, DIRTY)
    write_inspection(found, tmp_path / "out", clean(found.data))
    return tmp_path


def test_every_change_is_one_line(cleaned):
    path = cleaned / "t.csv"
    table = read_changes(cleaned / "out")
    two_labels = f"the same text has two labels 'spam' at {path}:65, 'ham' at {path}:66"
    first = plain_rows()[0][0]
    assert [tuple(row) for row in table.drop(columns="path").itertuples(index=False)] == [
        (62, "left out", "no text in column text", "", ""),
        (63, "mended", "html_entity", "fish &amp; chips", "fish & chips"),
        (64, "left out", f"same text as {path}:63", "Fish & CHIPS", ""),
        (65, "left out", two_labels, "win now", ""),
        (66, "left out", two_labels, "WIN now", ""),
        (67, "left out", two_labels, "win  now", ""),
        (68, "mended", "control_character", "a\x07bell", "abell"),
        (72, "left out", f"same text as {path}:2", first, ""),
        (75, "left out", "nothing is left of it: control_character", "\x01\x02", ""),
    ]
    assert set(table.path) == {str(path)}


def test_the_cleaned_table_is_the_table_with_these_changes(cleaned):
    before = pd.read_csv(cleaned / "t.csv", keep_default_na=False)
    lines = [*range(2, 74), 75]  # the row of line 73 has two lines
    expected = dict(zip(lines, zip(before.text, before.label, strict=True), strict=True))
    for change in read_changes(cleaned / "out").itertuples():
        text, label = expected.pop(change.line)
        assert change.before == text
        if change.action == "mended":
            expected[change.line] = (change.after, label)
    after = pd.read_csv(cleaned / "out" / "cleaned.csv", keep_default_na=False)
    assert list(after.columns) == ["text", "label"]
    rows = zip(after.text, after.label, strict=True)
    assert list(rows) == [expected[line] for line in sorted(expected)]


def test_there_is_nothing_left_to_fix(cleaned):
    before = inspect_table(cleaned / "t.csv")
    after = inspect_table(cleaned / "out" / "cleaned.csv")
    assert all(before.counts[kind] for kind in FIXED)
    assert not any(after.counts[kind] for kind in FIXED)
    # damage that people must judge, or that cannot be repaired
    assert after.counts["near_duplicate"] == before.counts["near_duplicate"] > 0
    assert after.counts["replacement_character"] == after.counts["mojibake"] == 1
    assert not any(change.action == "mended" for change in clean(after.data).changes)
    assert clean(after.data).changes == ()


def test_the_table_is_not_touched(tmp_path):
    path = write_table(tmp_path / "t.csv", [*plain_rows(), *DIRTY])
    before = path.read_bytes()
    found = inspect_table(path)
    write_inspection(found, tmp_path / "out", clean(found.data))
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out", "t.csv"]
    with pytest.raises(RunError, match="out already exists; remove it, or name another --output"):
        write_inspection(found, tmp_path / "out", clean(found.data))
    with pytest.raises(RunError, match="t.csv already exists"):
        write_inspection(found, path, clean(found.data))
    assert path.read_bytes() == before


def test_of_given_splits_training_loses_the_copy(tmp_path):
    train = [*plain_rows(), ("in all three", "ham"), ("in train and validation", "spam")]
    train += [("in train and test", "ham"), ("in train and test", "ham"), ("torn", "ham")]
    validation = [("own", "ham"), ("in all three", "ham"), ("in train and validation", "spam")]
    test = [("In ALL three", "ham"), ("in train and test", "ham"), ("Torn", "spam")]
    test += [("own in test", "spam"), ("In all three", "ham")]
    tables = {"validation": validation, "test": test}
    paths = {name: write_table(tmp_path / f"{name}.csv", rows) for name, rows in tables.items()}
    found = inspect_table(write_table(tmp_path / "train.csv", train), **paths)
    write_inspection(found, tmp_path / "out", clean(found.data))
    out = {name: tmp_path / "out" / f"{name}.csv" for name in ("train", "validation", "test")}
    texts = {name: list(pd.read_csv(path).text) for name, path in out.items()}
    assert texts == {
        "train": [text for text, _ in plain_rows()],
        "validation": ["own", "in train and validation"],
        "test": ["In ALL three", "in train and test", "own in test"],
    }
    again = inspect_table(out["train"], validation=out["validation"], test=out["test"])
    assert again.counts["in_two_splits"] == again.counts["two_labels"] == 0
    assert not (tmp_path / "out" / "cleaned.csv").exists()


@pytest.mark.parametrize("given", ["validation", "test"])
def test_two_files_are_two_cleaned_files(given, tmp_path):
    train = write_table(tmp_path / "messages.csv", plain_rows())
    other = write_table(tmp_path / "more.csv", [(plain_rows()[5][0], plain_rows()[5][1])])
    found = inspect_table(train, **{given: other})
    cleaned = clean(found.data)
    assert sorted(cleaned.files) == sorted(["train.csv", f"{given}.csv"])
    assert cleaned.rows == 60
    assert [(change.path, change.line) for change in cleaned.changes] == [(str(train), 7)]


def test_what_no_csv_can_hold_becomes_jsonl(tmp_path):
    long = ["line\n" * 1500 + "end", "word " * 40_000, "nul \0 byte", "a\rb", 'quoted "text", c']
    rows = [*plain_rows(), *((text, "ham") for text in long)]
    path = tmp_path / "t.jsonl"
    lines = (json.dumps({"text": text, "label": label}) for text, label in rows)
    path.write_text("\n".join(lines))
    cleaned = clean(load_table(path, skip_bad_rows=True))
    (name,) = cleaned.files
    assert name == "cleaned.jsonl"
    (tmp_path / name).write_bytes(cleaned.files[name])
    expected = [text.strip().replace("\0", "") for text, _ in rows]
    assert sorted(texts_of(tmp_path / name)) == sorted(expected)


def test_carriage_returns_and_quotes_survive_a_csv(tmp_path):
    odd = [
        "a\rb",
        'quoted "text", c',
        "two\r\nlines",
        "'single",
        "=1+1",
        "tab\tin it",
        "NA",
        "null",
    ]
    path = tmp_path / "t.jsonl"
    rows = [*plain_rows(), *((text, "ham") for text in odd)]
    lines = (json.dumps({"text": text, "label": label}) for text, label in rows)
    path.write_text("\n".join(lines))
    cleaned = clean(load_table(path))
    (tmp_path / "cleaned.csv").write_bytes(cleaned.files["cleaned.csv"])
    assert sorted(texts_of(tmp_path / "cleaned.csv")) == sorted(text for text, _ in rows)
    assert cleaned.changes == ()


def test_nothing_left_to_train_on_is_said(tmp_path):
    rows = [*plain_rows(), *[("the only text of a class", "rare")] * 9]
    found = inspect_table(write_table(tmp_path / "t.csv", rows))
    with pytest.raises(DataError, match="the cleaned table would be no table to train on .too few"):
        clean(found.data)


def test_a_full_disk_is_said(tmp_path):
    from kerasnlp_lab.errors import StorageError

    found = inspect_rows(tmp_path, DIRTY)
    cleaned = clean(found.data)
    with file_size_limit(4096), pytest.raises(StorageError, match="cannot write"):
        write_inspection(found, tmp_path / "out", cleaned)
    assert not (tmp_path / "out" / "inspection.json").exists()


@pytest.mark.slow
def test_the_sms_file(sms, tmp_path):
    write_inspection(sms, tmp_path / "out", clean(sms.data))
    after = inspect_table(tmp_path / "out" / "cleaned.csv", seed=2018)
    fixed = ("exact_duplicate", "two_labels", "in_two_splits", "html_entity")
    assert not any(after.counts[kind] for kind in fixed)
    changes = read_changes(tmp_path / "out")
    left_out = (changes.action == "left out").sum()
    assert sum(after.rows.values()) == 5572 - left_out
    assert (changes.after[changes.action == "mended"] != "").all()


def test_columns_that_a_copy_leaves_out_are_named(tmp_path):
    frame = pd.DataFrame(plain_rows(), columns=["text", "label"])
    frame.assign(id=range(len(frame)), score=1.5).to_csv(tmp_path / "t.csv", index=False)
    found = inspect_table(tmp_path / "t.csv")
    assert clean(found.data).other_columns == ("id", "score")
