"""`load_table` reads archives, pipes, several files as one table, and folders of texts."""

import os
import threading
import zipfile
from pathlib import Path

import pytest

from kerasnlp_lab.data import load_labelled_rows, load_table
from kerasnlp_lab.data.description import describe_dataset, load_again
from kerasnlp_lab.data.inspection.rows import Rows
from kerasnlp_lab.data.tables import read_table
from kerasnlp_lab.errors import DataError, RunError
from tests.data.spreadsheets import write_spreadsheet
from tests.data.table_files import read, write

COLUMNS = ["text", "label"]
CSV = "text,label\nhi,ham\nbye,spam\n"
JSONL = '{"text": "hi", "label": "ham"}\n{"text": "bye", "label": "spam"}\n'
CELLS = [("hi", "ham"), ("bye", "spam")]


def rows(start, stop, header="text,label"):
    lines = [f"text {i},{('ham', 'spam')[i % 2]}" for i in range(start, stop)]
    return "\n".join([header, *lines]) + "\n"


def texts(split):
    return sorted(split.texts)


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "member, content, lines",
    [
        ("m.csv", CSV, [2, 3]),
        ("folder/sub/M.TSV", CSV.replace(",", "\t"), [2, 3]),
        ("m.jsonl", JSONL, [1, 2]),
        ("SMSSpamCollection", CSV.replace(",", "\t"), [2, 3]),
    ],
)
def test_the_one_table_in_an_archive(member, content, lines, tmp_path):
    others = {"__MACOSX/._m.csv": b"\0", "__MACOSX/m.csv": "x", "folder/": "", ".DS_Store": "x"}
    path = zipped(tmp_path / "m.zip", **others, **{member: content})
    columns, good, bad = read(path)
    assert columns == COLUMNS
    assert good == list(zip(lines, CELLS, strict=True))
    assert bad == []
    assert read_table(path).note == f"{member} in the archive"


def test_a_spreadsheet_and_rows_that_cannot_be_used_in_an_archive(tmp_path):
    sheet = write_spreadsheet(tmp_path / "m.xlsx", {"s": [COLUMNS, *CELLS]}).read_bytes()
    path = zipped(tmp_path / "a.zip", **{"m.xlsx": sheet, "README.txt": "read me"})
    assert [cells for _, cells in read(path)[1]] == CELLS
    path = zipped(tmp_path / "b.zip", **{"m.csv": CSV + "alone\n"})
    assert read(path)[2] == [(4, "expected 2 columns, got 1")]  # `read` checks its path


@pytest.mark.parametrize(
    "members, message",
    [
        ({}, "expected one table, got an empty archive"),
        ({"a/train.csv": CSV, "b/test.csv": CSV}, "got a/train.csv, b/test.csv; unpack it"),
        ({f"{i}.csv": CSV for i in range(9)}, "got 0.csv, 1.csv, 2.csv, 3.csv, 4.csv, and 4 more"),
        ({"m.csv": b""}, "nothing came"),
        ({"m.csv": "text,text\na,b\n"}, "line 1: two columns are called 'text'"),
    ],
)
def test_archives_that_are_no_table(members, message, tmp_path):
    with pytest.raises(DataError, match=f"m.zip(, |: ).*{message}"):
        read_table(zipped(tmp_path / "m.zip", **members))


def test_a_damaged_archive_and_one_with_a_password(tmp_path):
    content = bytearray(zipped(tmp_path / "m.zip", **{"m.csv": rows(0, 2000)}).read_bytes())
    flipped = content[:500] + bytes(byte ^ 0xFF for byte in content[500:600]) + content[600:]
    with pytest.raises(DataError, match="m.zip: cannot be unpacked"):
        read_table(write(tmp_path, flipped, "m.zip"))
    with pytest.raises(DataError, match="m.zip: cannot be read"):
        read_table(write(tmp_path, content[:500], "m.zip"))
    for place in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[place] |= 1  # the flag of an encrypted member
    with pytest.raises(DataError, match="m.zip: has a password; unpack it"):
        read_table(write(tmp_path, content, "m.zip"))


def test_temporary_copies_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    path = zipped(tmp_path / "m.zip", **{"m.csv": CSV})
    table = read_table(path)
    assert len(list(table.rows)) == 2
    del table
    with pytest.raises(DataError):
        read_table(zipped(tmp_path / "m.zip", **{"m.csv": "a,a\n"}))
    assert list((tmp_path / "scratch").iterdir()) == []


