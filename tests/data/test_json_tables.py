"""`read_table` reads the layouts of JSON that programs write, and fastText's files."""

import json

import pandas as pd
import pytest

from kerasnlp_lab.data.tables import read_table
from kerasnlp_lab.errors import DataError
from tests.data.table_files import read, write

COLUMNS = ["text", "label"]
ROWS = [{"text": "hi", "label": "ham"}, {"text": "bye", "label": "spam"}]
CELLS = [("hi", "ham"), ("bye", "spam")]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
FRAME = pd.DataFrame(ROWS)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
@pytest.mark.parametrize(
    "content, lines",
    [
        (json.dumps(ROWS), [1, 2]),
        (json.dumps(ROWS, indent=2), [2, 6]),
        ("\n [\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n\n", [3, 4]),
        ("[" + "\n,".join(map(json.dumps, ROWS)) + "]", [1, 2]),
        (LINES, [1, 2]),
        ("\n" + LINES.rstrip("\n"), [2, 3]),
        ("\n".join(json.dumps(row, indent=2) for row in ROWS), [1, 5]),  # jq and mongoexport
        (json.dumps({"version": 1, "data": ROWS}), [1, 2]),
        (json.dumps({"text": ["hi", "bye"], "label": ["ham", "spam"]}), [1, 2]),
        *((FRAME.to_json(orient=one), [1, 2]) for one in ("columns", "split", "table")),
        (FRAME.to_json(orient="records"), [1, 2]),
        (FRAME.to_json(orient="records", lines=True), [1, 2]),
    ],
)
def test_layouts_under_json(content, lines, mark, tmp_path):
    columns, good, bad = read(write(tmp_path, mark + content.encode(), "m.JSON"))
    assert [name for name in columns if name != "index"] == COLUMNS
    assert [line for line, _ in good] == lines
    assert [cells[-2:] for _, cells in good] == CELLS
    assert bad == []


def test_rows_by_key(tmp_path):
    """As pandas' orient="index" and Firebase write them."""
    rows = {f"id{i}": {"text": f"t{i}", "label": str(i % 2)} for i in range(5)}
    path = write(tmp_path, json.dumps(rows), "m.json")
    assert read(path)[1] == [(i + 1, (f"t{i}", str(i % 2))) for i in range(5)]
    assert "orient='index'" in read_table(path).note


def test_the_note_says_which_rows_were_read(tmp_path):
    path = write(tmp_path, json.dumps({"version": 1, "data": ROWS}), "m.json")
    assert read_table(path).note == (
        "the rows under 'data'; its rows are numbered from 1, in place of lines"
    )


def test_one_object_is_one_row(tmp_path):
    path = write(tmp_path, json.dumps(ROWS[0], indent=1), "m.json")
    assert read(path) == (COLUMNS, [(1, CELLS[0])], [])


@pytest.mark.parametrize("name", ["m.json", "m.jsonl", "m.txt"])
def test_nested_objects_have_columns_with_dots(name, tmp_path):
    rows = [{"payload": {"text": "hi", "by": {"id": 10**30}}, "meta": {"label": True}}]
    content = "".join(json.dumps(row) + "\n" for row in rows * 2)
    columns, good, _ = read(write(tmp_path, content, name))
    assert columns == ["payload.text", "payload.by.id", "meta.label"]
    assert good == [(line, ("hi", str(10**30), "true")) for line in (1, 2)]


def test_two_values_of_one_name(tmp_path):
    content = json.dumps([{"a.b": 1, "a": {"b": 2}}, {"a.b": 3}])
    assert read(write(tmp_path, content, "m.json"))[1:] == (
        [(2, ("3",))],
        [(1, "two values are called 'a.b'")],
    )


def test_values_that_are_no_row(tmp_path):
    content = '[{"text": "a", "label": NaN},\n 3,\n "x",\n {"text": "half \\ud83d"}]'
    columns, good, bad = read(write(tmp_path, content, "m.json"))
    assert good == [(1, ("a", ""))]
    assert bad == [
        (2, "no JSON object"),
        (3, "no JSON object"),
        (4, "half a character (a lone surrogate)"),
    ]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "no rows"),
        (b"[]", "no rows"),
        (b"{}", "no rows"),
        (b"[[1, 2],\n[3, 4]]", "line 1: expected an array of JSON objects, got no JSON object"),
        (b'[{"a": 1},\n{"a": 2}\n{"a": 3}]', "line 3: no JSON .Expecting ',' or ']'"),
        (b'[{"a": 1},\n{"a": 2}', "line 2: no JSON"),
        (b'[{"a": 1},\n{"a" 2}]', "line 2: no JSON .Expecting ':'"),
        (b'[{"a": 1}]\n[{"a": 2}]', "line 1: no JSON .Expecting one array"),
        (b'[{"a": 1},\n{"a": ' + b"9" * 5000 + b"}]", "line 2: no JSON .ValueError"),
        (b"[\n" + b"[" * 100_000, "line 2: no JSON .RecursionError"),
        (b'[{"a": 1},\n{"a": "caf\xe9"}]', "line 2: not valid UTF-8"),
        (b'{"train": [{"a": 1}], "test": [{"a": 1}]}', "rows under each of 'train', 'test'; save"),
        (b'{"columns": ["a"], "data": [[1, 2]]}', "expected 1 values in each row"),
    ],
)
def test_json_that_is_no_table(content, message, tmp_path):
    with pytest.raises(DataError, match=f"m.json(: |, ){message}"):
        read_table(write(tmp_path, content, "m.json"))


@pytest.mark.parametrize("name", ["m.txt", "m.ft", "m", "m.train"])
def test_fasttext(name, tmp_path):
    lines = ["__label__2 Great  CD: a, b", "", "ends in\ttabs __label__1", "no label", "__label__x"]
    columns, good, bad = read(write(tmp_path, "\n".join(lines) + "\n", name))
    assert columns == COLUMNS
    assert good == [(1, ("Great  CD: a, b", "2")), (3, ("ends in\ttabs", "1")), (5, ("", "x"))]
    assert bad == [(4, "no label; expected __label__NAME")]


def test_fasttext_with_several_labels_is_another_task(tmp_path):
    _, good, bad = read(write(tmp_path, "__label__a hi\n__label__a __label__b hi\n", "m.txt"))
    assert good == [(1, ("hi", "a"))]
    assert bad == [
        (
            2,
            "2 labels (__label__a __label__b); texts with several labels are another task: "
            "say --task multi_label",
        )
    ]
