"""Tables of texts with several labels: lists in cells, columns of 0 and 1, and their splits."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

from kerasnlp_lab.data import describe_dataset, load_again, load_labelled_rows, load_table
from kerasnlp_lab.data.columns import Columns
from kerasnlp_lab.data.inspection import clean, inspect_table
from kerasnlp_lab.data.label_cells import joined_labels, read_labels
from kerasnlp_lab.data.label_set_splits import deal_rows
from kerasnlp_lab.data.tables import TableFormat, TableRow
from kerasnlp_lab.errors import DataError, OptionError
from tests.data.table_files import write

SETS = [("joy",), ("joy", "fear"), (), ("fear", "awe, wonder")]


def save(folder, sets=SETS, times=6, name="m.csv", cell=joined_labels):
    """Writes a CSV of texts with these sets of labels, again and again."""
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = ((f"text {i}", cell(sets[i % len(sets)])) for i in range(times * len(sets)))
        csv.writer(file).writerows([("text", "labels"), *rows])
    return path


def load(path, **settings):
    return load_table(path, annotation="label_sets", **settings)


def named(split, names):
    return [tuple(names[label] for label in ids) for ids in split.label_sets]


def all_named(data):
    """The labels of each row by its text."""
    parts = (data.train, data.validation, data.test)
    return {
        text: labels
        for part in parts
        for text, labels in zip(part.texts, named(part, data.label_names), strict=True)
    }


def labels_of(cell, separator=None, names=()):
    columns = Columns(label="label", annotation="label_sets", separator=separator, names=names)
    return read_labels(TableRow(1, {"label": cell}), columns)


@pytest.mark.parametrize(
    "cell, labels",
    [
        ("", ()),
        ("a", ("a",)),
        (" a , b,a", ("a", "b")),
        ("a,,b,", ("a", "b")),
        ('"a, b",c', ("a, b", "c")),
        ('"say ""hi""", b', ('say "hi"', "b")),
        ('5" disk, b', ('5" disk', "b")),
        ('["a, b","c"]', ("a, b", "c")),
        ('["caf\\u00e9"]', ("café",)),
        ("['a', \"it's\"]", ("a", "it's")),  # Python's, which to_csv writes for a list
        ("['a' 'b'\n 'c']", ("a", "b", "c")),  # NumPy's, which to_csv writes for an array
        ("[4 27]", ("4", "27")),
        ("{'a', 'b'}", ("a", "b")),
        ("('a',)", ("a",)),
        ("[]", ()),
        ("[deleted]", ("[deleted]",)),
        ("[deleted], a", ("[deleted]", "a")),
        (":)", (":)",)),
    ],
)
def test_a_cell_with_labels(cell, labels):
    assert labels_of(cell)[0] == labels


@pytest.mark.parametrize(
    "cell, separator, labels",
    [
        ("a, b; c", ";", ("a, b", "c")),
        ('"a;b" ; c', ";", ("a;b", "c")),
        ("a || b", "||", ("a", "b")),
        ('a  "b c"', " ", ("a", "b c")),
        ("a\tb", "\t", ("a", "b")),
        ("[a;b]", ";", ("[a", "b]")),
    ],
)
def test_another_separator(cell, separator, labels):
    assert labels_of(cell, separator).labels == labels


@pytest.mark.parametrize(
    "cell, wrong",
    [
        ('"a, b', "open quotation mark"),
        ('"a" b, c', "open quotation mark"),
        ("[a, b]", 'look like a list: quote its names, as in ."a", "b".'),
        ("[None, 'a']", "look like a list: take None out, or quote it"),
        ('["a", null]', "look like a list: take null out, or quote it"),
        ("['a', '']", "one of them is empty: take it out"),
        ('["a", "b"', "look like a list with a mistake"),
        ("['a', 'b'],", "look like a list with a mistake"),
        ("[4, 27", "look like a list with a mistake"),
        ("a', 'b']", "look like a list with a mistake"),
        ("('a', 'b'", "look like a list with a mistake"),
        ('{"a": 1, "b": 0}', "look like an object"),
    ],
)
def test_a_cell_that_cannot_be_read(cell, wrong, tmp_path):
    path = save(tmp_path, [("a",), (cell,)], cell=lambda labels: labels[0])
    with pytest.raises(DataError, match=f"m.csv, line 3: the labels .*{wrong}"):
        load(path)


@pytest.mark.parametrize("labels", [("a, b", "c"), ('"q"', "[z]"), ("a",), ("b]",), ()])
def test_labels_are_written_so_that_they_are_read_back(labels):
    assert labels_of(joined_labels(labels)).labels == labels


