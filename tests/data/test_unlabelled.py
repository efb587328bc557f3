"""Texts to classify: columns of tables, lines of files and of pipes, in any of their encodings."""

import bz2
import gzip
import io
import json
import lzma
import os
import sys
import threading
import tracemalloc
import zipfile

import pyarrow
import pyarrow.parquet
import pytest

from kerasnlp_lab.data.tables import RejectedRow, TableFormat
from kerasnlp_lab.data.tables.table import is_table
from kerasnlp_lab.data.unlabelled import read_column, read_lines, read_names
from kerasnlp_lab.errors import DataError
from tests.data.table_files import write

TABLE = 'id,text,more\n7,"free, cash\nnow",x\n8, lunch home ,y\n'
TEXTS = ["free, cash\nnow", "lunch home"]


def column(path, text_columns=(), trained_on=()):
    return read_column(path, text_columns, trained_on, TableFormat())


def lines(path):
    return [(row.line, row.text) for row in read_lines(path)[0]]


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def parquet(path):
    rows = {"id": [7, 8], "text": TEXTS, "more": ["x", "y"]}
    pyarrow.parquet.write_table(pyarrow.table(rows), path)
    return path


@pytest.mark.parametrize("name", ["new.csv", "new.csv.gz", "NEW.CSV", "new.tsv", "new.jsonl"])
def test_the_rows_of_a_table(name, tmp_path):
    content = {
        "new.tsv": TABLE.replace(", cash", "~ cash").replace(",", "\t").replace("~", ","),
        "new.jsonl": '{"id": 7, "text": "free, cash\\nnow", "more": "x"}\n\n'
        '{"id": 8, "text": " lunch home ", "more": "y"}\n',
    }.get(name, TABLE)
    packed = gzip.compress(content.encode()) if name.endswith(".gz") else content
    rows, note = column(written(tmp_path / name, packed))
    found = list(rows)
    assert note == "the texts are in column text"
    assert [row.text for row in found] == TEXTS
    assert [row.line for row in found] == ([1, 3] if name == "new.jsonl" else [2, 4])
    assert [row.cells["id"] for row in found] == ["7", "8"]
    assert list(found[0].cells) == ["id", "text", "more"]


def test_a_whole_text_keeps_the_white_space_at_its_ends(tmp_path):
    path = written(tmp_path / "new.jsonl", '{"text": " lunch home\\n", "more": "y"}\n')
    rows, _ = read_column(path, (), (), TableFormat(), whole=True)
    assert [row.text for row in rows] == [" lunch home\n"]


def test_the_rows_of_parquet(tmp_path):
    rows, _ = column(parquet(tmp_path / "new.parquet"))
    assert [(row.line, row.text) for row in rows] == [(1, TEXTS[0]), (2, TEXTS[1])]


@pytest.mark.parametrize(
    "name", ["a.csv", "a.b.TSV", "a.csv.gz", "a.jsonl.xz", "a.ndjson", "a.parquet"]
)
def test_a_table_is_known_by_its_ending(name, tmp_path):
    assert is_table(tmp_path / name)


def test_several_files_are_a_table(tmp_path):
    for name in ("one.csv", "two.csv"):
        written(tmp_path / name, f'text\n{name}\n" "\n')
    for path in (tmp_path, tmp_path / "*.csv"):
        assert is_table(path)
        good, bad, _, worse = column(path)[0]
        assert (good.text, good.line, good.file) == ("one.csv", 2, str(tmp_path / "one.csv"))
        assert [row.path for row in (bad, worse)] == [
            str(tmp_path / f"{n}.csv") for n in ("one", "two")
        ]


@pytest.mark.parametrize("name", ["a.txt", "csv", "a", "a.txt.gz", "a.csv.txt", ".csv"])
def test_other_files_are_lines(name, tmp_path):
    assert not is_table(tmp_path / name)


