"""predictions.csv names the file, the line and the text of each row, for any names of classes."""

import csv
import io

import numpy as np
import pytest

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.tables import csv_content
from kerasnlp_lab.evaluation.predictions import predictions_of

FIXED = ["row", "file", "line", "text", "label", "predicted"]


def read(split, names, probabilities):
    predicted = probabilities.argmax(axis=1)
    content = csv_content(*predictions_of(split, names, predicted, probabilities))
    reader = csv.reader(io.StringIO(content.decode(), newline=""))
    columns, *rows = reader
    assert len(set(columns)) == len(columns)
    return columns, [dict(zip(columns, row, strict=True)) for row in rows]


def drawn(rows, classes):
    values = np.random.default_rng(0).random((rows, classes)).astype(np.float32)
    return values / values.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    "names",
    [
        FIXED,
        ["probability: row", "row", "probability of label", "top 1"],
        ["a,b", 'c"d', "e\nf", "g\rh", "", " ", "=1+1", "\u65e5\u672c"],
    ],
)
def test_columns_of_any_names_can_be_told_apart(names):
    texts = [f'text, "{i}"\r\nand more' for i in range(len(names))]
    lines = np.arange(2, 2 + len(names), dtype=np.int32)
    split = Split(texts, np.arange(len(names)), "folder/t.csv", lines)
    probabilities = drawn(len(names), len(names))
    columns, rows = read(split, names, probabilities)
    assert columns == FIXED + [f"probability: {name}" for name in names]
    for i, row in enumerate(rows):
        assert (row["row"], row["file"], row["line"]) == (str(i), "folder/t.csv", str(i + 2))
        assert (row["text"], row["label"]) == (texts[i], names[i])
        assert row["predicted"] == names[probabilities[i].argmax()]
        for name, p in zip(names, probabilities[i], strict=True):
            assert float(row[f"probability: {name}"]) == pytest.approx(p, abs=1e-6)


def test_many_classes_have_the_five_most_probable():
    names = [f"class {i}" for i in range(1000)]
    labels = np.arange(0, 1000, 50)
    probabilities = drawn(len(labels), 1000)
    columns, rows = read(Split(["a"] * len(labels), labels), names, probabilities)
    assert len(columns) == len(FIXED) + 12
    for label, row, of_row in zip(labels, rows, probabilities, strict=True):
        best = np.argsort(-of_row)[:5]
        assert [row[f"top {i}"] for i in range(1, 6)] == [names[i] for i in best]
        found = [float(row[f"probability of top {i}"]) for i in range(1, 6)]
        assert found == pytest.approx(of_row[best], abs=1e-6)
        assert float(row["probability of label"]) == pytest.approx(of_row[label], abs=1e-6)
        assert row["probability of predicted"] == row["probability of top 1"]
        assert row["predicted"] == row["top 1"]


def test_rows_from_python_have_no_file_and_long_texts_are_cut():
    split = Split(["x" * 5000, "half \ud83d"], np.array([0, 1]))
    _, rows = read(split, ["a", "b"], drawn(2, 2))
    assert [(row["file"], row["line"]) for row in rows] == [("", ""), ("", "")]
    assert rows[0]["text"] == "x" * 999 + "…"
    assert rows[1]["text"] == "half ?"


def test_a_row_of_several_files_names_its_own():
    lines, parts = np.array([2, 2], np.int32), np.array([1, 0])
    split = Split(["a", "b"], [0, 1], "parts", lines, ("one.csv", "two.csv"), parts)
    _, rows = read(split, ["x", "y"], drawn(2, 2))
    assert [(row["file"], row["line"]) for row in rows] == [("two.csv", "2"), ("one.csv", "2")]