def parts(folder):
    """Writes three parts; the second has no rows of class spam."""
    write(folder, rows(0, 10), "part-1.csv")
    write(folder, "label,text\nham,text 10\nham,text 11\n", "part-2.csv")
    write(folder, rows(12, 20), "part-3.csv")
    return folder


@pytest.mark.parametrize("given", ["", "part-*.csv", "part-[123].csv", "**/*.csv"])
def test_several_files_are_one_table(given, tmp_path):
    path = parts(tmp_path) / given
    data = load_table(path)
    assert sorted(t for part in (data.train, data.validation, data.test) for t in part.texts) == (
        sorted(f"text {i}" for i in range(20))
    )
    split, _ = load_labelled_rows(path, data.label_names)
    assert split.where(11) == f"{tmp_path / 'part-2.csv'}, line 3"
    assert split.take([12]).where(0) == f"{tmp_path / 'part-3.csv'}, line 2"
    assert read_table(path).note == "3 files"
    again = load_again(describe_dataset(data))
    assert again.fingerprint == data.fingerprint
    assert again.train.where(3) == data.train.where(3)
    found = Rows.of(data)
    assert [found.where(row) for row in (9, 10)] == [
        f"{tmp_path / 'part-1.csv'}:11",
        f"{tmp_path / 'part-2.csv'}:2",
    ]


def test_a_bad_row_is_named_by_its_own_file(tmp_path):
    parts(tmp_path)
    write(tmp_path, rows(20, 22) + "short\n,ham\n", "part-4.csv")
    with pytest.raises(DataError, match="part-4.csv, line 4: expected 2 columns"):
        load_table(tmp_path)
    data = load_table(tmp_path, skip_bad_rows=True)
    path = str(tmp_path / "part-4.csv")
    assert [(bad.path, bad.line) for bad in data.rejected] == [(path, 4), (path, 5)]


def test_parts_with_other_columns(tmp_path):
    write(parts(tmp_path), "text,class\nhi,ham\n", "part-4.csv")
    expected = "part-4.csv: expected the columns of .*part-1.csv .text, label., got text, class"
    with pytest.raises(DataError, match=expected):
        load_table(tmp_path)


def test_parts_of_several_kinds_and_json_that_lacks_keys(tmp_path):
    write(tmp_path, '{"text": "a", "label": "x", "id": 1}\n', "1.jsonl")
    write(tmp_path, '{"text": "b", "label": "y"}\n', "2.json")
    write_spreadsheet(tmp_path / "3.xlsx", {"s": [["id", "text", "label"], [3, "c", "x"]]})
    table = read_table(tmp_path)
    assert [row.cells.get("id") for row in table.rows] == ["1", None, "3"]
    assert table.columns == ["text", "label", "id"]


def test_a_name_with_brackets_is_a_file_if_there_is_one(tmp_path):
    assert read(write(tmp_path, CSV, "m [1]*.csv"))[0] == COLUMNS


def test_files_beside_the_tables_of_a_folder(tmp_path):
    parts(tmp_path)
    for name in ("_SUCCESS", ".part-1.csv.crc", "~$m.xlsx", "README"):
        write(tmp_path, "x", name)
    assert read_table(tmp_path).note == "3 files; not read: README"


@pytest.mark.parametrize(
    "names, message",
    [
        ([], "no table in this folder"),
        (["README.md"], "no table in this folder"),
        (["shards.json"], "got shards of 'kerasnlp-lab data shard'"),
        (["a.csv", "spam/1.txt"], "has both tables .a.csv. and folders .spam."),
        (
            ["label=ham/1.csv", "label=spam/1.csv"],
            "a table in a class's folder.*such as '.*/\\*.csv'",
        ),
        (["ham/1.txt", "spam/more/1.txt"], "a folder in a class's folder"),
        (
            ["train-1.csv", "train-2.csv", "test.csv"],
            "several tables of one split .train-1.csv, train-2.csv",
        ),
        (["train.csv", "dev.csv"], "has a split each in .*train.csv.*; name one of them"),
    ],
)
def test_folders_that_are_no_table(names, message, tmp_path):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path, CSV, name)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path)


@pytest.mark.parametrize("pattern, message", [("*.csv", "no file"), ("fold*", "only folders")])
def test_patterns_that_match_no_file(pattern, message, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match=f"{message}s? match(es)? this pattern; expected tables"):
        load_table(tmp_path / pattern)


def write_texts(folder, count=10, classes=("neg", "pos")):
    for name in classes:
        (folder / name).mkdir(parents=True)
        for place in range(count):
            write(folder / name, f"{name} text {place}\nof two lines\n", f"{place}_7.txt")
    return folder


