"""`load_table` makes a dataset from a user's own rows, and names the rows that it cannot use."""

import bz2
import csv
import gzip
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from kerasnlp_lab.data import load_labelled_rows, load_table
from kerasnlp_lab.errors import DataError, OptionError
from tests.data.table_files import write


def rows(count=20, labels=("ham", "spam"), header="text,label"):
    lines = [f"text {i},{labels[i % len(labels)]}" for i in range(count)]
    return "\n".join([header, *lines]) + "\n"


def pairs(split, names):
    return [(text, names[label]) for text, label in zip(split.texts, split.labels, strict=True)]


def all_pairs(data):
    parts = (data.train, data.validation, data.test)
    return sorted(pair for part in parts for pair in pairs(part, data.label_names))


def with_rows(folder, *lines, name="messages.csv"):
    """Returns twenty good rows on lines 2 to 21, followed by the given ones."""
    return write(folder, rows() + "".join(line + "\n" for line in lines), name)


@pytest.fixture(scope="module")
def sms_file(test_data):
    return test_data / "sms_spam" / "spamdata_v2.csv"


@pytest.fixture(scope="module")
def sms_rows(sms_file):
    with sms_file.open(encoding="utf-8", newline="") as file:
        _, *found = csv.reader(file)
    return [row[1].strip() for row in found], np.array([int(row[0]) for row in found])


def test_the_tutorials_sms_file_in_the_tutorials_splits(sms_file, sms_rows):
    texts, labels = sms_rows
    train, rest, train_labels, rest_labels = train_test_split(
        texts, labels, random_state=2018, test_size=0.3, stratify=labels
    )
    validation, test, *_ = train_test_split(
        rest, rest_labels, random_state=2018, test_size=0.5, stratify=rest_labels
    )
    data = load_table(sms_file, seed=2018)
    assert data.label_names == ("0", "1")
    assert sorted(data.train.texts) == sorted(train)
    assert sorted(data.validation.texts) == sorted(validation)
    assert sorted(data.test.texts) == sorted(test)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [3900, 836, 836]
    parts = (data.train, data.validation, data.test)
    assert sum(int(part.labels.sum()) for part in parts) == 747
    truth = sorted(zip(texts, map(str, labels.tolist()), strict=True))
    assert all_pairs(data) == truth
    assert data.rejected == ()


def test_the_splits_keep_the_order_of_the_file(tmp_path):
    data = load_table(write(tmp_path, rows(100)), seed=3)
    for part in (data.train, data.validation, data.test):
        numbers = [int(text.split()[1]) for text in part.texts]
        assert numbers == sorted(numbers)


def test_other_seeds_give_other_splits(tmp_path):
    path = write(tmp_path, rows(100))
    first, again = (tuple(load_table(path, seed=1).test.texts) for _ in range(2))
    assert first == again
    assert first != tuple(load_table(path, seed=2).test.texts)


@pytest.mark.parametrize("validation, test", [(0.1, 0.1), (0.1, 0.2), (0.2, 0.1), (0.05, 0.3)])
def test_fractions_are_of_all_rows_and_stratified(validation, test, tmp_path):
    path = write(tmp_path, rows(1000, ("a", "a", "a", "b")))
    data = load_table(path, validation_fraction=validation, test_fraction=test)
    sizes = [len(data.validation), len(data.test)]
    assert sizes == [round(1000 * validation), round(1000 * test)]
    for part in (data.train, data.validation, data.test):
        assert part.labels.mean() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"validation_fraction": 0.0}, "the validation fraction must be a share of the rows"),
        ({"test_fraction": -0.1}, "the test fraction must be a share of the rows"),
        ({"validation_fraction": 0.5, "test_fraction": 0.5}, "must be below 1 together, got 1.0"),
        ({"test_fraction": 1.5}, "the test fraction must be a share of the rows.*got 1.5"),
        (
            {"test_fraction": float("nan")},
            "fraction must be a share of the rows, above 0 and below 1, got",
        ),
        ({"seed": -1}, "the seed of the split must be"),
        ({"seed": 2**32}, "the seed of the split must be"),
    ],
)
def test_a_fraction_or_seed_out_of_range(options, message, tmp_path):
    with pytest.raises(OptionError, match=message):
        load_table(write(tmp_path, rows()), **options)


FRAME = pd.DataFrame(
    {"text": [f"text {i}" for i in range(40)], "label": [i % 2 for i in range(40)]}
)


