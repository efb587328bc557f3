"""`UnlabelledFiles`: texts without labels from lines and tables, each used or named."""

import gzip
import json
import re

import pytest

from kerasnlp_lab.data.tables import TableFormat
from kerasnlp_lab.data.unlabelled_files import UnlabelledFiles
from kerasnlp_lab.errors import DataError, RunError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "lines.txt").write_text(" one \n\ntwo, 2\n\n", encoding="utf-8")
    (tmp_path / "table.csv").write_text("id,body\n1,three\n2,four\n", encoding="utf-8")
    rows = [json.dumps({"body": text}) for text in ("five", "six")]
    with gzip.open(tmp_path / "more.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(rows))
    with gzip.open(tmp_path / "lines.txt.gz", "wb") as file:
        file.write(b"sieben\nacht\n")
    (tmp_path / "cp1252.txt").write_bytes("größer\n".encode("cp1252"))
    return tmp_path


def read(*paths, trained_on=("body",), pair=None, **settings):
    return UnlabelledFiles(paths=tuple(map(str, paths)), **settings).read(trained_on, pair)


@pytest.mark.parametrize(
    "name, texts, lines",
    [
        ("lines.txt", ["one", "two, 2"], [1, 3]),
        ("table.csv", ["three", "four"], [2, 3]),
        ("more.jsonl.gz", ["five", "six"], [1, 2]),
        ("lines.txt.gz", ["sieben", "acht"], [1, 2]),
        ("cp1252.txt", ["größer"], [1]),
    ],
)
def test_a_line_or_a_row_is_a_text(name, texts, lines, folder):
    found = read(folder / name)
    assert (found.texts, found.lines.tolist()) == (texts, lines)
    assert list(found.sha256) == [str(folder / name)]


def test_all_files_of_a_folder_and_a_pattern_are_read_once(folder):
    (folder / ".hidden").write_text("no text")
    whole = read(folder)
    assert whole.texts == ["größer", "one", "two, 2", "sieben", "acht", "five", "six"] + [
        "three",
        "four",
    ]
    assert [whole.files[part] for part in whole.parts[-2:]] == [str(folder / "table.csv")] * 2
    assert read(folder / "lines*", folder / "lines.txt").texts == [
        "one",
        "two, 2",
        "sieben",
        "acht",
    ]
    assert any("blank lines, which are no texts: 2" in note for note in whole.notes)


def test_columns_are_for_tables_alone_where_there_are_some(folder):
    mixed = read(folder / "lines.txt", folder / "table.csv", trained_on=(), text_columns=("body",))
    assert mixed.texts == ["one", "two, 2", "three", "four"]
    (folder / "unnamed").write_text("n;body\n1;nine\n")
    alone = read(folder / "unnamed", text_columns=("body",), format=TableFormat(delimiter=";"))
    assert alone.texts == ["nine"]


def test_pairs_have_a_tab_or_two_columns(tmp_path):
    (tmp_path / "pairs.txt").write_text("a cat\ta dog\n")
    (tmp_path / "pairs.csv").write_text("first,second\nan ox,an owl\n")
    found = read(tmp_path, trained_on=("first",), pair=("first", "second"))
    assert sorted(found.texts) == ["a cat\x1fa dog", "an ox\x1fan owl"]
    (tmp_path / "half.txt").write_text("a cat\t \n")
    with pytest.raises(DataError, match="first or second is empty"):
        read(tmp_path / "half.txt", pair=("first", "second"))


@pytest.mark.parametrize(
    "content, message, texts",
    [
        (b"good\nb\xffd\n", "not valid UTF-8 at byte 2", ["good"]),
        (b"good\n\xc3\n", "not valid UTF-8 at byte 1", ["good"]),
    ],
    ids=["within", "end"],
)
def test_a_bad_line_stops_or_is_skipped_and_named(content, message, texts, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(content)
    encoded = {"format": TableFormat(encoding="utf-8")}
    with pytest.raises(DataError, match=re.escape(f"lines.txt, line 2: {message}")):
        read(path, **encoded)
    found = read(path, skip_bad_rows=True, **encoded)
    assert found.texts == texts
    assert any(f"skipped: {path}, line 2: {message}" in note for note in found.notes)


@pytest.mark.parametrize(
    "name, message",
    [
        ("missing.txt", "no such file"),
        ("*.nothing", "no file matches this pattern"),
        ("empty", "a folder without files"),
        ("blank.txt", "found no texts"),
        ("binary.txt", "is binary"),
    ],
)
def test_files_that_hold_no_texts_are_refused(name, message, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.txt").write_text("\n \n")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_a_second_text_is_for_a_teacher_of_pairs(folder):
    with pytest.raises(DataError, match="reads single texts: leave out --second-text-column"):
        read(folder / "table.csv", second_text_column="id")


def test_settings_come_back_from_json_except_for_a_pipe(folder):
    files = UnlabelledFiles(
        paths=(str(folder / "table.csv"),),
        text_columns=("body",),
        format=TableFormat(delimiter=","),
        skip_bad_rows=True,
    )
    described = json.loads(json.dumps(files.to_json()))
    assert UnlabelledFiles.from_json(files.paths, described) == files
    with pytest.raises(RunError, match="came from -, which cannot be read again"):
        UnlabelledFiles.from_json(["-"], described)
