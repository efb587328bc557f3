"""A corpus is found again by its source, and recognized by its fingerprint."""

import json
import os

import pytest

from kerasnlp_lab.data.corpus import CorpusSource, open_corpus
from kerasnlp_lab.data.tables import TableFormat
from kerasnlp_lab.errors import RunError
from tests.data.corpus.opening import opened, written

TEXT = "One is here. And so on.\nTwo.\n\nThree.\nFour.\n"


def again(source):
    return CorpusSource.from_json(json.loads(json.dumps(source.to_json())))


def test_a_source_survives_json():
    source = CorpusSource(
        paths=("/a/b.csv", "/a/*.txt"),
        lines="documents",
        text_columns=("title", "body"),
        format=TableFormat(encoding="cp1252", header=False),
        language="de",
        skip_bad_rows=True,
    )
    assert again(source) == source


@pytest.mark.parametrize("path", ["a.txt", "*.txt", "."])
def test_relative_paths_are_found_from_another_folder_and_after_a_move(path, tmp_path, monkeypatch):
    def size(source):
        return open_corpus(source, sentences_needed=True).size

    written(tmp_path / "old" / "a.txt", TEXT)
    monkeypatch.chdir(tmp_path / "old")
    source = CorpusSource(paths=(path,))
    assert size(source) == 2
    monkeypatch.chdir("/")
    assert size(again(source)) == 2 and again(source) == source
    os.rename(tmp_path / "old", tmp_path / "new")
    monkeypatch.chdir(tmp_path / "new")
    assert size(again(source)) == 2


def test_a_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    written(tmp_path / "a.txt", TEXT)
    assert opened("~/a.txt").size == 2


def test_a_pipe_cannot_be_read_again():
    with pytest.raises(RunError, match="texts came from standard input, which cannot be read aga"):
        again(CorpusSource(paths=("-",)))


def fingerprint(path, **options):
    return opened(path, **options).fingerprint


def test_the_fingerprint_is_of_contents_and_of_what_they_are_read_as(tmp_path):
    path = written(tmp_path / "a.txt", TEXT)
    first = fingerprint(path)
    assert first == fingerprint(path) == fingerprint(path, lines="sentences")
    assert first == fingerprint(written(tmp_path / "moved" / "b.txt", TEXT))
    others = [
        fingerprint(written(tmp_path / "c.txt", TEXT.replace("Two", "2"))),
        fingerprint(path, lines="documents"),
        fingerprint(path, lines="documents", sentences_needed=False),
        fingerprint(path, lines="documents", language="de"),
        fingerprint(path, skip_bad_rows=True),
    ]
    assert len({first, *others}) == 6


def test_the_fingerprint_of_a_table_is_that_of_its_columns(tmp_path):
    path = written(tmp_path / "a.csv", "text,body\nOne. Two,Three. Four\n")
    assert fingerprint(path) != fingerprint(path, text_columns=("body",))