@pytest.mark.parametrize(
    "header, given, trained_on, chosen",
    [
        ("a,text", [], [], "text"),
        ("a,Message", [], [], "Message"),
        ("a,text", ["a"], [], "a"),
        ("a,text", ["a", "text"], [], "a and text"),
        ("a,text", [], ["a"], "a"),
        ("a,text", [], ["b"], "text"),  # the model was trained on a column that is not there
        ("a,text", [], ["a", "b"], "text"),
        ("text,sentence", [], ["sentence"], "sentence"),
        ("a,text", ["text"], ["a"], "text"),
    ],
)
def test_the_column_of_the_texts(header, given, trained_on, chosen, tmp_path):
    rows, note = column(written(tmp_path / "t.csv", f"{header}\none,two\n"), given, trained_on)
    columns = "columns" if " and " in chosen else "column"
    assert note == f"the texts are in {columns} {chosen}"
    cells = dict(zip(header.split(","), ("one", "two"), strict=True))
    assert [row.text for row in rows] == [" ".join(cells[name] for name in chosen.split(" and "))]


@pytest.mark.parametrize(
    "header, given, message",
    [
        ("a,b", [], "none has a name that tells. Say --text-column NAME; there are a, b"),
        ("text,message", [], "text or message[?]"),
        ("a,text", ["txet"], "no column 'txet'; there are a, text; did you mean 'text'[?]"),
    ],
)
def test_a_column_in_doubt(header, given, message, tmp_path):
    with pytest.raises(DataError, match=message):
        column(written(tmp_path / "t.csv", f"{header}\none,two\n"), given)


def test_bad_rows_keep_their_place(tmp_path):
    path = written(
        tmp_path / "t.csv", b'id,text\n1,one\n2,  \n3\n4,caf\xe9\n5,f\xc3\xbcnf\n6,"open\n'
    )
    rows = list(column(path)[0])
    bad = {row.line: row.reason for row in rows if isinstance(row, RejectedRow)}
    assert [row.text for row in rows if not isinstance(row, RejectedRow)] == ["one", "fünf"]
    assert list(bad) == [3, 4, 5, 7]
    assert bad[3] == "no text in column text"
    assert bad[4] == "expected 2 columns, got 1"
    assert bad[5].startswith("not valid UTF-8")


SPANISH = "¡gratis!\ndinero 😀\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_lines_in_their_encoding(encoding, end, pack, tmp_path):
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    content = (mark + SPANISH.replace("\n", end)).encode(encoding)
    found = lines(written(tmp_path / "texts.txt", pack(content)))
    assert found == [(1, "¡gratis!".encode()), (2, "dinero 😀".encode())]


def test_utf_16_without_a_mark(tmp_path):
    path = written(tmp_path / "texts.txt", "free cash\r\nlunch".encode("utf-16-le"))
    assert lines(path) == [(1, b"free cash"), (2, b"lunch")]


def test_an_encoding_that_is_given(tmp_path):
    path = written(tmp_path / "texts.txt", "año\nniño".encode("latin-1"))
    assert [row.text.decode() for row in read_lines(path, "latin-1")[0]] == ["año", "niño"]
    rows, note = read_lines(path)
    assert [row.text.decode() for row in rows] == ["año", "niño"]
    assert note == "encoding cp1252 (--encoding overrides it)"
    with pytest.raises(DataError, match="is not in utf-16; leave out --encoding"):
        read_lines(path, "utf-16")


def test_lines_are_as_they_are(tmp_path):
    content = b"caf\xe9\r\n\n a\tb \x0b\xef\xbb\xbf\n\xef\xbb\xbfx\n\x1b[1mlast\0line"
    expected = [b"caf\xe9", b"", *content.split(b"\n")[2:]]
    path = written(tmp_path / "texts.txt", b"first\n" * 3000 + content)
    assert [text for _, text in lines(path)][3000:] == expected
    assert lines(written(tmp_path / "empty.txt", b"")) == []
    assert lines(written(tmp_path / "mark.txt", b"\xef\xbb\xbf")) == [(1, b"")]


