"""Classes with too few rows: named, kept in the training rows, dropped, or merged."""

import json

import numpy as np
import pytest

from kerasnlp_lab.data import Split, describe_dataset, load_again, load_labelled_rows, load_table
from kerasnlp_lab.data.inspection import inspect_table
from kerasnlp_lab.data.rare_classes import rows_needed
from kerasnlp_lab.data.splits import split_off_validation
from kerasnlp_lab.errors import DataError, OptionError
from tests.data.table_files import write

COUNTS = {"ham": 20, "refund": 1, "spam": 20, "thanks": 4}


def table(folder, counts=COUNTS, name="messages.csv"):
    labels = [label for label, count in counts.items() for _ in range(count)]
    order = np.random.default_rng(0).permutation(len(labels))
    rows = [f"text {row},{labels[row]}" for row in order]
    return write(folder, "\n".join(["text,label", *rows]) + "\n", name)


def counts(data):
    """The rows of each class to train on, to validate on and to test on."""
    parts = [
        part.label_counts(len(data.label_names))
        for part in (data.train, data.validation, data.test)
    ]
    return {
        name: tuple(int(of[place]) for of in parts) for place, name in enumerate(data.label_names)
    }


def test_keep_is_in_the_training_rows_only(tmp_path):
    data = load_table(table(tmp_path), rare_classes="keep")
    found = counts(data)
    assert found["refund"] == (1, 0, 0) and found["thanks"] == (4, 0, 0)
    assert sum(found["ham"]) == 20 and min(found["ham"]) >= 3
    (note,) = data.notes
    assert note == (
        "classes with fewer than 7 rows: refund (1 row), thanks (4 rows): all are trained on, "
        "and none is held out to validate or test on"
    )
    assert data.train.lines.tolist() == sorted(data.train.lines)


def test_drop_leaves_them_out_and_says_so(tmp_path):
    data = load_table(table(tmp_path), rare_classes="drop")
    assert data.label_names == ("ham", "spam")
    assert sum(map(sum, counts(data).values())) == 40
    assert data.notes[0].endswith("refund (1 row), thanks (4 rows): left out, 5 rows in all")


@pytest.mark.parametrize(
    "into, names", [("other", ("ham", "other", "spam")), ("ham", ("ham", "spam"))]
)
def test_merge_makes_one_class(into, names, tmp_path):
    data = load_table(table(tmp_path, COUNTS | {"thanks": 6}), rare_classes=f"merge={into}")
    assert data.label_names == names
    assert sum(counts(data)[into]) == 7 + (20 if into == "ham" else 0)
    assert data.notes[0].endswith(f"refund (1 row), thanks (6 rows): merged into {into!r}")


def test_a_minimum_decides_which_are_rare(tmp_path):
    path = table(tmp_path, {"a": 30, "b": 30, "c": 12})
    assert load_table(path, rare_classes="drop").label_names == ("a", "b", "c")
    assert load_table(path, rare_classes="drop", rare_minimum=13).label_names == ("a", "b")
    with pytest.raises(
        DataError, match=r"messages.csv: classes with fewer than 13 rows: c .12 rows.;"
    ):
        load_table(path, rare_minimum=13)


@pytest.mark.parametrize(
    "shares, annotation, rows",
    [
        ([0.15, 0.15], "labels", 7),
        ([0.1, 0.2], "labels", 10),
        ([0.5], "labels", 2),
        ([0.8], "labels", 5),
        ([], "labels", 1),
        ([0.15, 0.15], "label_sets", 3),
    ],
)
def test_the_rows_that_a_split_needs(shares, annotation, rows):
    assert rows_needed(shares, annotation) == rows


@pytest.mark.parametrize("count", range(7, 16))
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_class_that_is_not_rare_is_in_every_part(count, seed, tmp_path):
    path = table(tmp_path, {"a": 40, "b": count})
    assert min(counts(load_table(path, rare_classes="keep", seed=seed))["b"]) >= 1


def test_nothing_is_rare_and_nothing_is_said(tmp_path):
    data = load_table(table(tmp_path, {"a": 20, "b": 20}), rare_classes="drop")
    assert data.notes == ()
    assert data.fingerprint == load_table(table(tmp_path, {"a": 20, "b": 20})).fingerprint


