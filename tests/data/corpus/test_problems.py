"""What cannot be read is refused by file and line, with advice."""

import gzip
import io
import re
import sys

import pytest

from kerasnlp_lab.data.corpus import CorpusSource
from kerasnlp_lab.data.tables import TableFormat
from kerasnlp_lab.errors import DataError, OptionError
from tests.data.corpus.opening import documents, opened, written

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
BAD_LINE = "Zażółć gęślą. Jaźń\nżółw\n".encode() + b"ab \xff c. D\nOk. Yes.\n"
BAD_ROW = b'{"text": "Hi. You"}\n{oops\n{"text": ["a", "b"]}\n{"text": "Bye"}\n'
SKIP = "fix the row, or skip such rows (--bad-rows skip)"

BAD = {
    "binary": ("a.txt", PNG, ": is binary, expected plain text or a table; save it as UTF-8 text"),
    "pdf": ("a.pdf", b"%PDF-1.7\n", ": is a PDF, expected plain text"),
    "rtf": ("a.rtf", b"{\\rtf1\\ansi Hi}", ": is RTF, expected plain text"),
    "html": ("a.html", b"\n<!DOCTYPE html><p>Hi. You", ": is HTML, expected plain text"),
    "xml": ("a.xml", b'\xef\xbb\xbf<?xml version="1.0"?><a>Hi. You</a>', ": is XML, expected"),
    "empty": ("a.txt", b"", ": is empty, expected texts"),
    "blank": ("a.txt", b"\n \n", ": is empty, expected texts"),
    "one sentence": ("a.txt", b"Only one sentence.\n", ": found only one sentence in all"),
    "no pairs": ("a.txt", b"One.\nTwo.\n", "; say --objective mlm, or --lines sentences if the"),
    "no pairs in a table": (
        "a.csv",
        b"text\nOne.\nTwo.\n",
        "prediction needs; say --objective mlm",
    ),
    "tokens": ("a.conll", b"EU\tB-ORG\n", ": holds tokens with tags, expected texts"),
    "bad line": ("a.txt", BAD_LINE, f", line 3: not valid UTF-8 at byte 4; {SKIP}; if the file"),
    "bad row": ("a.jsonl", BAD_ROW, ", line 2: no JSON ("),
    "no text column": (
        "a.csv",
        b"id,x\n1,a\n",
        ": which column has the texts? none has a name that tells",
    ),
    "only empty texts": ("a.csv", b"id,text\n1,\n", ": found no texts to pre-train on; "),
    "cut gzip": ("a.txt.gz", gzip.compress(b"Hi. You\n" * 99)[:-9], ": cannot be read to its end"),
    "no archive": ("a.zip", b"PK\x03\x04 and so on", ": cannot be unpacked (BadZipFile"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD)
def test_a_file_is_refused(name, content, message, tmp_path):
    path = written(tmp_path / name, content)
    with pytest.raises(DataError, match=re.escape(message)) as raised:
        opened(path)
    assert str(raised.value).startswith(str(path))


def test_sentences_of_one_line_each_are_refused_for_next_sentence_prediction(tmp_path):
    path = written(tmp_path / "a.txt", "A dog ran. It fell.\n\nTwo.\n")
    with pytest.raises(DataError, match="say --objective mlm, or --lines documents to cut each"):
        opened(path, lines="sentences")


def test_advice_to_name_a_column(tmp_path):
    path = written(tmp_path / "a.csv", "id,x\n1,a\n")
    with pytest.raises(DataError, match="Say --text-column NAME; there are id, x"):
        opened(tmp_path)
    with pytest.raises(DataError, match="no column 'ix'; there are id, x; did you mean 'x'"):
        opened(path, text_columns=("ix",))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.txt", "missing.txt: no such file"),
        ("in/stroies.txt", r"no such file; did you mean '.*/in/stories.txt'\?"),
        ("in/*.md", r"in/\*.md: no file matches this pattern"),
        ("empty", "empty: found no texts to pre-train on"),
        ("pictures", "pictures: found no texts to pre-train on; not read: .*a.png: is binary"),
    ],
)
def test_nothing_to_read(name, message, tmp_path):
    written(tmp_path / "in" / "stories.txt", "One. Two.\n")
    written(tmp_path / "pictures" / "a.png", PNG)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=message):
        opened(tmp_path / name)


def test_no_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="standard input: there is none; name a file"):
        opened("-")


def test_columns_of_plain_text_are_refused(tmp_path):
    written(tmp_path / "in" / "stories.txt", "One. Two.\n")
    with pytest.raises(DataError, match="leave out --text-column"):
        opened(tmp_path / "in", text_columns=("body",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PNG, "standard input: is binary"),
        (gzip.compress(b"Hi. You\n" * 99)[:-9], "standard input: cannot be read to its end"),
        (BAD_LINE, "standard input, line 3: not valid UTF-8"),
        (b'{"text": "Hi. You"}\n{oops\n', "standard input, line 2: no JSON"),
    ],
    ids=["binary", "gzip", "line", "row"],
)
def test_errors_name_standard_input_rather_than_its_copy(content, message, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(DataError, match=f"^{message}"):
        opened("-")


def test_an_empty_pipe():
    with pytest.raises(DataError, match="/dev/null: is empty, expected texts"):
        opened("/dev/null")


@pytest.mark.parametrize(
    ("name", "content", "skipped", "expected"),
    [
        ("a.txt", BAD_LINE, ["line 3: not valid"], [["Zażółć gęślą.", "Jaźń"], ["żółw"]]),
        ("a.jsonl", BAD_ROW, ["line 2: no JSON", "line 3: the text is a list"], [["Hi.", "You"]]),
    ],
)
def test_bad_lines_and_rows_can_be_skipped(name, content, skipped, expected, tmp_path):
    path = written(tmp_path / name, content)
    corpus = opened(path, skip_bad_rows=True)
    assert list(corpus.documents())[:-1] == expected
    (note,) = [note for note in corpus.notes if note.startswith("skipped: ")]
    assert all(f"{path}, {reason}" in note for reason in skipped)


def test_a_wrong_encoding(tmp_path):
    path = written(tmp_path / "a.txt", "Où est-il ? Là.\n")
    with pytest.raises(DataError, match="is in utf-8, not in utf-16; leave out --encoding"):
        opened(path, format=TableFormat(encoding="utf-16"))


def test_files_that_change_while_they_are_read(tmp_path):
    path = written(tmp_path / "a.txt", "One. Two.\nThree.\n")
    corpus = opened(path)
    path.write_text("One. Two.\nThree.\nFour.\n")
    message = "expected the 2 documents that were counted first, got 3; the files must not change"
    with pytest.raises(DataError, match=message):
        list(corpus.documents())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"paths": ()}, "no texts to pre-train on: name a file"),
        ({"lines": "both"}, "lines must be auto, sentences or documents, got 'both'"),
        ({"language": "English"}, "language must be an ISO 639 code, such as en or de"),
    ],
)
def test_options(options, message):
    with pytest.raises(OptionError, match=message):
        CorpusSource(**{"paths": ("a.txt",), **options})


def test_one_document_of_one_sentence_beside_others_is_fine(tmp_path):
    written(tmp_path / "a.txt", "One.\n")
    written(tmp_path / "b.txt", "Two. Three.\n")
    assert documents(tmp_path) == [["One."], ["Two.", "Three."]]
