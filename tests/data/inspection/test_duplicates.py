"""Exact duplicates, texts in two splits and texts with two labels are reported with both lines."""

from collections import Counter

import pandas as pd

from kerasnlp_lab.data import load_table
from kerasnlp_lab.data.inspection import inspect_table
from tests.data.inspection.tables import inspect_rows, lines_of, of_kind, plain_rows, write_table


def test_same_texts_differ_in_case_spaces_and_composition_only(tmp_path):
    rows = [
        ("Café  at NOON", "ham"),
        ("cafe\u0301 at\tnoon", "ham"),
        ("cafe at noon", "ham"),  # no accent: another text
        ("STRASSE", "ham"),
        ("straße", "ham"),
    ]
    found = inspect_rows(tmp_path, rows)
    path = tmp_path / "t.csv"
    assert of_kind(found, "exact_duplicate") == [
        ("t.csv", 63, f"same as {path}:62"),
        ("t.csv", 66, f"same as {path}:65"),
    ]


def test_the_line_is_where_a_row_begins(tmp_path):
    rows = [("two\nlines", "ham"), ("one more", "ham"), ("two lines", "ham")]
    assert lines_of(inspect_rows(tmp_path, rows), "exact_duplicate") == [65]


def test_two_labels(tmp_path):
    rows = [("call me", "ham"), ("CALL me", "spam"), ("call  me", "ham"), ("other", "spam")]
    found = inspect_rows(tmp_path, rows)
    path = tmp_path / "t.csv"
    detail = f"labels 'ham' at {path}:62, 'spam' at {path}:63"
    assert of_kind(found, "two_labels") == [("t.csv", line, detail) for line in (62, 63, 64)]
    labels = [f.label for f in found.findings if f.kind == "two_labels"]
    assert labels == ["ham", "spam", "ham"]


def test_texts_in_two_given_splits(tmp_path):
    train = write_table(tmp_path / "train.csv", [*plain_rows(), ("shared by all", "ham")])
    validation = write_table(
        tmp_path / "validation.csv",
        [("own text of validation", "ham"), ("Shared by ALL", "ham"), ("lately seen", "spam")],
    )
    test = write_table(
        tmp_path / "test.csv",
        [("shared by all", "ham"), ("lately  seen", "spam"), ("own text of test", "ham")] * 2,
    )
    found = inspect_table(train, validation=validation, test=test)
    in_train, in_validation = f"in train at {train}:62", f"in validation at {validation}:4"
    assert of_kind(found, "in_two_splits") == [
        ("validation.csv", 3, f"in validation; {in_train}"),
        ("test.csv", 2, f"in test; {in_train}"),
        ("test.csv", 3, f"in test; {in_validation}"),
        ("test.csv", 5, f"in test; {in_train}"),
        ("test.csv", 6, f"in test; {in_validation}"),
    ]
    assert found.counts["near_in_two_splits"] == 0  # exact duplicates are not reported as near ones
    assert found.rows == {"train": 61, "validation": 3, "test": 6, "bad": 0}


def test_the_splits_are_those_of_load_table(tmp_path):
    """Each text occurs twice. The test counts the pairs that load_table puts in two splits."""
    path = write_table(tmp_path / "t.csv", plain_rows() * 2)
    for seed in (0, 2018):
        data = load_table(path, seed=seed)
        splits: dict[str, set[str]] = {}
        for name in ("train", "validation", "test"):
            for text in getattr(data, name).texts:
                splits.setdefault(text, set()).add(name)
        found = inspect_table(path, seed=seed)
        apart = [found for found in splits.values() if len(found) == 2]
        assert found.counts["in_two_splits"] == len(apart) > 5
        assert found.counts["exact_duplicate"] == 60


def test_the_sms_file_by_pandas(sms):
    found = sms
    table = pd.read_csv(sms.data.source.place, dtype=str)
    same = table.text.str.casefold().str.normalize("NFC").str.split().str.join(" ")
    assert found.rows == {"train": 3900, "validation": 836, "test": 836, "bad": 0}
    assert {k: sum(v.values()) for k, v in found.balance.items()} == dict(Counter(table.label))
    assert found.counts["exact_duplicate"] == same.duplicated().sum() == 415
    labels = table.label.groupby(same).nunique()
    assert found.counts["two_labels"] == same.isin(labels[labels > 1].index).sum()
    assert found.counts["html_entity"] == table.text.str.contains("&(?:lt|gt|amp);").sum()
    assert found.counts["c1_control"] == table.text.str.contains("[\x80-\x9f]").sum()
    data = found.data
    train = {" ".join(t.casefold().split()) for t in data.train.texts}
    validation = [" ".join(t.casefold().split()) for t in data.validation.texts]
    test = [" ".join(t.casefold().split()) for t in data.test.texts]
    torn = sum(t in train for t in validation) + sum(t in train or t in validation for t in test)
    assert found.counts["in_two_splits"] == torn


def test_a_table_by_a_relative_path_and_through_a_link(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    lines = ["text,label", "one two three,a", "one two three,a"]
    lines += [f"text number {n},{'ab'[n % 2]}" for n in range(40)]
    (tmp_path / "real" / "table.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    for path in ("real/table.csv", "link/table.csv", str(tmp_path / "link" / "table.csv")):
        found = inspect_table(path).findings
        assert [one.path for one in found if one.kind == "exact_duplicate"] == [path]
