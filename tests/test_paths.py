"""Files and folders appear whole or not at all."""

import errno
import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

import kerasnlp_lab
from kerasnlp_lab.errors import RunError, StorageError
from kerasnlp_lab.paths import (
    cache_dir,
    explain_os_error,
    our_command,
    whole_directory,
    write_whole,
)
from tests.limits import file_size_limit

WRITE_FOREVER = """
import sys
from kerasnlp_lab.paths import write_whole
while True:
    for letter in "AB":
        write_whole(sys.argv[1], letter * 3_000_000)
    if sys.stdout:
        print("written", flush=True)
        sys.stdout = None  # the test reads only one line
"""


@contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_write_whole_writes_text_as_utf8_and_bytes_as_they_are(tmp_path):
    write_whole(tmp_path / "new" / "text", "Zoë\n")
    write_whole(tmp_path / "new" / "bytes", b"\xff\r\n")
    assert (tmp_path / "new" / "text").read_bytes() == b"Zo\xc3\xab\n"
    assert (tmp_path / "new" / "bytes").read_bytes() == b"\xff\r\n"
    assert names(tmp_path / "new") == ["bytes", "text"]


def test_write_whole_replaces_a_file(tmp_path):
    write_whole(tmp_path / "file", "a longer text")
    write_whole(tmp_path / "file", "short")
    assert (tmp_path / "file").read_text() == "short"


def test_write_whole_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole("file", "text")
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("mask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_follow_the_umask(tmp_path, mask, mode):
    with umask(mask):
        write_whole(tmp_path / "file", "text")
        with whole_directory(tmp_path / "folder"):
            pass
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode
    folder_mode = 0o777 & ~mask
    assert (tmp_path / "folder").stat().st_mode & 0o777 == folder_mode


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    write_whole(tmp_path / "file", "old")
    with pytest.raises(StorageError, match=r"file: File too large; raise the .* \(ulimit -f\)"):
        with file_size_limit(1000):
            write_whole(tmp_path / "file", "n" * 1001)
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_parent_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=f"cannot write {tmp_path}/file/new: "):
        write_whole(tmp_path / "file" / "new", "text")


def test_a_folder_where_the_file_should_go(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match=f"cannot write {tmp_path}/folder: Is a directory"):
        write_whole(tmp_path / "folder", "text")
    assert names(tmp_path) == ["folder"]


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(StorageError, match="File name too long"):
        write_whole(tmp_path / ("n" * 300), "text")
    assert names(tmp_path) == []


def test_a_reader_never_sees_half_a_file_even_of_a_killed_writer(tmp_path):
    command = [sys.executable, "-c", WRITE_FOREVER, str(tmp_path / "file")]
    whole = {b"A" * 3_000_000, b"B" * 3_000_000}
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()  # the first whole file is there
        seen = {(tmp_path / "file").read_bytes() for _ in range(300)}
        process.send_signal(signal.SIGKILL)
    assert seen <= whole
    assert (tmp_path / "file").read_bytes() in whole


def test_whole_directory_appears_at_the_end(tmp_path):
    target = tmp_path / "new" / "folder"
    with whole_directory(target) as folder:
        (folder / "file").write_text("text")
        assert not target.exists()
    assert (target / "file").read_text() == "text"
    assert names(target.parent) == ["folder"]


def test_whole_directory_takes_an_empty_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    with whole_directory(tmp_path / "folder") as folder:
        (folder / "file").touch()
    assert names(tmp_path / "folder") == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_block_leaves_nothing(tmp_path, error):
    with pytest.raises(error), whole_directory(tmp_path / "folder") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_text("text")
        raise error
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(StorageError, match=f"cannot write {tmp_path}/folder: File too large"):
        with file_size_limit(1000), whole_directory(tmp_path / "folder") as folder:
            (folder / "file").write_bytes(b"n" * 1001)
    assert names(tmp_path) == []


def test_the_error_names_the_file_in_the_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(StorageError, match="part/file: File too large"):
        with file_size_limit(1000), whole_directory(tmp_path / "folder") as folder:
            write_whole(folder / "file", b"n" * 1001)
    assert names(tmp_path) == []


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    with pytest.raises(RunError, match=f"{tmp_path}/folder already exists; remove it, or"):
        with whole_directory(tmp_path / "folder"):
            pass
    assert (tmp_path / "folder" / "mine").read_text() == "mine"
    assert names(tmp_path) == ["folder"]


def test_a_file_where_the_folder_should_go_is_left_alone(tmp_path):
    (tmp_path / "folder").write_text("mine")
    with pytest.raises(RunError, match="already exists"):
        with whole_directory(tmp_path / "folder"):
            pass
    assert (tmp_path / "folder").read_text() == "mine"


def test_a_folder_that_another_process_filled_meanwhile_is_left_alone(tmp_path):
    with pytest.raises(StorageError, match="folder: Directory not empty"):
        with whole_directory(tmp_path / "folder") as folder:
            (folder / "file").write_text("ours")
            (tmp_path / "folder").mkdir()
            (tmp_path / "folder" / "file").write_text("theirs")
    assert (tmp_path / "folder" / "file").read_text() == "theirs"
    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize(
    "number, advice",
    [
        (errno.ENOSPC, "No space left on device; free some space"),
        (errno.EDQUOT, "free some of your quota"),
        (errno.EACCES, "Permission denied; choose a place that you may write to"),
        (errno.EROFS, "Read-only file system; choose a place that you may write to"),
        (errno.EIO, "choose another place"),
    ],
)
def test_a_failed_write_is_explained(number, advice):
    message = str(explain_os_error(OSError(number, os.strerror(number)), "runs/one"))
    assert message.startswith("cannot write runs/one: ")
    assert advice in message


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path
    monkeypatch.setenv("KERASNLP_LAB_CACHE", "~/cache")
    assert cache_dir() == Path.home() / "cache"


def test_the_cache_is_otherwise_the_users_own(monkeypatch, tmp_path):
    monkeypatch.delenv("KERASNLP_LAB_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir().name == "kerasnlp_lab"
    assert tmp_path in cache_dir().parents


def test_a_suggested_command_can_be_pasted_into_a_shell():
    words = ["predict", Path("it's my $run"), "50% & more", "*.csv"]
    command = our_command(*words)
    assert shlex.split(command) == ["kerasnlp-lab", *map(str, words)]
    assert our_command("export", "runs/a-1") == "kerasnlp-lab export runs/a-1"


def test_no_message_quotes_a_path_by_itself():
    package = Path(kerasnlp_lab.__file__).parent
    command = re.compile(r"kerasnlp-lab [a-z -]*\{(?!handle|more)")  # which never need quotes
    for file in package.rglob("*.py"):
        assert not command.findall(file.read_text(encoding="utf-8")), file