def test_a_folder_of_texts_for_each_class(tmp_path):
    write_texts(tmp_path)
    write(tmp_path / "neg", b"caf\xe9", "37261")  # 20 Newsgroups' files have no ending
    write(tmp_path / "pos", "", "empty.txt")
    write(tmp_path / "pos", "x", ".DS_Store")
    with pytest.raises(DataError, match="neg/37261, line 1: not valid UTF-8"):
        load_table(tmp_path)
    data = load_table(tmp_path, skip_bad_rows=True)
    assert data.label_names == ("neg", "pos")
    assert "neg text 3\nof two lines" in {
        *data.train.texts,
        *data.validation.texts,
        *data.test.texts,
    }
    assert [(bad.path, bad.reason) for bad in data.rejected] == [
        (str(tmp_path / "neg" / "37261"), "not valid UTF-8"),
        (str(tmp_path / "pos" / "empty.txt"), "no text in column text"),
    ]
    row = data.train.texts.take([0])[0].split()[2]
    assert data.train.where(0) == f"{tmp_path / 'neg' / row}_7.txt, line 1"


def test_the_splits_of_a_folder(tmp_path):
    """As IMDB has them, with a folder of texts without a class."""
    write_texts(tmp_path / "train", classes=("neg", "pos", "unsup"))
    write_texts(tmp_path / "test", 3)
    write(tmp_path, "x", "imdb.vocab")
    data = load_table(tmp_path)
    assert data.label_names == ("neg", "pos")
    assert (len(data.train), len(data.validation), len(data.test)) == (17, 3, 6)
    assert texts(data.test) == sorted(
        f"{name} text {i}\nof two lines" for name in ("neg", "pos") for i in range(3)
    )
    assert load_again(describe_dataset(data)).fingerprint == data.fingerprint
    note = read_table(tmp_path / "train").note
    assert note == "20 texts in a folder for each class; unsup skipped: texts without a class"


def test_tables_named_after_splits(tmp_path):
    write(tmp_path, rows(0, 20), "train.csv")
    write(tmp_path, rows(20, 24), "valid.csv")
    write(tmp_path, JSONL, "Test.jsonl")
    other = write(tmp_path, rows(30, 36), "other.tsv".replace("tsv", "csv"))
    data = load_table(tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (20, 4, 2)
    assert data.source.fractions == {}
    given = [f"{tmp_path / name}" for name in ("train.csv", "Test.jsonl", "valid.csv")]
    assert data.notes[0] == (
        f"its splits are {given[0]} (train), {given[1]} (test), {given[2]} (validation); "
        "nothing else in it is read"
    )
    assert len(load_table(tmp_path, test=other).test) == 6


def piped(path, content):
    """Writes to a FIFO, as another process would."""
    os.mkfifo(path)
    thread = threading.Thread(target=path.write_bytes, args=[content], daemon=True)
    thread.start()
    return path


@pytest.mark.parametrize("name", ["pipe", "pipe.txt", "pipe.csv"])
def test_a_table_from_a_pipe(name, tmp_path):
    data = load_table(piped(tmp_path / name, rows(0, 20).encode()))
    assert len(data.train) == 14
    number = int(data.train.texts[0].split()[1])
    assert data.train.where(0) == f"{tmp_path / name}, line {number + 2}"
    again = "a pipe cannot be read again: 'train --resume' needs the rows in a file"
    assert again in data.notes
    with pytest.raises(RunError, match=f"the rows came from {tmp_path / name}, which cannot"):
        load_again(describe_dataset(data))


def test_standard_input_and_process_substitution(tmp_path):
    for content, lines in ((CSV.replace(",", "\t"), [2, 3]), (JSONL, [1, 2])):
        reader, writer = os.pipe()
        os.write(writer, content.encode())
        os.close(writer)
        try:
            table = read_table(Path(f"/dev/fd/{reader}"))
            found = list(table.rows)
        finally:
            os.close(reader)
        assert [row.line for row in found] == lines
        assert [tuple(row.cells.values()) for row in found] == CELLS


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "nothing came"),
        (CSV.encode() + b"hi\n", "line 4: expected 2 columns"),
        (b"a\nb\n", "exp"),
    ],
)
def test_pipes_that_hold_no_table(content, message, tmp_path):
    with pytest.raises(DataError, match=f"pipe(: |, ){message}"):
        load_table(piped(tmp_path / "pipe", content))
