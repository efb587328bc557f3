"""`inspect_entities`: findings about spans and tags, with file and line."""

import pytest

from kerasnlp_lab.data.inspection import inspect_entities
from tests.data.entities.annotations import lines_of, write


def records(count=30):
    """Texts that differ, each with a name of its own."""
    return [
        {"text": f"Bo{n} won {n} times", "entities": [[0, 2 + len(str(n)), "PER"]]}
        for n in range(count)
    ]


def found_in(path, kind, **how):
    found = inspect_entities(path, **how)
    assert found.counts[kind] == sum(one.kind == kind for one in found.findings)
    return [(one.line, one.label, one.detail) for one in found.findings if one.kind == kind]


@pytest.mark.parametrize(
    ("record", "kind", "label", "detail"),
    [
        ({"text": "In Oslos", "entities": [[3, 7, "LOC"]]}, "span_in_word", "LOC",
         "[3, 7] LOC 'Oslo'; as words it would be [3, 8] LOC 'Oslos'"),
        ({"text": "In Oslo", "entities": [[4, 7, "LOC"]]}, "span_in_word", "LOC",
         "[4, 7] LOC 'slo'; as words it would be [3, 7] LOC 'Oslo'"),
        ({"text": "In Oslo ", "entities": [[2, 8, "LOC"]]}, "span_with_spaces", "LOC",
         "[2, 8] LOC ' Oslo ' becomes [3, 7] LOC 'Oslo'"),
        ({"text": "In Oslo", "entities": [[3, 7, "LOC"]] * 2}, "span_twice", "LOC",
         "[3, 7] LOC 'Oslo'"),
        ({"text": "In Oslo", "entities": [[3, 7, "LOC"], [0, 7, "X"]]}, "bad_row", "",
         "two spans overlap: [0, 7] X 'In Oslo' and [3, 7] LOC 'Oslo'; "
         "keep one of them"),
    ],
)  # fmt: skip
def test_one_finding(tmp_path, record, kind, label, detail):
    path = write(tmp_path, lines_of(*records(), record), "a.jsonl")
    assert found_in(path, kind) == [(31, label, detail)]


@pytest.mark.parametrize(
    ("text", "name"),
    [("Oslo's", "Oslo"), ("(Oslo)", "Oslo"), ("Oslo-Bergen", "Oslo"), ("北京大学", "北京"),
     ("O\u0301slo", "O\u0301slo")],
)  # fmt: skip
def test_names_beside_other_characters_than_letters_are_words(tmp_path, text, name):
    start = text.index(name)
    record = {"text": text, "entities": [[start, start + len(name), "LOC"]]}
    assert not found_in(write(tmp_path, lines_of(*records(), record), "a.jsonl"), "span_in_word")


def test_names_with_two_types_and_texts_annotated_twice(tmp_path):
    text = "Kent grows cherries"
    spans = ([[0, 4, "LOC"]], [[0, 4, "PER"]], [[0, 4, "PER"]])
    more = [{"text": text if n else text.upper(), "entities": s} for n, s in enumerate(spans)]
    path = write(tmp_path, lines_of(*records(), *more), "a.jsonl")
    last = [(line, label) for line, label, _ in found_in(path, "two_annotations")]
    assert last == [(31, ""), (32, ""), (33, "")]
    other = {"text": "Kent is here", "entities": [[0, 4, "LOC"]]}
    path = write(tmp_path, lines_of(*records(), *more, other), "a.jsonl")
    ((line, label, detail),) = found_in(path, "two_types")
    assert (line, label) == (34, "LOC")
    assert detail == f"'Kent' is 'LOC' (1) and 'PER' (2, first at {path}:32)"
    assert len(found_in(path, "exact_duplicate")) == 2


def test_types_whose_names_differ_by_case_and_a_type_named_o(tmp_path):
    others = [{"text": f"in {name}", "entities": [[3, 7, label]]} for name, label in (
        ("Oslo", "per"), ("Rome", "O"), ("Bonn", "O"), ("Bern", "place"))]  # fmt: skip
    path = write(tmp_path, lines_of(*records(), *others), "a.jsonl")
    ((line, _, detail),) = found_in(path, "similar_class_names")
    assert line == 31
    assert detail == "'per' differs only in case from 'PER': one type? (entities: 1 and 30)"
    assert found_in(path, "type_o") == [(32, "O", "entities: 2")]


def test_tags_texts_in_two_splits_and_counts(tmp_path):
    rows = [f"Bo{n} B-PER\nwon O\n{n} O\n" for n in range(30)]
    path = write(tmp_path, "\n".join([*rows, "He O\nis O\nLee I-PER\n", "no O\nname O\n"]))
    test = write(tmp_path, rows[3], "test.conll")
    found = inspect_entities(path, validation=test, test=test, count_tokens=None)
    broken = [one for one in found.findings if one.kind == "broken_tag"]
    assert [(one.where, one.label, one.detail) for one in broken] == [
        (f"{path}:123", "PER", "I-PER after O")
    ]
    assert found.counts["in_two_splits"] == 2
    assert found.balance == {"PER": {"train": 31, "validation": 1, "test": 1}}
    assert found.rows == {"train": 32, "validation": 1, "test": 1, "bad": 0}
    assert "texts without an entity: 1 of 34" in found.notes
    described = found.as_dict()
    assert described["table"] == str(path) and described["lengths"][0]["longest"] == 3


def test_files_that_cannot_be_trained_on_are_described(tmp_path):
    path = write(tmp_path, lines_of({"text": "nobody", "entities": []}), "a.jsonl")
    found = inspect_entities(path)
    assert found.notes[0] == "training would stop: no entity in any of the texts to train on"
    assert found.rows["train"] == 1