def test_a_table_with_names_between_commas(tmp_path):
    data = load(save(tmp_path))
    assert data.label_names == ("awe, wonder", "fear", "joy")
    assert data.annotation == "label_sets"
    assert all_named(data) == {f"text {i}": tuple(sorted(SETS[i % 4])) for i in range(24)}
    assert data.notes == ("6 of 24 texts have no label",)


@pytest.mark.parametrize("name", ["m.jsonl", "m.parquet", "lists.csv", "m.txt"])
def test_every_format_gives_the_same_dataset(name, tmp_path):
    sets = [("joy",), ("joy", "fear"), (), ("fear", "awe")]
    expected = load(save(tmp_path, sets))
    rows = [(f"text {i}", list(sets[i % 4])) for i in range(24)]
    frame, path = pd.DataFrame(rows, columns=["text", "labels"]), tmp_path / name
    if name == "m.txt":  # fastText's
        lines = (" ".join([*(f"__label__{one}" for one in of), text]) for text, of in rows)
        path.write_text("\n".join(lines) + "\n")
    elif name == "m.jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif name == "m.parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    data = load(path)
    assert data.fingerprint == expected.fingerprint
    note = "labels are read from lists (24 of 24 rows)"
    assert (note in data.notes) == (name != "m.txt")


@pytest.mark.parametrize(
    "value, wrong",
    [
        ([{"a": 1}], "expected a list of names"),
        ([["a"]], "expected a list of names"),
        (["a", None], r'the labels are \["a", null\]: one of them is empty: take it out'),
        ({"a": 1}, r"object, with labels.a; if all are 0 or 1, say --label-column 'labels\.\*'"),
    ],
)
def test_lists_in_json_that_are_none_of_labels(value, wrong, tmp_path):
    rows = [{"text": f"t{i}", "labels": one} for i, one in enumerate([["a"], ["b"], value])]
    path = write(tmp_path, "\n".join(map(json.dumps, rows)), "m.jsonl")
    with pytest.raises(DataError, match=f"m.jsonl, line 3: .*{wrong}"):
        load(path)


YES_AND_NO = {"0 and 1": "01", "booleans": (False, True), "words": ("No", "YES"), "blank": ("", 1)}


@pytest.mark.parametrize("kind", YES_AND_NO)
@pytest.mark.parametrize("columns", [("label_joy", "label_fear"), ("label_*",)])
def test_a_column_for_each_label(kind, columns, tmp_path):
    no, yes = YES_AND_NO[kind]
    frame = pd.DataFrame(
        {
            "text": [f"text {i}" for i in range(24)],
            "label_joy": [yes if i % 4 < 2 else no for i in range(24)],
            "label_fear": [yes if i % 4 == 1 else no for i in range(24)],
        }
    )
    path = tmp_path / "m.csv"
    frame.to_csv(path, index=False)
    data = load(path, label_columns=columns)
    assert data.label_names == ("label_fear", "label_joy")
    sets = [("label_joy",), ("label_fear", "label_joy"), (), ()]
    assert all_named(data) == {f"text {i}": sets[i % 4] for i in range(24)}
    assert data.source.label_columns == ("label_joy", "label_fear")


def test_a_column_of_neither_0_nor_1_is_named(tmp_path):
    path = write(tmp_path, "text,joy,fear\na,1,0\nb,0,1\nc,2,0\n")
    message = r"messages.csv, line 4: column joy has '2': expected 0 or 1 .*true.*yes.*empty"
    with pytest.raises(DataError, match=message):
        load(path, label_columns=["joy", "fear"])
    with pytest.raises(
        DataError, match="no column 'x_.*, read as a pattern; there are text, joy, fear"
    ):
        load(path, label_columns=["x_*"])
    with pytest.raises(DataError, match="column 'text' cannot be both text and label"):
        load(path, label_columns=["*"])


def test_numbers_with_names(tmp_path):
    """GoEmotions has ids between commas, and a file of names."""
    lines = [f"text {i}\t{','.join(map(str, ids))}\tx" for i, ids in enumerate([(0,), (2, 0)] * 9)]
    path = write(tmp_path, "\n".join(lines) + "\n", "m.tsv")
    settings = {"text_columns": "1", "label_column": "2", "format": TableFormat(header=False)}
    names = ("pride", "grief", "anger")
    data = load(path, label_names=names, **settings)
    assert data.label_names == ("pride", "anger")
    assert "no training row has the label grief: left out" in data.notes
    assert all_named(data)["text 1"] == ("pride", "anger")
    with pytest.raises(DataError, match="line 2: label '2' has no name: .* from 0 to 1"):
        load(path, label_names=names[:2], **settings)
    found, _ = load_labelled_rows(path, data.label_names, trained_on=data.source, **settings)
    assert found.label_sets[:2] == ((0,), (0, 1))


