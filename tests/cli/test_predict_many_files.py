"""`predict --file PATTERN --output FOLDER`: the answers to many files."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import time

import pytest
import tensorflow as tf
from filelock import FileLock

from kerasnlp_lab.errors import DataError
from kerasnlp_lab.serving.bulk import find_files
from tests.cli.command import run
from tests.cli.json_keys import assert_documented
from tests.cli.test_mistakes import assert_mistake

TABLE = "id,text\n1,Stocks fell\n2,\n3,Team wins cup\n"


@pytest.fixture
def files(tmp_path):
    """A folder with files of every kind, 10 rows with a text and 3 without."""
    folder = tmp_path / "in"
    (folder / "more").mkdir(parents=True)
    (folder / "table.csv").write_text(TABLE)
    (folder / "packed.csv.gz").write_bytes(gzip.compress(TABLE.encode()))
    (folder / "objects.jsonl").write_text('{"text": "a goal"}\nno JSON\n')
    (folder / "more" / "lines.txt").write_bytes("café\nnaïve\n".encode() + b"d\xe9j\xe0\n")
    (folder / "more" / "_SUCCESS").write_text("")
    with tf.io.TFRecordWriter(str(folder / "records.tfrecord")) as writer:
        for text in ("oil", "cup"):
            one = tf.train.BytesList(value=[text.encode()])
            feature = {"text": tf.train.Feature(bytes_list=one)}
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return folder


def answered(folder):
    """Returns the lines of all answers and rejected rows, by file."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for part in ("answers", "rejected")
        for path in sorted((folder / part).rglob("*.jsonl"))
    }


def test_every_row_is_answered_or_rejected_once(exported, files, tmp_path):
    result = run("predict", exported, "--file", files, "--output", tmp_path / "out", "--json")
    assert result.code == 0, result.err
    counts = json.loads(result.out)
    assert_documented(counts, "predict --output")
    assert (counts["files"], counts["answered"], counts["rejected"]) == (5, 10, 3)
    assert (counts["replaced"], counts["failed"]) == (1, [])
    assert "table.csv: 2 answered, 1 rejected (the texts are in column text)\n" in result.err
    found = answered(tmp_path / "out")
    assert list(found) == [
        "answers/more/lines.txt.jsonl",
        "answers/objects.jsonl.jsonl",
        "answers/packed.csv.gz.jsonl",
        "answers/records.tfrecord.jsonl",
        "answers/table.csv.jsonl",
        "rejected/objects.jsonl.jsonl",
        "rejected/packed.csv.gz.jsonl",
        "rejected/table.csv.jsonl",
    ]
    alone = run("predict", exported, "--file", files / "table.csv", "--bad-rows", "skip", "--json")
    assert found["answers/table.csv.jsonl"] == found["answers/packed.csv.gz.jsonl"] == alone.out
    rejected = json.loads(found["rejected/table.csv.jsonl"])
    assert rejected == {"line": 3, "reason": "no text in column text", "text": ""}
    texts = [
        json.loads(one)["text"] for one in found["answers/records.tfrecord.jsonl"].split("\n")[:-1]
    ]
    assert texts == ["oil", "cup"]


def test_a_second_run_answers_only_what_is_missing_or_changed(exported, files, tmp_path):
    words = ("predict", exported, "--file", files / "**" / "*.*", "--output", tmp_path / "out")
    first = run(*words)
    assert "5 files, 10 rows answered, 3 rejected" in first.out, first.err
    before = answered(tmp_path / "out")
    (tmp_path / "out" / "finished" / "table.csv.json").unlink()
    (tmp_path / "out" / "answers" / ".table.csv.jsonl.1.part").write_text("half a li")
    (files / "objects.jsonl").write_text('{"text": "a goal"}\n{"text": "tax"}\n')
    second = run(*words)
    assert "objects.jsonl is not the file that was answered: it is answered again" in second.err
    assert "3 of 5 files are finished already" in second.err
    assert "5 files, 11 rows answered, 2 rejected" in second.out
    now = answered(tmp_path / "out")
    assert "rejected/objects.jsonl.jsonl" not in now
    same = [name for name in before if "objects" not in name]
    assert {name: now[name] for name in same} == {name: before[name] for name in same}
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_damaged_file_fails_by_name_and_the_others_are_answered(exported, files, tmp_path):
    whole = (files / "packed.csv.gz").read_bytes()
    (files / "packed.csv.gz").write_bytes(whole[:-12])
    words = ("predict", exported, "--file", files, "--output", tmp_path / "out")
    result = run(*words)
    assert result.code == 2
    assert "4 files, 8 rows answered, 2 rejected" in result.out
    assert "1 of 5 files have no answers: packed.csv.gz (" in result.err
    assert not (tmp_path / "out/answers/packed.csv.gz.jsonl").exists()
    assert "end-of-stream" in (tmp_path / "out/failed/packed.csv.gz.json").read_text()
    (files / "packed.csv.gz").write_bytes(whole)
    assert run(*words).code == 0
    assert not (tmp_path / "out/failed/packed.csv.gz.json").exists()


