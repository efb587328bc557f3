"""Documents of plain text, tables, archives, folders, patterns and pipes."""

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
import tracemalloc
import zipfile

import pyarrow
import pyarrow.parquet
import pytest

from kerasnlp_lab.data.tables import TableFormat
from tests.data.corpus.opening import documents, opened, written

STORIES = "One is here. And so on.\nTwo.\n\nThree.\nFour.\n"
OF_STORIES = [["One is here. And so on.", "Two."], ["Three.", "Four."]]
OF_LINES = [["One is here.", "And so on."], ["Two."], ["Three."], ["Four."]]
FRENCH = "Où est le café ? Il est là.\nÉté à Nîmes.\n\nDéjà.\nOui.\n"


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def parquet(rows):
    content = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(rows), content)
    return content.getvalue()


PLAIN = {
    "utf-8": STORIES.encode(),
    "byte order mark": b"\xef\xbb\xbf" + STORIES.encode(),
    "crlf": STORIES.replace("\n", "\r\n").encode(),
    "old mac": STORIES.replace("\n", "\r").encode(),
    "white space in blank lines": STORIES.replace("\n\n", "\n \t\u00a0\n").encode(),
    "many blank lines": ("\n\n" + STORIES.replace("\n\n", "\n\n\n\n") + "\n\n").encode(),
    "no last line end": STORIES.strip().encode(),
    "utf-16": STORIES.encode("utf-16"),
    "utf-16 without mark": STORIES.encode("utf-16-le"),
    "gzip": gzip.compress(STORIES.encode()),
    "bzip2": bz2.compress(STORIES.encode()),
    "xz": lzma.compress(STORIES.encode()),
    "zstandard": pyarrow.compress(STORIES.encode(), codec="zstd", asbytes=True),
}


@pytest.mark.parametrize("content", PLAIN.values(), ids=PLAIN)
def test_blank_lines_between_documents_of_a_sentence_a_line(content, tmp_path):
    path = written(tmp_path / "stories.txt", content)
    assert documents(path) == documents(path, lines="sentences") == OF_STORIES
    corpus = opened(path, sentences_needed=False)
    assert corpus.splits_sentences  # they are there anyway
    assert corpus.notes[0].endswith(
        "each line is a sentence, and blank lines end documents (--lines documents overrides it)"
    )


@pytest.mark.parametrize("text", [STORIES, STORIES.replace("\n\n", "\n")], ids=["blank", "none"])
def test_a_document_a_line(text, tmp_path):
    path = written(tmp_path / "stories.txt", text)
    assert documents(path, lines="documents") == OF_LINES


def test_lines_without_blank_lines_are_documents_and_a_note_says_so(tmp_path):
    path = written(tmp_path / "a.txt", STORIES.replace("\n\n", "\n"))
    corpus = opened(path)
    assert list(corpus.documents()) == OF_LINES
    assert corpus.notes == (
        f"{path}: each line is a document (--lines sentences overrides it)",
        "documents are cut into sentences by sentencex",
        "documents: 4; characters: 38; files: 1",
    )
    assert (corpus.size, corpus.characters, corpus.splits_sentences) == (4, 38, True)
    whole = opened(path, sentences_needed=False)
    assert list(whole.documents())[0] == ["One is here. And so on."]
    assert not whole.splits_sentences and "are not cut into sentences" in whole.notes[1]


def test_blank_lines_between_single_lines_group_nothing(tmp_path):
    path = written(tmp_path / "a.txt", "A dog ran. It fell.\n\nTwo.\n\nThree.\n")
    assert documents(path) == [["A dog ran.", "It fell."], ["Two."], ["Three."]]
    lines = documents(path, lines="sentences", sentences_needed=False)
    assert lines == [["A dog ran. It fell."], ["Two."], ["Three."]]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_encodings_are_found_and_noted(encoding, tmp_path):
    path = written(tmp_path / "a.txt", FRENCH.encode(encoding))
    corpus = opened(path)
    assert list(corpus.documents())[1] == ["Déjà.", "Oui."]
    assert (f"encoding {encoding} (--encoding" in corpus.notes[0]) == (encoding != "utf-8")
    given = opened(path, format=TableFormat(encoding=encoding))
    assert list(given.documents()) == list(corpus.documents())
    assert "(--encoding" not in given.notes[0]


TABLES = {
    "a.csv": b'id,text\n7,"Hi, you. Bye\n\nnow"\n8, \n9,Three.\n',
    "a.csv.gz": gzip.compress(b'id,text\n7,"Hi, you. Bye\n\nnow"\n8,\n9,Three.\n'),
    "a.tsv": b'id\ttext\n7\t"Hi, you. Bye\n\nnow"\n8\t\n9\tThree.\n',
    "a.jsonl": b'{"text": "Hi, you. Bye\\n\\nnow"}\n\n{"text": ""}\n{"text": "Three."}\n',
    "part-0001": b'{"text": "Hi, you. Bye\\n\\nnow"}\n{"text": ""}\n{"text": "Three."}\n',
    "a.json": b'[{"text": "Hi, you. Bye\\n\\nnow"}, {"text": ""}, {"text": "Three."}]',
    "a.parquet": parquet({"text": ["Hi, you. Bye\n\nnow", None, "Three."], "id": [1, 2, 3]}),
    "parquet": parquet({"text": ["Hi, you. Bye\n\nnow", "", "Three."], "id": [1, 2, 3]}),
}


