"""Bad AG News files: every error names the file and the line, and nothing is prepared."""

import gzip
import re

import pytest

from kerasnlp_lab.data.ag_news import install_ag_news
from kerasnlp_lab.errors import DataError
from tests.data.ag_news_files import write_archive, write_csv

GOOD = b'"1","a title","a text"\n'

BAD_ROWS = {
    "two columns": (GOOD + b'"2","only a title"\n', 2, r"expected 3 columns .*, got 2"),
    "four columns": (GOOD * 2 + b'"2","t","d","x"\n', 3, r"expected 3 columns .*, got 4"),
    "a blank line": (GOOD + b"\n" + GOOD, 2, r"expected 3 columns .*, got 0"),
    "semicolons": (b'"1";"t";"d"\n', 1, "broken quoting"),
    "a header": (b'"class","title","description"\n' + GOOD, 1, "class from 1 to 4, got 'class'"),
    "class 0": (GOOD + b'"0","t","d"\n', 2, "column 1: expected a class from 1 to 4, got '0'"),
    "class 5": (GOOD + b'"5","t","d"\n', 2, "column 1: expected a class from 1 to 4, got '5'"),
    "no class": (GOOD + b'"","t","d"\n', 2, "column 1: expected a class from 1 to 4, got ''"),
    "no text": (GOOD + b'"3",""," "\n', 2, "title and description are both empty"),
    "a quote not doubled": (GOOD + b'"3","a "quote" b","d"\n' + GOOD, 2, "broken quoting"),
    "cut in a row": (GOOD * 2 + b'"3","a title","a te', 3, "broken quoting"),
    "cut between fields": (GOOD + b'"3","a title"', 2, r"expected 3 columns .*, got 2"),
    "Latin-1": (GOOD + b'"3","caf\xe9","d"\n', 2, r"not valid UTF-8 at byte 9 of the line"),
    "behind a long row": (b'"1","t","two\nlines"\n"9","t","d"\n', 3, "got '9'"),
    "UTF-16": ('"1","t","d"\n'.encode("utf-16"), 1, "not valid UTF-8 at byte 1 of the line"),
}


def refused(source, data_dir):
    """Returns the DataError of an installation, and checks that it left no files."""
    with pytest.raises(DataError) as caught:
        install_ag_news(source, data_dir)
    assert not list(data_dir.rglob("*"))
    return caught.value


@pytest.mark.parametrize(("content", "line", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
@pytest.mark.parametrize("part", ["train", "test"])
def test_bad_row(part, content, line, message, tmp_path):
    path = write_csv(tmp_path / "csv") / f"{part}.csv"
    path.write_bytes(content)
    error = refused(tmp_path / "csv", tmp_path / "data")
    assert re.match(rf"{re.escape(str(path))}, line {line}\b.*{message}", str(error)), str(error)
    assert (error.path, error.line) == (path, line)


@pytest.mark.parametrize("part", ["train", "test"])
def test_missing_and_empty_files(part, tmp_path):
    path = write_csv(tmp_path / "csv") / f"{part}.csv"
    path.write_bytes(b"")
    assert str(refused(tmp_path / "csv", tmp_path / "data")) == f"{path}: no rows"
    path.unlink()
    missing = str(refused(tmp_path / "csv", tmp_path / "data"))
    assert missing == f"{path}: missing; expected AG News' own train.csv and test.csv"


def test_no_such_source(tmp_path):
    error = refused(tmp_path / "nowhere.tar.gz", tmp_path / "data")
    assert str(error).startswith(f"{tmp_path / 'nowhere.tar.gz'}: no such file or folder; give ")


@pytest.fixture
def archive(tmp_path):
    rows = [(1, f"title {row}", f"a text of its own, {row * 7919 % 1000}") for row in range(3000)]
    return write_archive(tmp_path / "ag_news.tar.gz", write_csv(tmp_path / "csv", train=rows))


@pytest.mark.parametrize("kept", [0.999, 0.5, 0.05, 0.0])
def test_archive_cut_short(archive, kept, tmp_path):
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * kept)])
    error = refused(archive, tmp_path / "data")
    assert re.match(rf"{archive}: not a whole .tar.gz archive .*cut short", str(error)), str(error)


def test_archive_with_a_changed_letter(archive, tmp_path):
    # Without compression the rows are intact, and only gzip's checksum shows the damage.
    stored = gzip.compress(gzip.decompress(archive.read_bytes()), compresslevel=0)
    assert stored.count(b'"title 1500"') == 1
    archive.write_bytes(stored.replace(b'"title 1500"', b'"title 15x0"'))
    error = refused(archive, tmp_path / "data")
    assert re.match(rf"{archive}: not a whole .tar.gz archive", str(error)), str(error)


def test_web_page_in_place_of_an_archive(tmp_path):
    page = tmp_path / "ag_news_csv.tar.gz"
    page.write_text("<!DOCTYPE html><html><title>Google Drive - Virus scan warning</title></html>")
    error = refused(page, tmp_path / "data")
    assert re.match(rf"{page}: not a whole .tar.gz archive .*web page saved in its", str(error))


def test_archive_of_something_else(tmp_path):
    (tmp_path / "photos").mkdir()
    archive = write_archive(tmp_path / "photos.tar.gz", tmp_path / "photos")
    error = refused(archive, tmp_path / "data")
    assert "expected AG News' own train.csv and test.csv" in str(error)
    assert str(archive) in str(error)


def test_bad_row_in_an_archive(tmp_path):
    folder = write_csv(tmp_path / "csv", train=[(1, "a", "b"), (7, "c", "d")])
    archive = write_archive(tmp_path / "ag_news.tar.gz", folder)
    error = refused(archive, tmp_path / "data")
    assert re.search(r"train.csv, line 2.*expected a class from 1 to 4, got '7'", str(error))
    assert str(archive) in str(error)
