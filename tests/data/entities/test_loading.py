"""`load_entities`: splits, types, files of several kinds, and loading the rows again."""

import dataclasses
import json

import pytest

from kerasnlp_lab.data import (
    describe_dataset,
    load_again,
    load_entities,
    load_entity_rows,
    without_leaks,
)
from kerasnlp_lab.errors import DataError, OptionError, RunError
from tests.data.entities.annotations import lines_of, write

WORDS = ("ran", "sat", "ate", "slept", "sang", "read", "swam", "dug", "won", "hid")


def records(count=40):
    """Texts that differ; one in ten has a LOC, the others a PER."""
    texts = [(f"Bo {WORDS[n % 10]} {n}", "LOC" if n % 10 == 0 else "PER") for n in range(count)]
    return [{"text": text, "entities": [[0, 2, label]]} for text, label in texts]


def conll(rows):
    return "\n\n".join("\n".join(row) for row in rows) + "\n"


def test_rows_are_split_by_seed_and_every_type_can_be_learned(tmp_path):
    once = {"text": "Zed won", "entities": [[0, 3, "ORG"]]}
    twice = [{"text": "same text", "entities": []}] * 3
    path = write(tmp_path, lines_of(*records(), once, *twice), "a.jsonl")
    data = load_entities(path, validation_fraction=0.25, test_fraction=0.25)
    assert data.label_names == ("LOC", "ORG", "PER") and data.annotation == "spans"
    parts = (data.train, data.validation, data.test)
    assert sum(map(len, parts)) == 44 and all(10 <= len(part) <= 24 for part in parts)
    assert sum("same text" in part.texts for part in parts) == 1
    assert data.train.span_counts(data.label_names).min() > 0
    for part in parts:
        assert part.lines.tolist() == sorted(part.lines)
        for text, spans in zip(part.texts, part.spans, strict=True):
            assert all(text[a:b] in ("Bo", "Zed") for a, b, _ in spans)
    again = load_entities(path, validation_fraction=0.25, test_fraction=0.25)
    other = load_entities(path, validation_fraction=0.25, test_fraction=0.25, seed=1)
    assert again.fingerprint == data.fingerprint != other.fingerprint


def test_a_folder_has_a_file_for_each_split(tmp_path):
    for name, word in {"train.txt": "ran", "dev.txt": "sat", "test.txt": "ate"}.items():
        write(tmp_path, conll([("Bo B-PER", f"{word} O"), ("so O",)]), name)
    data = load_entities(tmp_path)
    assert [part.texts[0] for part in (data.train, data.validation, data.test)] == [
        "Bo ran",
        "Bo sat",
        "Bo ate",
    ]
    assert data.test.where(1) == f"{tmp_path / 'test.txt'}, line 4"


def test_several_files_are_one_after_the_other(tmp_path):
    write(tmp_path, conll([("Bo B-PER", "ran O"), ("so O",)]), "1.conll")
    write(tmp_path, lines_of(*records(3)), "2.jsonl")
    for place in (tmp_path, tmp_path / "*"):
        data = load_entities(place, validation=tmp_path / "1.conll", test=tmp_path / "1.conll")
        assert data.train.where(1) == f"{tmp_path / '1.conll'}, line 4"
        assert data.train.where(2) == f"{tmp_path / '2.jsonl'}, line 1"
        assert len(data.train) == 5


def test_rows_load_again_from_the_description_of_a_run(tmp_path):
    numbers = lines_of(*[{"tokens": ["Bo", f"t{n}"], "ner_tags": [1, 0]} for n in range(20)])
    path = write(tmp_path, numbers, "a.jsonl")
    data = load_entities(path, joiner="none", tag_names=("O", "B-PER"), seed=3)
    described = json.loads(json.dumps(describe_dataset(data)))
    again = load_again(described)
    assert again.fingerprint == data.fingerprint and again.source == data.source
    assert again.train.texts[0].startswith("Bot")
    moved = path.rename(tmp_path / "b.jsonl")
    assert load_again(described, {"data": str(moved)}).fingerprint == data.fingerprint
    write(tmp_path, numbers.replace("Bo", "Al"), "b.jsonl")
    with pytest.raises(RunError, match="holds other rows"):
        load_again(described, {"data": str(moved)})


def test_bad_rows_stop_or_are_skipped(tmp_path):
    bad = {"text": "New York", "entities": [[0, 3, "PER"], [0, 8, "LOC"]]}
    path = write(tmp_path, lines_of(bad, *records()), "a.jsonl")
    with pytest.raises(DataError, match=r"a.jsonl, line 1: two spans overlap.*--bad-rows skip"):
        load_entities(path)
    data = load_entities(path, skip_bad_rows=True)
    assert [(row.line, row.content) for row in data.rejected] == [(1, "New York")]
    assert sum(map(len, (data.train, data.validation, data.test))) == 40


def test_a_type_that_no_training_row_has_is_bad(tmp_path):
    train = write(tmp_path, lines_of(*records(3)), "a.jsonl")
    test = write(tmp_path, lines_of({"text": "UN", "entities": [[0, 2, "ORG"]]}), "b.jsonl")
    with pytest.raises(
        DataError, match=r"b.jsonl, line 1: the model knows no entity 'ORG', but LOC, PER"
    ):
        load_entities(train, validation=train, test=test)