@pytest.mark.parametrize("name", TABLES)
def test_each_row_of_a_table_is_a_document(name, tmp_path):
    corpus = opened(written(tmp_path / name, TABLES[name]))
    assert list(corpus.documents()) == [["Hi, you.", "Bye", "now"], ["Three."]]
    assert "each row is a document, with its text in column text" in corpus.notes[0]
    assert "rows left out, as they have no text: 1" in corpus.notes


def test_columns_of_texts_are_joined(tmp_path):
    path = written(tmp_path / "a.csv", '"3","A title.","Its text. More."\n"1","Two.","Three."\n')
    options = {"text_columns": ("2", "3"), "format": TableFormat(header=False)}
    assert documents(path, **options) == [["A title.", "Its text.", "More."], ["Two.", "Three."]]


def test_text_columns_make_a_table_of_a_file_with_any_name(tmp_path):
    path = written(tmp_path / "a.txt", "id,text\n1,Hello. You\n2,Bye\n")
    assert "say --text-column NAME, if it is a table" in opened(path).notes[0]
    assert documents(path, text_columns=("text",)) == [["Hello.", "You"], ["Bye"]]


@pytest.fixture
def folder(tmp_path):
    written(tmp_path / "in" / "b.txt", STORIES)
    written(tmp_path / "in" / "a" / "z.txt", "In a folder. Yes.\n")
    written(tmp_path / "in" / "c.csv", "text\nRow one.\n")
    written(tmp_path / "in" / "d.png", b"\x89PNG" + bytes(50))
    written(tmp_path / "in" / "e.txt", " \n")
    written(tmp_path / "in" / "f.conll", "EU\tB-ORG\n")
    written(tmp_path / "in" / ".hidden", "no\n")
    os.symlink(tmp_path / "in", tmp_path / "in" / "a" / "loop")
    return tmp_path / "in"


IN_FOLDER = [["In a folder.", "Yes."], *OF_STORIES, ["Row one."]]


def test_the_files_of_a_folder_in_the_order_of_their_names(folder):
    corpus = opened(folder)
    assert list(corpus.documents()) == IN_FOLDER
    (not_read,) = [note for note in corpus.notes if note.startswith("not read")]
    assert not_read == (
        f"not read: {folder}/d.png: is binary, expected plain text or a table; save it as UTF-8 "
        f"text; {folder}/e.txt: is empty, expected texts; {folder}/f.conll: holds tokens with "
        "tags, expected texts"
    )


@pytest.mark.parametrize("pattern", ["*", "**/*", "[abc]*"])
def test_patterns_name_files_and_folders(pattern, folder):
    assert sorted(documents(folder / pattern)) == sorted(IN_FOLDER)


def test_a_file_that_is_named_twice_is_read_once(folder):
    corpus = opened(folder / "b.txt", folder, folder / "b.txt")
    assert list(corpus.documents()) == [*OF_STORIES, IN_FOLDER[0], IN_FOLDER[-1]]
    assert any(f"{folder}/b.txt: named twice" in note for note in corpus.notes)


def test_an_archive_is_read_as_a_folder(tmp_path):
    files = {"x/b.txt": STORIES, "x/a.jsonl": '{"text": "Hi. You"}\n', "__MACOSX/._b": "\0"}
    corpus = opened(written(tmp_path / "in.zip", zipped(files)))
    assert list(corpus.documents()) == [["Hi.", "You"], *OF_STORIES]
    assert corpus.notes[0].startswith(f"{tmp_path}/in.zip/x/a.jsonl: ")


def test_standard_input_is_read_into_a_file(monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO(gzip.compress(STORIES.encode())))
    monkeypatch.setattr(sys, "stdin", stdin)
    corpus = opened("-")
    assert list(corpus.documents()) == list(corpus.documents()) == OF_STORIES
    assert corpus.notes[0].startswith("standard input: each line")
    (copy,) = [file.path for file in corpus.files]
    assert copy.exists() and not stdin.closed
    del corpus
    assert not copy.exists()


def test_a_named_pipe_is_read_into_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=[STORIES])
    writer.start()
    corpus = opened(tmp_path / "pipe")
    writer.join()
    assert list(corpus.documents()) == list(corpus.documents()) == OF_STORIES


def test_documents_are_not_held_in_memory(tmp_path):
    path = written(tmp_path / "a.txt", ("A dog ran home. " * 100 + "\nAnd so on.\n\n") * 2_000)
    tracemalloc.start()
    count = sum(1 for _ in opened(path).documents())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 2_000 and peak < path.stat().st_size / 5