@pytest.mark.parametrize("part, missing", [("validation", "test"), ("test", "validation")])
def test_other_tables_follow(part, missing, tmp_path):
    train, other = table(tmp_path), table(tmp_path, COUNTS, "other.csv")
    kept = load_table(train, **{part: other}, rare_classes="keep")
    place = 1 if part == "validation" else 2
    assert counts(kept)["refund"][place] == 1 and counts(kept)["refund"][0] == 1
    dropped = load_table(train, **{part: other}, rare_classes="drop")
    assert len(getattr(dropped, part)) == 40
    assert dropped.notes[1] == f"{other}: 5 rows of these classes are left out"
    merged = load_table(train, **{part: other}, rare_classes="merge=ham")
    assert counts(merged)["ham"][place] == 25


@pytest.mark.parametrize("value", ["keeps", "merge", "merge=", "keep=a", "merge= "])
def test_values_that_cannot_be(value, tmp_path):
    with pytest.raises(
        OptionError, match="--rare-classes.* must be stop, keep, drop or merge=NAME"
    ):
        load_table(table(tmp_path), rare_classes=value)
    with pytest.raises(OptionError, match="--rare-minimum.* must be 1 or more, got 0"):
        load_table(table(tmp_path), rare_minimum=0)


def test_with_all_parts_given_a_minimum_is_needed(tmp_path):
    path, other = table(tmp_path), table(tmp_path, {"ham": 2, "spam": 2}, "other.csv")
    with pytest.raises(OptionError, match="say --rare-minimum ROWS"):
        load_table(path, validation=other, test=other, rare_classes="drop")
    data = load_table(path, validation=other, test=other, rare_classes="drop", rare_minimum=2)
    assert data.label_names == ("ham", "spam", "thanks")


def test_nothing_would_be_left(tmp_path):
    with pytest.raises(DataError, match="every class has fewer than 99 rows .*--rare-minimum"):
        load_table(table(tmp_path), rare_classes="drop", rare_minimum=99)
    with pytest.raises(DataError, match="every row has the label 'x'; .* a lower --rare-minimum"):
        load_table(table(tmp_path), rare_classes="merge=x", rare_minimum=99)
    path, several = table(tmp_path, {"a": 2, "b": 1}), {"annotation": "label_sets"}
    with pytest.raises(DataError, match="every label has .* kept to train on, and none to test"):
        load_table(path, **several)
    assert load_table(path, rare_minimum=1, label_column="label", **several).label_names == (
        "a",
        "b",
    )


@pytest.mark.parametrize("action", ["keep", "drop", "merge=ham"])
def test_a_resumed_run_has_the_same_rows(action, tmp_path):
    data = load_table(table(tmp_path), rare_classes=action, rare_minimum=5)
    described = json.loads(json.dumps(describe_dataset(data)))
    assert load_again(described).source == data.source
    assert described["reading"]["rare_classes"] == action


def test_evaluation_reads_rare_classes_as_training_did(tmp_path):
    path = table(tmp_path)
    merged = load_table(path, rare_classes="merge=ham")
    notes = []
    found, _ = load_labelled_rows(
        path, merged.label_names, trained_on=merged.source, on_note=notes.append
    )
    assert np.bincount(found.labels).tolist() == [25, 20]
    assert notes == ["merged into 'ham', as in training: refund, thanks"] or notes == [
        "merged into 'ham', as in training: thanks, refund"
    ]
    dropped = load_table(path, rare_classes="drop")
    settings = {"trained_on": dropped.source}
    with pytest.raises(DataError, match="class '(refund|thanks)' was left out of training"):
        load_labelled_rows(path, dropped.label_names, **settings)
    found, rejected = load_labelled_rows(path, dropped.label_names, skip_bad_rows=True, **settings)
    assert (len(found), len(rejected)) == (40, 5)


def test_every_path_names_the_class():
    rows = Split(tuple("abcdefgh"), np.array([0, 0, 0, 0, 0, 0, 0, 1]))
    with pytest.raises(DataError, match=r"'spam' has 1 row; at least 2 .*\[7, 1\]\); add rows"):
        split_off_validation(rows, 0.2, seed=0, names=("ham", "spam"))


def test_inspection_says_what_becomes_of_them(tmp_path):
    stopped = inspect_table(table(tmp_path))
    assert "'refund' has 1 row" in stopped.notes[0] and "--rare-classes keep" in stopped.notes[0]
    found = inspect_table(table(tmp_path), rare_classes="keep")
    assert found.notes[0].startswith("classes with fewer than 7 rows: refund (1 row)")
    assert found.balance["refund"] == {"train": 1, "validation": 0, "test": 0}