def binary_files(folder):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("new.csv", TABLE)
    yield "zip", archive.getvalue()
    yield "parquet", parquet(folder / "new.parquet").read_bytes()
    yield "png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    yield "random", bytes((7919 * n >> 3) % 255 + 1 for n in range(4000))
    yield "gzip in gzip", gzip.compress(gzip.compress(TABLE.encode()))


def test_binary_files_are_no_lines(tmp_path):
    for name, content in binary_files(tmp_path):
        with pytest.raises(DataError, match="is binary, expected a text on each line"):
            lines(written(tmp_path / "binary", content))
            raise AssertionError(name)


def test_a_compressed_file_that_was_cut(tmp_path):
    packed = gzip.compress(os.urandom(50_000).hex().encode())
    with pytest.raises(DataError, match="cut.gz: cannot be read to its end"):
        lines(written(tmp_path / "cut.gz", packed[:-1000]))


@pytest.mark.parametrize("name", ["nowhere.txt", "."])
def test_no_such_file(name, tmp_path):
    with pytest.raises(DataError, match="no such|is a folder; expected a file with a text on each"):
        read_lines(tmp_path / name)


def test_a_file_of_a_similar_name_is_suggested_last(tmp_path):
    (tmp_path / "labels.txt").write_text("a\n")
    message = "label.txt: no such file; expected a file with a name on each line; did you mean"
    with pytest.raises(DataError, match=message):
        read_names(tmp_path / "label.txt")


@pytest.mark.parametrize("path", [None, "-"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_standard_input(path, encoding, tmp_path, monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO("uno\ndos".encode(encoding)))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert lines(path and tmp_path.__class__(path)) == [(1, b"uno"), (2, b"dos")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_line_of_a_pipe_comes_before_the_next_is_sent(encoding, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    asked = threading.Event()

    def send():
        sent = "uno\ndos\n".encode(encoding)
        end = len("uno\n".encode(encoding))
        with pipe.open("wb", buffering=0) as file:
            file.write(sent[:end])
            asked.wait(20)
            file.write(sent[end:])

    sender = threading.Thread(target=send)
    sender.start()
    rows, _ = read_lines(pipe)
    assert next(rows).text == b"uno"
    asked.set()
    assert next(rows).text == b"dos"
    sender.join()
    assert list(rows) == []


@pytest.mark.parametrize("name", ["many.csv", "many.txt", "many.jsonl"])
def test_memory_does_not_grow_with_the_file(name, tmp_path):
    row = '{"text": "%s"}\n' if name == "many.jsonl" else "%s\n"
    written(tmp_path / name, "text\n" * (name == "many.csv") + (row % ("word " * 200)) * 8_000)
    tracemalloc.start()
    try:
        read = read_lines if name == "many.txt" else column
        rows, _ = read(tmp_path / name)
        assert sum(1 for _ in rows) == 8_000
        assert tracemalloc.get_traced_memory()[1] < 4_000_000  # of 8 MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("rows", [[{"text": ["a", "b"]}], [{"text": {"en": "a"}}]])
def test_a_list_or_an_object_is_no_text(rows, tmp_path):
    path = write(
        tmp_path, "".join(f"{json.dumps(row)}\n" for row in [{"text": "hi"}, *rows]), "m.jsonl"
    )
    found, _ = read_column(path, ["text"], [], TableFormat())
    first, second = found
    assert first.text == "hi"
    assert (second.line, second.reason.startswith("the text is ")) == (2, True)


@pytest.mark.parametrize(
    "first, hint",
    [("text,label", True), ('"id"\t"Message"', True), ("see you, text me", False), ("text", False)],
)
def test_lines_of_a_table_are_noticed(first, hint, tmp_path):
    _, note = read_lines(write(tmp_path, f"{first}\nhi,ham\n", "m.txt"))
    assert ("--text-column NAME" in note) == hint
