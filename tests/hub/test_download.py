"""Downloads from a bad server are complete or refused, and resume after a cut."""

import errno
import re
import time

import pytest

from kerasnlp_lab.errors import HubError, StorageError
from kerasnlp_lab.hub.download import download
from tests.hub.origins import (
    changed,
    cut,
    redirect_loop,
    stall,
    status,
    web_page,
    whole,
    without_ranges,
    wrong_length,
    wrong_range,
)
from tests.limits import file_size_limit

CONTENT = bytes(range(256)) * 12_000  # 3 MB, so that it comes in several blocks
OTHER = CONTENT[::-1]
BLOCK = 1 << 16  # the most bytes that a cut may lose


@pytest.fixture
def get(origins, tmp_path, monkeypatch):
    """Downloads /file and returns its path."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    origins.files["/file"] = CONTENT

    def download_it(**options):
        path = tmp_path / "downloads" / "file"
        path.parent.mkdir(exist_ok=True)
        options = {"pause": 0.01, "stall_timeout": 0.4, **options}
        download(f"{origins.url}/file", path, **options)
        return path

    return download_it


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def lost(sent, asked_range):
    """Returns the number of bytes that were received and then requested again."""
    return sent - int(re.fullmatch(r"bytes=(\d+)-", asked_range)[1])


def test_a_file_comes_whole_and_alone(get, origins):
    path = get()
    assert path.read_bytes() == CONTENT
    assert left(path.parent) == ["file"]
    assert origins.asked("/file") == [""]


def test_progress_is_reported_in_bytes(get):
    reported = []
    get(report=lambda done, total: reported.append((done, total)))
    assert {total for _, total in reported} == {len(CONTENT)}
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)
    assert reported[-1][0] == len(CONTENT)


@pytest.mark.parametrize("failure", [cut(2_000_001), stall(2_000_001)], ids=["cut", "stalled"])
def test_it_goes_on_where_it_was_left(get, origins, failure):
    origins.play("/file", failure, whole)
    path = get()
    assert path.read_bytes() == CONTENT
    assert left(path.parent) == ["file"]
    first, second = origins.asked("/file")
    assert first == "" and lost(2_000_001, second) <= BLOCK


def test_another_process_goes_on_where_a_failed_one_was_left(get, origins):
    origins.play("/file", cut(2_000_000), status(404))
    with pytest.raises(HubError, match="404"):
        get()
    origins.play("/file", whole)
    assert get().read_bytes() == CONTENT
    assert lost(2_000_000, origins.asked("/file")[-1]) <= BLOCK


@pytest.mark.parametrize("failures", [1, 3])
def test_an_error_of_the_moment_is_tried_again(get, origins, failures):
    origins.play("/file", *[status(500)] * failures, whole)
    assert get().read_bytes() == CONTENT
    assert len(origins.asked("/file")) == failures + 1


def test_many_cuts_are_no_failure_as_long_as_something_comes(get, origins):
    origins.play("/file", cut(300_000))
    assert get().read_bytes() == CONTENT
    assert len(origins.asked("/file")) <= -(-len(CONTENT) // (300_000 - BLOCK))


def test_a_file_that_changed_meanwhile_begins_again(get, origins):
    origins.play("/file", cut(2_000_000), changed(OTHER))
    path = get()
    assert path.read_bytes() == OTHER
    assert left(path.parent) == ["file"]
    assert origins.asked("/file")[1].startswith("bytes=")


def test_a_file_that_changed_and_became_shorter(get, origins):
    origins.play("/file", cut(2_000_000), changed(b"short"))
    assert get().read_bytes() == b"short"


def test_a_server_without_ranges_begins_again(get, origins):
    origins.play("/file", without_ranges(cut(2_000_000)), without_ranges())
    assert get().read_bytes() == CONTENT
    assert origins.asked("/file") == ["", ""]


@pytest.mark.parametrize("before", [[cut(2_000_000)], []], ids=["asked for", "not asked for"])
def test_a_part_from_elsewhere_is_not_taken_for_the_one_that_is_missing(get, origins, before):
    origins.play("/file", *before, wrong_range, whole)
    assert get().read_bytes() == CONTENT


def test_what_a_killed_process_left_may_be_complete(get, origins, tmp_path):
    """The process was killed after the last byte and before the rename."""
    origins.play("/file", cut(2_000_000), status(404))
    with pytest.raises(HubError):
        get()
    (tmp_path / "downloads" / "file.part").write_bytes(CONTENT)
    origins.play("/file", whole)
    assert get().read_bytes() == CONTENT


@pytest.mark.parametrize("code, reason", [(403, "Forbidden"), (404, "Not Found"), (401, "")])
def test_a_refusal_is_final_and_is_told(get, origins, code, reason):
    origins.play("/file", status(code))
    with pytest.raises(HubError, match=f"{code} {reason}.* from {origins.url}/file"):
        get()
    assert len(origins.asked("/file")) == 1


def test_redirects_in_a_circle(get, origins):
    origins.play("/file", redirect_loop)
    with pytest.raises(HubError, match=f"redirected in a circle from {origins.url}/file"):
        get()


def test_a_web_page_is_no_file(get, origins, tmp_path):
    origins.play("/file", web_page)
    with pytest.raises(HubError, match="a web page in place of a file"):
        get()
    assert left(tmp_path / "downloads") == []


@pytest.mark.parametrize(
    "behaviour, message",
    [
        (wrong_length(+100), ""),
        (changed(CONTENT[: 1 << 21], wrong_length(+100)), ""),
        (without_ranges(wrong_length(+100)), ""),
        (without_ranges(stall(1000)), "the transfer stalled"),
        (stall(0), "the transfer stalled"),
        (cut(0), ""),
        (status(503), "503"),
    ],
    ids=[
        "too short",
        "too short by whole blocks",
        "too short, no ranges",
        "stalls",
        "nothing comes",
        "empty",
        "busy",
    ],
)
def test_it_gives_up_in_the_end(get, origins, tmp_path, behaviour, message):
    # The server stops after 20 requests, so that an endless download fails.
    origins.play("/file", *[behaviour] * 20, status(410))
    with pytest.raises(HubError, match=f"{message}.* from {origins.url}/file") as caught:
        get(stall_timeout=0.1)
    assert "410" not in str(caught.value).replace(origins.url, "")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "downloads" / "file").exists()


def test_a_length_that_says_too_little_gives_no_more_than_it_says(get, origins):
    """The download cannot notice this; the archive's own checks do."""
    origins.play("/file", wrong_length(-1000))
    assert get().read_bytes() == CONTENT[:-1000]


def test_nobody_there_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    started = time.monotonic()
    with pytest.raises(HubError, match=r"no connection .*refused.* from http://127.0.0.1:9/file"):
        download("http://127.0.0.1:9/file", tmp_path / "file", pause=5)
    assert time.monotonic() - started < 4


def test_a_full_disk(get, origins, tmp_path):
    with (
        file_size_limit(1_500_000),
        pytest.raises(StorageError, match=re.escape("downloads/file: File too large")),
    ):
        get()
    assert not (tmp_path / "downloads" / "file").exists()
    assert len(origins.asked("/file")) == 1
    assert get().read_bytes() == CONTENT  # with free space it succeeds


def test_a_folder_that_cannot_be_written(origins, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    origins.files["/file"] = CONTENT
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StorageError, match="Not a directory") as caught:
        download(f"{origins.url}/file", tmp_path / "taken" / "file")
    assert caught.value.__cause__.errno == errno.ENOTDIR
