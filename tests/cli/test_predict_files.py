"""`predict --file`: tables, lines and pipes, with the line of each text."""

import gzip
import json
import shutil

import pytest

from tests.cli.command import run
from tests.cli.json_keys import assert_documented
from tests.cli.test_mistakes import assert_mistake

TABLE = "id,text,title\n7,Stocks fell,a goal\n8,Team wins cup,stocks\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text(TABLE)
    return path


def answers(*words, stdin=b""):
    result = run("predict", *words, "--json", stdin=stdin)
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.out.splitlines()], result.err


def test_a_table_with_lines_and_columns(exported, table):
    found, told = answers(exported, "--file", table, "--keep-columns")
    assert [(one["line"], one["text"]) for one in found] == [
        (2, "Stocks fell"),
        (3, "Team wins cup"),
    ]
    assert found[1]["columns"] == {"id": "8", "text": "Team wins cup", "title": "stocks"}
    assert_documented(found[0], "predict")
    assert "the texts are in column text\n" in told
    assert told.endswith("texts answered: 2; rows skipped: 0\n")
    alone, _ = answers(exported, "Stocks fell")
    assert "line" not in alone[0]
    assert found[0]["probabilities"] == alone[0]["probabilities"]


def test_the_same_texts_compressed_and_by_another_column(exported, table):
    packed = table.with_name("new.csv.gz")
    packed.write_bytes(gzip.compress(TABLE.encode()))
    assert answers(exported, "--file", packed)[0] == answers(exported, "--file", table)[0]
    found, _ = answers(exported, "--file", packed, "--text-column", "title", "--text-column", "id")
    assert [one["text"] for one in found] == ["a goal 7", "stocks 8"]


def test_the_column_that_the_model_was_trained_on(finished_run, exported, table, tmp_path):
    for name, file in ((finished_run, "config.json"), (exported, "assets.extra/manifest.json")):
        model = shutil.copytree(name, tmp_path / name.name)
        content = json.loads((model / file).read_text())
        config = content["trained"]["config"] if "trained" in content else content
        config["dataset"]["reading"] = {"text_columns": ["title"]}
        (model / file).write_text(json.dumps(content))
        found, told = answers(model, "--file", table)
        assert [one["text"] for one in found] == ["a goal", "stocks"]
        assert "the texts are in column title\n" in told


def test_lines_have_their_numbers(exported, tmp_path):
    path = tmp_path / "utf16.txt"
    path.write_bytes("free cash\r\n\r\ngoal\r\n".encode("utf-16"))
    found, told = answers(exported, "--file", path)
    assert [(one["line"], one["text"]) for one in found] == [(1, "free cash"), (2, ""), (3, "goal")]
    result = run("predict", exported, "--file", path)
    assert [line.split()[0] for line in result.out.splitlines()] == ["1", "2", "3"]
    assert result.err.endswith("texts answered: 3; rows skipped: 0\n")


def test_bytes_that_are_not_utf_8_are_counted(exported, tmp_path):
    path = tmp_path / "mixed.txt"
    path.write_bytes("café\nnaïve\n".encode() + b"d\xe9j\xe0\n")
    found, told = answers(exported, "--file", path)
    assert found[2]["text"] == "d\ufffdj\ufffd"
    assert "lines with bytes that are not UTF-8, read as U+FFFD: 1, the first in line 3" in told


def test_a_table_by_its_lines(exported, table):
    found, _ = answers(exported, "--file", table, "--lines")
    assert [one["text"] for one in found] == TABLE.splitlines()


def test_standard_input(exported):
    texts = "uno\ndos\n".encode("utf-16")
    with_lines, _ = answers(exported, "--file", "-", stdin=texts)
    assert [(one["line"], one["text"]) for one in with_lines] == [(1, "uno"), (2, "dos")]
    found, told = answers(exported, stdin=texts)
    assert found == [{name: one[name] for name in one if name != "line"} for one in with_lines]
    assert told == ""


def test_a_bad_row_ends_the_answers_at_its_line(exported, table):
    table.write_text(TABLE + "9,  ,none\n10\n11,Oil slips,\n")
    result = run("predict", exported, "--file", table, "--json")
    assert result.code == 2
    assert [json.loads(line)["line"] for line in result.out.splitlines()] == [2, 3]
    assert result.err.endswith(
        f"kerasnlp-lab: {table}, line 4: no text in column text; fix the row, or skip such rows "
        "(--bad-rows skip); texts answered: 2; rows skipped: 0\n"
    )


def test_bad_rows_are_skipped_by_name(exported, table):
    table.write_text(TABLE + "9,  ,none\n10\n11,Oil slips,\n")
    found, told = answers(exported, "--file", table, "--bad-rows", "skip")
    assert [one["line"] for one in found] == [2, 3, 6]
    assert f"skipped: {table}, line 4: no text in column text\n" in told
    assert f"skipped: {table}, line 5: expected 3 columns, got 1\n" in told
    assert told.endswith("texts answered: 3; rows skipped: 2\n")


def test_answers_of_many_rows_keep_their_lines(exported, tmp_path):
    path = tmp_path / "many.csv"
    rows = [f"{'goal ' * (n * 37 % 50)}{n}" for n in range(1200)]  # more than two chunks
    path.write_text("\n".join(["text", *rows]))
    found, _ = answers(exported, "--file", path, "--keep-columns")
    assert [(one["line"], one["text"]) for one in found] == list(enumerate(rows, start=2))
    assert [one["columns"]["text"] for one in found] == rows


@pytest.mark.parametrize(
    "words, message",
    [
        (["--file", "TABLE", "--text-column", "txet"], "no column 'txet'; there are id, text, ti"),
        (["--file", "TABLE", "--text-column", "id", "--lines"], "--text-column is for a table"),
        (["--text-column", "text"], "--text-column is for a table: give it as --file"),
        (["--file", "TABLE", "--keep-columns"], "--keep-columns is for JSON: add --json"),
        (["--file", "TABLE", "--bad-rows", "drop"], "--bad-rows must be stop or skip, got 'drop'"),
        (["--file", "BINARY"], "is binary, expected a text on each line"),
        (["--file", "BINARY", "--lines"], "is binary, expected a text on each line"),
        (["-50%"], "comes after --: kerasnlp-lab predict MODEL -- TEXT"),
        (["-hello"], "comes after --: kerasnlp-lab predict MODEL -- TEXT"),
        (["- milk"], "comes after --: kerasnlp-lab predict MODEL -- TEXT"),
        (["--great"], "comes after --: kerasnlp-lab predict MODEL -- TEXT"),
    ],
)
def test_mistakes(words, message, exported, table):
    binary = table.with_name("new.bin")
    binary.write_bytes(b"PK\x03\x04\x00\x00")
    places = {"TABLE": table, "BINARY": binary}
    assert_mistake(run("predict", exported, *(places.get(word, word) for word in words)), message)


def test_a_table_without_a_telling_column(exported, table):
    table.write_text("a,b\n1,2\n")
    assert_mistake(run("predict", exported, "--file", table), "Say --text-column NAME", "--lines")


def test_a_text_that_begins_with_a_hyphen(exported):
    (line,) = run("predict", exported, "--", "-50%").out.splitlines()
    assert line.endswith("  -50%")
