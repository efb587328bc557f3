"""JSON and Parquet: spans and tokens as the programs that annotate write them."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from tests.data.entities.annotations import lines_of, read, write

BO = ("Bo ran", [("Bo", "PER")])
TASK = {"id": 1, "data": {"text": "Bo ran"}}
RESULT = {"value": {"start": 0, "end": 2, "text": "Bo", "labels": ["PER"]}, "type": "labels"}
SPAN = {"start": 0, "end": 2, "label": "PER"}


@pytest.mark.parametrize(
    "record",
    [
        {"text": "Bo ran", "entities": [[0, 2, "PER"]]},  # spaCy
        {"text": "Bo ran", "spans": [SPAN]},
        ["Bo ran", {"entities": [[0, 2, "PER"]], "cats": {}}],
        {"text": "Bo ran", "tokens": [{"text": "Bo"}], "spans": [SPAN], "answer": "accept"},
        {"id": 1, "text": "Bo ran", "label": [[0, 2, "PER"]], "Comments": []},  # doccano
        {"id": 1, "data": "Bo ran", "labels": [[0, 2, "PER"]]},
        {"text": "Bo ran", "entities": [{"start_offset": 0, "end_offset": 2, "label": "PER"}]},
        TASK | {"annotations": [{"result": [RESULT], "was_cancelled": False}]},  # Label Studio
        TASK | {"completions": [{"was_cancelled": True, "result": []}, {"result": [RESULT]}]},
        {"text": "Bo ran", "label": [RESULT["value"]], "annotation_id": 5},
        {"tokens": ["Bo", "ran"], "ner_tags": ["B-PER", "O"], "tags": ["NNP", "VBD"]},
        {"tokens": ["Bo", "ran"], "labels": ["U-PER", "O"]},
        {"tokens": ["Bo", "ran"], "ner_tags": [1, 0]},
    ],
)
@pytest.mark.parametrize("form", ["lines", "array", "indented"])
def test_the_same_text_in_all_forms(tmp_path, record, form):
    records = [record, record]
    indent = 2 if form == "indented" else None
    content = lines_of(*records) if form == "lines" else json.dumps(records, indent=indent)
    path = write(tmp_path, content, "texts.txt")  # the content tells the format
    found = read(path, tag_names=("O", "B-PER"))
    assert ([row[1:] for row in found.good], found.bad) == ([BO, BO], [])
    assert len({line for line, _, _ in found.good}) == 2


@pytest.mark.parametrize(
    "record",
    [
        {"text": "Bo ran", "entities": [SPAN]},
        {"tokens": ["Bo", "ran"], "ner_tags": ["B-PER", "O"]},
        {"tokens": ["Bo", "ran"], "ner_tags": [1, 0]},
    ],
)
def test_parquet(tmp_path, record):
    path = tmp_path / "texts"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([record, record]), path)
    assert read(path, tag_names=("O", "B-PER")).good == [(1, *BO), (2, *BO)]


def test_one_object_is_one_text(tmp_path):
    content = json.dumps({"text": "Bo ran", "entities": [SPAN]}, indent=1)
    assert read(write(tmp_path, content, "a.json")).good == [(1, *BO)]


def test_records_that_their_program_marks_are_skipped_and_counted(tmp_path):
    done = {"result": [RESULT, {"type": "choices", "value": {"choices": ["x"]}}]}
    content = lines_of(
        {"text": "Bo ran", "spans": [SPAN], "answer": "reject"},
        {"text": "Bo ran", "answer": "ignore"},
        {"text": "no name", "answer": "accept"},
        TASK | {"annotations": []},
        TASK | {"annotations": [done, done]},
    )
    found = read(write(tmp_path, content, "a.jsonl"))
    assert [line for line, _, _ in found.good] == [3, 5] and not found.bad
    for note in ('other than "accept", skipped: 2', "without an annotation, skipped: 1",
                 "several annotations, of which the first is read: 1", "left out: 1"):  # fmt: skip
        assert note in found.notes


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"text": "New York Times", "entities": [[0, 8, "LOC"], [0, 14, "ORG"]]},
         "two spans overlap: [0, 8] LOC 'New York' and [0, 14] ORG 'New York Times'"),
        ({"text": "Bo ran", "entities": [[0, 2, "PER"], [0, 2, "LOC"]]}, "two spans overlap"),
        ({"text": "Bo ran", "entities": [[0, 9, "PER"]]}, "[0, 9] PER lies outside of its text"),
        ({"text": "Bo ran", "entities": [[-3, 2, "PER"]]}, "[-3, 2] PER lies outside of its"),
        ({"text": "Bo ran", "entities": [[2, 2, "PER"]]}, "the span [2, 2] PER is empty"),
        ({"text": "Bo  ran", "entities": [[2, 4, "PER"]]}, "the span [2, 4] PER '  ' is white"),
        ({"text": "Bo ran", "entities": [[0, 2]]}, "expected a span such as"),
        ({"text": "Bo ran", "entities": [[0, 2, ""]]}, "expected a text as the label of the span"),
        ({"text": "Bo ran", "entities": [["0", "2", "PER"]]}, "expected whole numbers"),
        ({"text": "Bo ran", "entities": [[0, True, "PER"]]}, "expected whole numbers"),
        ({"text": "Bo ran", "label": [{"start": 0, "end": 2, "labels": ["PER", "LOC"]}]},
         "expected one label a span"),
        ({"text": "Bo ran", "entities": [{"start": 0, "end": 2, "label": "PER", "text": "Bob"}]},
         "the span [0, 2] PER 'Bo' should have the text 'Bob'"),
        ({"text": "Bo ran", "entities": [{"start": 0, "end": 1, "label": "PER", "text": "Bo"}]},
         "the character after the last one"),
        ({"text": "Bo ran"}, "expected a text with spans"),
        ({"text": "Bo ran", "entities": None}, "expected a list of spans as 'entities', got None"),
        (
            {"text": "Bo ran", "entities": [[0, 2, "A"]], "spans": [[3, 6, "B"]]},
            "other spans under 'entities' than under 'spans': keep one of them",
        ),
        ({"title": "a", "body": "b", "entities": []}, "expected a text with spans"),
        ({"tokens": ["Bo"], "ner_tags": ["B-PER", "O"]}, "expected a tag for each of 1 tokens"),
        ({"tokens": ["Bo"], "ner_tags": [2]}, "the tags are numbers (2), whose names"),
        ({"tokens": ["Bo"], "ner_tags": [None]}, "expected a tag, got None"),
        ({"text": "\ud800 Bo", "entities": []}, "half a character"),
        ([1, 2], "expected a text with spans"),
        (7, "expected a text with spans"),
        (TASK | {"annotations": None}, "expected a text with spans"),
    ],
)  # fmt: skip
def test_a_bad_record_is_rejected_with_its_line(tmp_path, record, reason):
    good = {"text": "Bo ran", "entities": [[0, 2, "PER"]]}
    content = "".join(json.dumps(one) + "\n" for one in (good, record, good))
    found = read(write(tmp_path, content, "a.jsonl"))
    assert [line for line, _, _ in found.good] == [1, 3]
    ((line, why),) = found.bad
    assert line == 2 and reason in why


def test_white_space_and_repetition_are_mended_with_a_note(tmp_path):
    spans = [[0, 3, "PER"], [0, 2, "PER"]]
    found = read(write(tmp_path, lines_of({"text": "Bo ran", "entities": spans}), "a.jsonl"))
    assert found.good == [(1, *BO)]
    assert "line 1: [0, 3] PER 'Bo ' becomes [0, 2] PER 'Bo'" in found.notes
    assert "spans given twice, read once: 1" in found.notes


TEXTS = ["\U0001f600 Bo ran", "Ann \xe9t\xe9 \U0001f600\U0001f600 Bo", "Bo ran"]


def spans_in(unit, surface=True):
    """Records whose offsets of "Bo" are counted in a unit."""
    size = {"utf-16": 2, "utf-8": 1, "utf-32": 4}[unit]
    records = []
    for text in TEXTS:
        place = text.index("Bo")
        start = len(text[:place].encode(f"{unit}-le" if size > 1 else unit)) // size
        span = {"start": start, "end": start + 2, "label": "PER"}
        records.append({"text": text, "entities": [span | ({"text": "Bo"} if surface else {})]})
    return records


@pytest.mark.parametrize(
    ("unit", "note"),
    [("utf-32", ""), ("utf-16", "counted in UTF-16 units"), ("utf-8", "counted in bytes")],
)
def test_offsets_in_other_units_are_converted_where_the_texts_prove_it(tmp_path, unit, note):
    found = read(write(tmp_path, lines_of(*spans_in(unit)), "a.jsonl"))
    assert [names for _, _, names in found.good] == [[("Bo", "PER")]] * 3 and not found.bad
    assert note in found.notes


def test_offsets_of_unknown_unit_are_code_points_with_a_note(tmp_path):
    found = read(write(tmp_path, lines_of(*spans_in("utf-32", surface=False)), "a.jsonl"))
    assert [names for _, _, names in found.good] == [[("Bo", "PER")]] * 3
    assert "nothing in the file shows how these were counted" in found.notes


def test_a_span_in_another_unit_than_the_rest_is_rejected_with_a_hint(tmp_path):
    records = [*spans_in("utf-32"), spans_in("utf-16")[0]]
    found = read(write(tmp_path, lines_of(*records), "a.jsonl"))
    ((line, reason),) = found.bad
    assert line == 4 and "if offsets are counted in UTF-16 units" in reason


def test_parquet_of_hugging_face_names_its_tags(tmp_path):
    feature = {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "Sequence"}
    described = json.dumps({"info": {"features": {"ner_tags": feature}}})
    table = pyarrow.table({"tokens": [["Bo", "ran"]], "ner_tags": [[1, 0]]})
    table = table.replace_schema_metadata({b"huggingface": described.encode()})
    pyarrow.parquet.write_table(table, tmp_path / "train.parquet")
    assert read(tmp_path / "train.parquet").good == [(1, *BO)]
