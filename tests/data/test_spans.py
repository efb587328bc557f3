"""`Split.spans` and datasets of texts with entities."""

import numpy as np
import pytest

from kerasnlp_lab.data import Span, Split, TextDataset, load_dataset
from kerasnlp_lab.errors import DataError

TEXTS = ("Bo saw Ann", "none")
SPANS = [[(0, 2, "PER"), (7, 10, "PER")], []]


def dataset(train, validation=None, test=None, names=("LOC", "PER")):
    other = Split(["x"], spans=[[(0, 1, "LOC")]])
    return TextDataset("d", names, train, validation or other, test or other)


def test_a_split_has_typed_spans_and_labels_of_0():
    split = Split(TEXTS, spans=SPANS, lines=[3, 7], path="a")
    assert split.spans == ((Span(0, 2, "PER"), Span(7, 10, "PER")), ())
    assert split.labels.tolist() == [0, 0]
    assert split.span_counts(("LOC", "PER")).tolist() == [0, 2]
    taken = split.take(np.array([False, True]))
    assert (taken.spans, taken.where(0)) == (((),), "a, line 7")


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([[]], "the spans of each of 2 texts, got 1"),
        ([[], [(0, 5, "PER")]], r"row 1: the span \(0, 5, 'PER'\) lies outside"),
        ([[(-1, 2, "PER")], []], "row 0: .* lies outside of its text of 10"),
        ([[(3, 2, "PER")], []], "lies outside"),
        ([[(2, 2, "PER")], []], "is empty"),
        ([[(2, 3, "PER")], []], "is white space alone"),
        ([[(0, 6, "PER"), (5, 10, "PER")], []], r"overlaps the span \(0, 6, 'PER'\)"),
        ([[(7, 10, "PER"), (0, 2, "PER")], []], "precedes the span"),
        ([[(0, 2, "")], []], "has no label"),
        ([[(0, 2)], []], r"expected a span \(start, end, label\), got \(0, 2\)"),
        ([[(0.5, 2, "PER")], []], "expected a span"),
    ],
)
def test_spans_are_checked(spans, message):
    with pytest.raises(DataError, match=message):
        Split(TEXTS, spans=spans)


def test_a_dataset_checks_types_and_that_all_parts_have_spans():
    train = Split(["Bo in Oslo", "x"], spans=[[(0, 2, "PER"), (6, 10, "LOC")], []])
    assert dataset(train).annotation == "spans"
    with pytest.raises(
        DataError, match=r"d: row 0 of the train split has .* 'PER', expected .* LOC"
    ):
        dataset(train, names=("LOC",))
    with pytest.raises(DataError, match="no row to train on for class 'PER'"):
        dataset(Split(["Oslo"], spans=[[(0, 4, "LOC")]]))
    with pytest.raises(DataError, match="some splits have spans"):
        dataset(train, test=Split(["x"], [0]))
    with pytest.raises(DataError, match="has no text"):
        dataset(Split(["Bo", " "], spans=[[(0, 2, "PER")], []]))


def test_the_fingerprint_covers_spans():
    train = [Split(["Bo Oslo"], spans=[[(0, 2, "PER"), (3, end, "LOC")]]) for end in (6, 7)]
    assert dataset(train[0]).fingerprint != dataset(train[1]).fingerprint


def test_the_fingerprint_of_labels_is_that_of_version_0_1_0():
    parts = [Split([f"text {n}", "b"], [0, 1]) for n in range(3)]
    found = TextDataset("d", ("x", "y"), *parts).fingerprint
    assert found == "4419656fe610687e1040e69fed900d5727169de2aff10716464e1236566ceeaa"


def test_news_entities():
    data = load_dataset("news_entities")
    parts = (data.train, data.validation, data.test)
    assert [len(part) for part in parts] == [204, 36, 60]
    assert data.label_names == ("organization", "person", "place")
    assert data.source.load().fingerprint == data.fingerprint
    names = [
        {text[a:b] for text, spans in zip(p.texts, p.spans, strict=True) for a, b, _ in spans}
        for p in parts
    ]
    assert not (names[0] | names[1]) & names[2]
    assert all(part.span_counts(data.label_names).min() >= 15 for part in parts)
    assert all(sum(not spans for spans in part.spans) >= 3 for part in parts)