@pytest.mark.parametrize(
    "name", ["m.csv", "m.tsv", "m.jsonl", "m.parquet", "m.csv.gz", "m.jsonl.bz2"]
)
def test_every_kind_of_file_gives_the_same_dataset(name, tmp_path):
    lines = FRAME.to_json(orient="records", lines=True)
    content = {
        "m.csv": FRAME.to_csv(index=False).encode(),
        "m.tsv": FRAME.to_csv(index=False, sep="\t").encode(),
        "m.jsonl": lines.encode(),
        "m.csv.gz": gzip.compress(FRAME.to_csv(index=False).encode()),
        "m.jsonl.bz2": bz2.compress(lines.encode()),
        "m.parquet": FRAME.to_parquet(index=False),
    }[name]
    data = load_table(write(tmp_path, content, name))
    first = load_table(write(tmp_path, FRAME.to_csv(index=False), "reference.csv"))
    assert data.label_names == ("0", "1")
    assert data.fingerprint == first.fingerprint
    assert all_pairs(data) == sorted((f"text {i}", str(i % 2)) for i in range(40))


@pytest.mark.parametrize(
    "labels, order",
    [
        (("10", "9", "-1", "0"), ("-1", "0", "9", "10")),
        (("spam", "ham", "Ham", "not spam"), ("Ham", "ham", "not spam", "spam")),
        (("10", "9", "b"), ("10", "9", "b")),
        (("-", "1"), ("-", "1")),
        (("--1", "1"), ("--1", "1")),
        (("ünï", "日本"), ("ünï", "日本")),
        # Their numbers are equal, so a set's order would differ between processes.
        (
            ("1", "01", "00001", "001", "02", "2", "0001"),
            ("00001", "0001", "001", "01", "1", "02", "2"),
        ),
    ],
)
def test_order_of_the_classes(labels, order, tmp_path):
    data = load_table(write(tmp_path, rows(10 * len(labels), labels)))
    assert data.label_names == order
    assert all_pairs(data) == sorted(
        (f"text {i}", labels[i % len(labels)]) for i in range(10 * len(labels))
    )


def test_labels_lose_the_spaces_around_them(tmp_path):
    data = load_table(with_rows(tmp_path, "more , ham ", "much,\tspam"))
    assert data.label_names == ("ham", "spam")


def test_texts_keep_what_is_within(tmp_path):
    data = load_table(with_rows(tmp_path, '"a  ""b"",\n c",ham'))
    assert ('a  "b",\n c', "ham") in all_pairs(data)


def test_several_text_columns_are_joined_in_the_order_asked_for(tmp_path):
    lines = ["title,body,label", *(f"title {i},body {i},{i % 2}" for i in range(20)), ",only,1"]
    path = write(tmp_path, "\n".join(lines))
    data = load_table(path, text_columns=["body", "title"])
    texts = [text for text, _ in all_pairs(data)]
    assert "body 7 title 7" in texts
    assert "only" in texts
    assert data.source.text_columns == ("body", "title")


@pytest.mark.parametrize(
    "header", ["Text,LABEL", "message,Class", "SMS,target", "review,sentiment"]
)
def test_columns_whose_names_leave_no_doubt(header, tmp_path):
    data = load_table(write(tmp_path, rows(header=header)))
    text_column, label_column = header.split(",")
    assert data.source.text_columns == (text_column,)
    assert data.source.label_column == label_column


@pytest.mark.parametrize(
    "header, options, message",
    [
        ("text,message,label", {}, r"text or message\? Say --text-column NAME"),
        ("text,label,class", {}, r"label or class\? Say --label-column NAME"),
        ("Text,text,label", {}, r"Text or text\? Say --text-column NAME"),
        (
            "a,b,label",
            {},
            r"none has a name that tells[.;] [Ss]ay --text-column NAME; there are a, b",
        ),
        ("text,b,c", {}, r"none has a name that tells[.;] [Ss]ay --label-column NAME"),
        ("text,b,label", {"text_columns": ["Text"]}, "no column 'Text'; there are text, b, label"),
        ("text,b,label", {"label_column": "LABEL"}, "no column 'LABEL'; there are text, b, label"),
        ("text,b,label", {"label_column": "text"}, "column 'text' cannot be both text and label"),
        ("text,b,label", {"text_columns": ["text", "label"]}, "'label' cannot be both"),
    ],
)
def test_columns_that_leave_a_doubt(header, options, message, tmp_path):
    path = write(tmp_path, f"{header}\n" + "x,y,0\nx,y,1\n" * 10)
    with pytest.raises(DataError, match=f"messages.csv.*: .*{message}"):
        load_table(path, **options)