@pytest.mark.slow
def test_several_processes_give_the_same_and_a_kill_loses_nothing(exported, files, tmp_path):
    for number in range(6):
        shutil.copy(files / "table.csv", files / f"copy{number}.csv")
    words = ["predict", str(exported), "--file", str(files), "--output"]
    one = run(*words, tmp_path / "one")
    assert one.code == 0, one.err
    command = [sys.executable, "-m", "kerasnlp_lab", *words, str(tmp_path / "two")]
    process = subprocess.Popen([*command, "--processes", "2"], start_new_session=True)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "two").glob("finished/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    again = subprocess.run([*command, "--processes", "2"], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert answered(tmp_path / "two") == answered(tmp_path / "one")


def test_a_wrong_column_fails_every_file(exported, files, tmp_path):
    words = ("--file", files / "*.csv*", "--output", tmp_path / "out", "--text-column", "txet")
    result = run("predict", exported, *words)
    assert result.code == 2
    assert "2 of 2 files have no answers: packed.csv.gz (" in result.err
    assert "no column 'txet'; there are id, text; did you mean 'text'?" in result.err


def test_columns_of_rows(exported, files, tmp_path):
    words = ("--file", files / "table.csv", "--output", tmp_path / "out", "--keep-columns")
    assert run("predict", exported, *words).code == 0
    first = json.loads(answered(tmp_path / "out")["answers/table.csv.jsonl"].splitlines()[0])
    assert first["columns"] == {"id": "1", "text": "Stocks fell"}


@pytest.mark.parametrize(
    "words, message",
    [
        (["--file", "-"], "--output FOLDER is for the files of --file PATH"),
        (["--file", ""], "--output FOLDER is for the files of --file PATH"),
        (["a text"], "--output FOLDER is for the files of --file PATH"),
        (["--file", "IN", "--html", "page.html"], "the files of --file PATH, without --html"),
        (["--file", "IN/*.xyz"], "no file matches this pattern"),
        (["--file", "IN/none.csv"], "no such file"),
        (["--file", "IN", "--processes", "0"], "--processes must be 1 or more, got 0"),
        (["--file", "IN", "--processes", "2", "--beam", ""], "leave it out with --beam"),
        (["--file", "gs://bucket/*"], "is an address, which Apache Beam reads: add --beam"),
    ],
)
def test_mistakes(words, message, exported, files, tmp_path):
    words = [word.replace("IN", str(files)) for word in words]
    result = run("predict", exported, *words, "--output", tmp_path / "out")
    assert_mistake(result, message)


def test_a_folder_of_other_results_is_refused(exported, finished_run, files, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    words = ("--file", files / "table.csv", "--output", out)
    assert_mistake(run("predict", exported, *words), "holds other files; name another --output")
    (out / "notes.txt").unlink()
    assert run("predict", exported, *words).code == 0
    assert_mistake(run("predict", finished_run, *words), "holds results with another model_sha256")
    message = "holds results with another keep_columns"
    assert_mistake(run("predict", exported, *words, "--keep-columns"), message)
    with FileLock(out / ".lock"):
        assert_mistake(run("predict", exported, *words), "another process writes to")
    message = "--beam and --processes are for many files: add --output FOLDER"
    assert_mistake(run("predict", exported, "--processes", "2", "a text"), message)


def test_another_file_of_the_same_name_and_size_is_answered(exported, tmp_path):
    for name, text in (("one", "Oil slips\n"), ("two", "Late goal\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text(text)
        os.utime(tmp_path / name / "x.txt", (1, len(name) + (name == "two")))
        result = run("predict", exported, "--file", tmp_path / name, "--output", tmp_path / "out")
        assert result.code == 0, result.err
        found = json.loads(answered(tmp_path / "out")["answers/x.txt.jsonl"])
        assert found["text"] == text.strip()


def test_links_are_followed_to_files_or_refused(exported, files, tmp_path):
    (files / "gone.txt").symlink_to("nowhere.txt")
    (files / "again.csv").symlink_to(files / "table.csv")
    result = run("predict", exported, "--file", files, "--output", tmp_path / "out")
    assert "1 of 7 files have no answers: gone.txt" in result.err
    (files / "folder").symlink_to(files / "more")
    result = run("predict", exported, "--file", files, "--output", tmp_path / "out")
    assert_mistake(result, "is a link to a folder, which is not followed; name that folder")
    result = run("predict", exported, "--file", tmp_path / "in", "--output", tmp_path / "in")
    assert result.code == 2


def test_names_below_the_common_folder(files, tmp_path):
    def names(given):
        return [one.name for one in find_files(given, tmp_path / "out")]

    everything = ["more/lines.txt", "objects.jsonl", "packed.csv.gz", "records.tfrecord"]
    assert names(files) == [*everything, "table.csv"]
    assert names(files / "*" / "*.txt") == ["more/lines.txt"]
    assert names(files / "table.csv") == ["table.csv"]
    # results within the folder of the files are none of them
    (files / "out").mkdir()
    (files / "out" / "answers.jsonl").write_text("{}")
    inside = [one.name for one in find_files(files, files / "out")]
    assert inside == [*everything, "table.csv"]
    with pytest.raises(DataError, match="all files here are results in .*; name another --output"):
        find_files(files, files)