@pytest.mark.parametrize(
    ("rows", "how", "error", "message"),
    [
        ([{"text": "a", "entities": []}] * 9, {}, DataError, "no entity in any of the texts"),
        (records(1), {}, DataError, "cannot take 1 of 1 rows for validation"),
        (records(), {"test_fraction": 1.5}, OptionError, "the test fraction"),
        (records(), {"test_fraction": 0.9}, OptionError, "below 1 together"),
        (records(), {"joiner": "+"}, OptionError, "joiner must be one of auto, space, none"),
        (records(), {"seed": -1}, OptionError, "seed"),
    ],
)
def test_files_that_cannot_be_trained_on(tmp_path, rows, how, error, message):
    with pytest.raises(error, match=message):
        load_entities(write(tmp_path, lines_of(*rows), "a.jsonl"), **how)


THREE_TYPES = [
    {"text": "Bo met UN", "entities": [[0, 2, "PER"], [7, 9, "ORG"]]},
    {"text": "Oslo Fair", "entities": [[0, 4, "place"], [0, 9, "EVENT"]]},
    {"text": "UN", "entities": [[0, 2, "ORG"]]},
]


def test_all_unknown_types_are_named_and_can_be_renamed_or_left_out(tmp_path):
    path = write(tmp_path, lines_of(*THREE_TYPES), "a.jsonl")
    advice = r"knows no entity 'ORG', 'place', 'EVENT', but PER, LOC \(.*: 4\); .*--rename-type"
    with pytest.raises(DataError, match=rf"a.jsonl, line 1: the model {advice}"):
        load_entity_rows(path, ("PER", "LOC"))
    notes = []
    renamed = {"place": "LOC", "EVENT": "", "ORG": "", "X": "PER"}
    rows, _ = load_entity_rows(path, ("PER", "LOC"), renamed=renamed, on_note=notes.append)
    assert [[tuple(one) for one in spans] for spans in rows.spans] == [
        [(0, 2, "PER")],
        [(0, 4, "LOC")],
        [],
    ]
    assert notes == [
        "entities of the type 'place' are read as 'LOC': 1",
        "entities of the type 'EVENT' are left out: 1",
        "entities of the type 'ORG' are left out: 2",
        "entities of the type 'X' are read as 'PER': 0",
    ]


def test_unknown_types_of_tags_are_named(tmp_path):
    path = write(tmp_path, "UN B-ORG\nand O\nOslo B-LOC\n\nFair I-MISC\n")
    with pytest.raises(DataError, match="knows no entity 'ORG', 'MISC', but LOC"):
        load_entity_rows(path, ("LOC",))
    rows, _ = load_entity_rows(path, ("LOC",), renamed={"ORG": "LOC", "MISC": ""})
    assert [len(spans) for spans in rows.spans] == [2, 0]


def test_a_reason_of_many_rows_is_given_once(tmp_path):
    bad = {"text": "New York", "entities": [[0, 3, "PER"], [0, 8, "LOC"]]}
    path = write(tmp_path, lines_of(bad, {"text": "", "entities": []}, bad), "a.jsonl")
    with pytest.raises(DataError) as caught:
        load_entities(path, skip_bad_rows=True)
    reasons = str(caught.value).partition("(")[2]
    assert reasons.startswith("lines 1, 3: two spans overlap") and reasons.count("overlap") == 1
    assert reasons.endswith("keep one of them; line 2: no text)")


@pytest.mark.parametrize(
    ("content", "used"),
    [
        (lines_of({"tokens": ["Bo"], "ner_tags": [1]}), True),
        (lines_of({"tokens": ["Bo"], "ner_tags": ["B-PER"]}), False),
        (lines_of({"text": "Bo", "entities": [[0, 2, "PER"]]}), False),
        ("Bo B-PER\nran O\n", False),
    ],
)
def test_tag_names_that_are_not_used_are_noted(tmp_path, content, used):
    notes = []
    path = write(tmp_path, content, "a.txt")
    load_entity_rows(path, ("PER",), tag_names=("O", "B-PER"), on_note=notes.append)
    assert any("--tag-names is not used" in note for note in notes) is not used


def test_leaks_are_left_out_with_their_spans(tmp_path):
    rows = records(6)
    train = write(tmp_path, lines_of(*rows), "a.jsonl")
    test = write(tmp_path, lines_of(rows[1]), "b.jsonl")
    other = write(tmp_path, lines_of({"text": "x", "entities": []}), "c.jsonl")
    data = without_leaks(load_entities(train, validation=other, test=test))
    assert len(data.train) == 5 and rows[1]["text"] not in data.train.texts
    assert data.train.spans[1][0].label == "PER"


def test_a_table_reader_names_the_task_of_a_conll_file(tmp_path):
    from kerasnlp_lab.data import load_table

    with pytest.raises(DataError, match="data inspect read with --task entities"):
        load_table(write(tmp_path, conll([("Bo B-PER",)])))


def test_spans_cannot_be_sharded(tmp_path):
    from kerasnlp_lab.data import write_shards

    data = load_entities(write(tmp_path, lines_of(*records()), "a.jsonl"))
    with pytest.raises(OptionError, match="has entities, which shards cannot hold"):
        write_shards(data, tmp_path / "shards", shards=2)
    assert dataclasses.replace(data).annotation == "spans"