def test_a_column_that_is_named_ends_the_doubt(tmp_path):
    path = write(tmp_path, "text,message,label\n" + "a,b,0\nc,d,1\n" * 10)
    assert load_table(path, text_columns=["message"]).train.texts[0] in ("b", "d")


BAD = [
    ("alone", "expected 2 columns, got 1"),
    ("a, b,ham", "expected 2 columns, got 3: a delimiter without quotes?"),
    (",ham", "no text in column text"),
    ("   ,ham", "no text in column text"),
    ("hello,", "no label in column label"),
    ("hello, ", "no label in column label"),
    ('"oops,ham', "a quotation mark that is never closed"),
]


@pytest.mark.parametrize("row, reason", BAD)
def test_a_bad_row_stops_with_file_line_and_reason(row, reason, tmp_path):
    path = with_rows(tmp_path, row)
    with pytest.raises(DataError) as caught:
        load_table(path)
    assert str(caught.value).startswith(f"{path}, line 22: {reason}")
    assert "--bad-rows skip" in str(caught.value)


def test_bad_rows_are_skipped_and_every_one_is_told_of(tmp_path):
    path = with_rows(tmp_path, *(row for row, _ in BAD))
    data = load_table(path, skip_bad_rows=True)
    assert [(row.path, row.line, row.reason) for row in data.rejected] == [
        (str(path), 22 + place, reason) for place, (_, reason) in enumerate(BAD)
    ]
    assert all_pairs(data) == sorted((f"text {i}", ("ham", "spam")[i % 2]) for i in range(20))


def test_a_long_bad_row_is_quoted_in_part(tmp_path):
    data = load_table(with_rows(tmp_path, "x" * 5000), skip_bad_rows=True)
    assert data.rejected[0].content == "x" * 200


def test_a_missing_key_or_null_is_no_text_or_no_label(tmp_path):
    good = [{"text": f"text {i}", "label": i % 2} for i in range(20)]
    bad = [{"text": "a"}, {"label": 1}, {"text": None, "label": 1}, {"text": "a", "label": None}]
    path = write(tmp_path, "\n".join(json.dumps(row) for row in bad + good), "m.jsonl")
    data = load_table(path, skip_bad_rows=True)
    no_label, no_text = "no label in column label", "no text in column text"
    assert [(row.line, row.reason) for row in data.rejected] == [
        (1, no_label),
        (2, no_text),
        (3, no_text),
        (4, no_label),
    ]


def test_parquet_nulls_are_counted_by_row(tmp_path):
    frame = FRAME.astype({"label": "Int64"})
    frame.loc[4, "label"] = pd.NA
    frame.loc[6, "text"] = None
    frame.to_parquet(tmp_path / "m.parquet")
    data = load_table(tmp_path / "m.parquet", skip_bad_rows=True)
    assert data.label_names == ("0", "1")
    assert [row.line for row in data.rejected] == [5, 7]


@pytest.mark.parametrize(
    "content, message",
    [
        ("text,label\n", "no rows that can be used"),
        ("text,label\n" + "a,ham\n" * 9, "every row has the label 'ham'"),
        (rows(40, [f"id{i}" for i in range(40)]), "column 'label' has 40 different values in 40"),
        (rows(20) + "rare,eggs\n", r"too few rows .*\(rows a class: \[1, 10, 10\]\)"),
    ],
    ids=["header only", "one class", "ids", "a class with one row"],
)
def test_rows_that_nothing_can_be_learnt_from(content, message, tmp_path):
    with pytest.raises(DataError, match=f"messages.csv: .*{message}"):
        load_table(write(tmp_path, content))


def test_nothing_left_after_skipping(tmp_path):
    with pytest.raises(DataError, match="messages.csv: no rows that can be used"):
        load_table(write(tmp_path, "text,label\na\nb\n"), skip_bad_rows=True)


def test_given_splits_are_used_whole(tmp_path):
    train = write(tmp_path, rows(20), "train.csv")
    validation = write(tmp_path, "label\ttext\nspam\tv\n", "validation.tsv")
    test = write(tmp_path, '{"text": "t", "label": "ham"}\n', "test.jsonl")
    data = load_table(train, validation=validation, test=test)
    assert len(data.train) == 20
    assert pairs(data.validation, data.label_names) == [("v", "spam")]
    assert pairs(data.test, data.label_names) == [("t", "ham")]