def test_names_of_numbers_are_for_single_labels_too(tmp_path):
    path = write(tmp_path, "text,label\n" + "".join(f"t{i},{i % 2}\n" for i in range(40)))
    data = load_table(path, label_names=["ham", "eggs"])
    assert data.label_names == ("ham", "eggs")


def test_equal_numbers_are_one_label(tmp_path):
    path = save(tmp_path, [("1",), ("1.0", "2"), ("10",)])
    assert load(path).label_names == ("1", "2", "10")


@pytest.mark.parametrize(
    "sets, settings, message",
    [
        ([()], {"label_column": "labels"}, "no row has a label in column labels"),
        ([("a",)], {}, "every row has the label 'a'"),
        ([("a",), ("b",), ("c",)], {"max_classes": 2}, "3 classes, and the limit is 2"),
    ],
)
def test_tables_that_nothing_can_be_learnt_from(sets, settings, message, tmp_path):
    with pytest.raises(DataError, match=f"m.csv: .*{message}"):
        load(save(tmp_path, sets, times=8), **settings)


def test_one_label_that_some_texts_have(tmp_path):
    assert load(save(tmp_path, [("a",), ()])).label_names == ("a",)


def test_a_mark_that_may_separate_is_reported(tmp_path):
    data = load(save(tmp_path, [("a;b",), ("b;c",)], times=9, cell=lambda labels: labels[0]))
    (note,) = data.notes
    assert note == "no text has two labels; if a ; separates them, say --label-separator ';'"
    path = save(tmp_path, [("a,b",), ("b,c",)], times=9, cell=lambda labels: labels[0])
    (note,) = load(path, label_separator=";").notes
    advice = "no text has two labels; if a , separates them, leave --label-separator out"
    assert note == advice
    path = save(tmp_path, [("a", "b"), ("b", "c")], times=9, cell=json.dumps)
    assert load(path, label_separator=";").notes == (advice,)


def test_one_column_of_0_and_1_is_reported(tmp_path):
    data = load(save(tmp_path, [("0",), ("1",)], times=9))
    assert "the labels in column labels are 0, 1; if it is a column of one label" in data.notes[0]
    none = load(save(tmp_path, [()]), on_problem=lambda error: None)
    assert none.notes == ("6 of 6 texts have no label", "no text has two labels")


@pytest.mark.parametrize(
    "settings",
    [
        {"annotation": "labels", "label_columns": ["a"]},
        {"annotation": "labels", "label_separator": ";"},
        {"annotation": "label_sets", "label_columns": ["a"], "label_column": "b"},
        {"annotation": "label_sets", "label_separator": ""},
        {"annotation": "label_sets", "label_separator": '"'},
    ],
)
def test_arguments_that_do_not_fit_together(settings, tmp_path):
    with pytest.raises(OptionError):
        load_table(save(tmp_path), **settings)