def test_validation_given_and_not_test(tmp_path):
    train, other = write(tmp_path, rows(100), "train.csv"), write(tmp_path, rows(6), "other.csv")
    data = load_table(train, validation=other, test_fraction=0.2, seed=5)
    names = [f"text {i}" for i in range(100)]
    kept, held = train_test_split(
        names, test_size=0.2, random_state=5, stratify=[i % 2 for i in range(100)]
    )
    assert sorted(data.train.texts) == sorted(kept)
    assert sorted(data.test.texts) == sorted(held)
    assert tuple(data.validation.texts) == tuple(names[:6])


def test_test_given_and_not_validation(tmp_path):
    train, other = write(tmp_path, rows(100), "train.csv"), write(tmp_path, rows(6), "other.csv")
    data = load_table(train, test=other, validation_fraction=0.1, seed=5)
    names = [f"text {i}" for i in range(100)]
    kept, held = train_test_split(
        names, test_size=0.1, random_state=5, stratify=[i % 2 for i in range(100)]
    )
    assert sorted(data.train.texts) == sorted(kept)
    assert sorted(data.validation.texts) == sorted(held)
    assert tuple(data.test.texts) == tuple(names[:6])


@pytest.mark.parametrize("given, taken", [("validation", "test"), ("test", "validation")])
def test_too_few_rows_to_take_a_split_from(given, taken, tmp_path):
    """The message names the missing split and the file."""
    train = write(tmp_path, rows(20) + "rare,eggs\n", "train.csv")
    other = write(tmp_path, rows(6), "other.csv")
    with pytest.raises(DataError, match=f"train.csv: .*{taken}.*rows a class"):
        load_table(train, **{given: other})
    with pytest.raises(OptionError, match=f"the {taken} fraction must .*got 1.5"):
        load_table(train, **{given: other, f"{taken}_fraction": 1.5})


@pytest.mark.parametrize("part", ["validation", "test"])
def test_an_unknown_label_in_a_given_split(part, tmp_path):
    train = write(tmp_path, rows(20), "train.csv")
    other = write(tmp_path, rows(6) + "a,eggs\nb,\nc,Ham\nd,ham\n", "other.csv")
    with pytest.raises(DataError) as caught:
        load_table(train, **{part: other})
    assert str(caught.value).startswith(f"{other}, line 8: label 'eggs' is none of ham, spam")
    data = load_table(train, **{part: other}, skip_bad_rows=True)
    assert [(row.path, row.line, row.reason) for row in data.rejected] == [
        (str(other), 8, "label 'eggs' is none of ham, spam"),
        (str(other), 9, "no label in column label"),
        (str(other), 10, "label 'Ham' is none of ham, spam"),
    ]
    assert len(getattr(data, part)) == 7


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_given_split_without_the_columns(part, tmp_path):
    train = write(tmp_path, rows(20), "train.csv")
    other = write(tmp_path, rows(6, header="sms,label"), "other.csv")
    with pytest.raises(DataError, match="other.csv: no column 'text'; there are sms, label"):
        load_table(train, **{part: other})


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("content", ["text,label\n", "text,label\na,eggs\n"])
def test_a_given_split_without_rows(part, content, tmp_path):
    """Without rows it could neither choose weights nor report results."""
    train, other = write(tmp_path, rows(20), "train.csv"), write(tmp_path, content, "other.csv")
    with pytest.raises(DataError, match="other.csv: no rows that can be used"):
        load_table(train, **{part: other}, skip_bad_rows=True)


def test_labelled_rows_for_a_classifier(tmp_path):
    path = write(tmp_path, "text,label\na,spam\nb,ham\nc,eggs\n")
    found, rejected = load_labelled_rows(path, ("spam", "ham"), skip_bad_rows=True)
    assert (tuple(found.texts), found.labels.tolist()) == (("a", "b"), [0, 1])
    assert [(row.line, row.reason) for row in rejected] == [
        (4, "label 'eggs' is none of ham, spam")
    ]
    with pytest.raises(DataError, match="messages.csv, line 4: label 'eggs' is none of"):
        load_labelled_rows(path, ("spam", "ham"))


def test_skipped_rows_are_named_beside_a_problem(tmp_path):
    path = write(tmp_path, "text,label\n" + "hi,ham\n" * 9 + ",spam\n" * 3)
    with pytest.raises(DataError, match=r"every row.*3 rows were skipped: line 11, no text in"):
        load_table(path, skip_bad_rows=True)