def test_a_given_split_with_an_unknown_label(tmp_path):
    other = save(tmp_path, [("joy", "rage"), ()], times=1, name="other.csv")
    with pytest.raises(DataError, match="other.csv, line 2: label 'rage' is none of"):
        load(save(tmp_path), test=other)
    mark = save(tmp_path, [("joy", "fear"), ("fear",)], 1, "mark.csv", cell="; ".join)
    hint = "line 2: label 'joy; fear' is .*; if a ; separates labels, say --label-separator ';'"
    with pytest.raises(DataError, match=hint):
        load_labelled_rows(mark, ["joy", "fear"], annotation="label_sets")
    data = load(save(tmp_path), test=other, skip_bad_rows=True)
    assert (len(data.test), len(data.rejected)) == (1, 1)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"label_column": "labels", "label_separator": "/"},
        {"rare_classes": "merge=rest", "rare_minimum": 7},
    ],
)
def test_the_rows_are_loaded_again_and_evaluated_on(settings, tmp_path):
    path = save(tmp_path, [("a",), ("a", "b"), (), ("c",), ("a",)])
    data = load(path, **settings)
    described = json.loads(json.dumps(describe_dataset(data)))
    assert load_again(described).source == data.source
    notes = []
    found, _ = load_labelled_rows(
        path, data.label_names, trained_on=data.source, on_note=notes.append
    )
    every = dict(zip(found.texts, named(found, data.label_names), strict=True))
    assert every == all_named(data)
    assert notes == (
        ["merged into 'rest', as in training: b, c"]
        if len(settings) == 2 and "rare_classes" in settings
        else []
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rare_labels_are_in_every_part(seed):
    random = np.random.default_rng(seed)
    counts = [3, 4, 7, 20, 300]
    sets = [set() for _ in range(600)]
    for label, count in enumerate(counts):
        for row in random.choice(600, count, replace=False):
            sets[row].add(label)
    sets = [tuple(sorted(of)) for of in sets]
    parts = deal_rows(sets, [0.7, 0.15, 0.15], 5, seed)
    assert np.abs(np.bincount(parts) - [420, 90, 90]).max() <= 3
    for label, count in enumerate(counts):
        of_part = np.bincount([parts[row] for row in range(600) if label in sets[row]], minlength=3)
        assert of_part.min() >= 1 and of_part.sum() == count
        assert np.abs(of_part - count * np.array([0.7, 0.15, 0.15])).max() <= 1.5
    none = np.array([not of for of in sets])
    assert np.abs(np.bincount(parts[none]) / none.sum() - [0.7, 0.15, 0.15]).max() < 0.05
    np.testing.assert_array_equal(parts, deal_rows(sets, [0.7, 0.15, 0.15], 5, seed))


def test_texts_without_labels_are_in_every_part_beside_rare_labels():
    sets = [(row // 3,) for row in range(120)] + [()] * 20
    parts = deal_rows(sets, [0.7, 0.15, 0.15], 40, 0)
    assert np.bincount(parts[120:]).tolist() == [14, 3, 3]


def test_every_label_has_a_row_to_train_on():
    """Each row has a label of its own, and one that all of them have."""
    sets = [(0, row) for row in range(1, 31)]
    assert set(deal_rows(sets, [0.7, 0.3], 31, 0)) == {0}
    one = [(0,), *[(1,)] * 9]
    assert deal_rows(one, [0.2, 0.4, 0.4], 2, 0)[0] == 0


def test_labels_with_too_few_rows_are_trained_on_and_reported(tmp_path):
    path = save(tmp_path, [*[("a",), ("b",)] * 20, ("a", "rare")], times=1)
    data = load(path)
    rare = data.label_names.index("rare")
    assert sum(rare in ids for ids in data.train.label_sets) == 1
    (note,) = data.notes
    assert note.startswith("labels with fewer than 3 rows: rare (1 row): all are trained on")
    assert load(path, rare_classes="drop").label_names == ("a", "b")
    with pytest.raises(DataError, match=r"fewer than 3 rows: rare \(1 row\)"):
        load(path, rare_classes="stop", rare_minimum=3)


def test_inspection_of_several_labels(tmp_path):
    sets = [("a",), ("a", "B, b"), (), ("A",)]
    path = save(tmp_path, sets, times=10)
    with path.open("a") as file:
        file.write('text 0,"a,""B, b"""\n')
    found = inspect_table(path, annotation="label_sets")
    assert {label: sum(parts.values()) for label, parts in found.balance.items()} == {
        "A": 10,
        "B, b": 11,
        "a": 21,
    }
    assert found.counts["two_labels"] == 2
    assert found.counts["similar_class_names"] == 1
    detail = next(one.detail for one in found.findings if one.kind == "two_labels")
    assert detail == f"""labels 'a' at {path}:2, '"B, b",a' at {path}:42"""
    assert any("wrong labels are not looked for" in note for note in found.notes)
    cleaned = clean(found.data)
    again = load(write(tmp_path, cleaned.files["cleaned.csv"], "again.csv"))
    assert set(all_named(again).values()) == {("a",), ("B, b", "a"), (), ("A",)}
    assert cleaned.rows == 39


def test_inspection_without_a_column_of_labels(tmp_path):
    path = write(tmp_path, "text,mood\n" + "".join(f"t{i},a\n" for i in range(20)))
    found = inspect_table(path, annotation="label_sets")
    assert "training would stop: which column has the labels?" in found.notes[0]
    assert (found.rows["train"], found.balance) == (14, {})
    assert not any("have no label" in note for note in found.notes)


def test_a_cleaned_copy_of_columns_of_0_and_1(tmp_path):
    rows = [f"text &amp; {i},{i % 2},{int(i % 3 == 0)}" for i in range(40)]
    path = write(tmp_path, "\n".join(["text,a,b", *rows, "text & 0,0,1"]) + "\n")
    found = inspect_table(path, annotation="label_sets", label_columns=["a", "b"])
    cleaned = clean(found.data)
    again = load(write(tmp_path, cleaned.files["cleaned.csv"], "again.csv"))
    every = all_named(again)
    assert (len(every), every["text & 3"], every["text & 2"]) == (40, ("a", "b"), ())
    assert cleaned.other_columns == ()
