"""After kills, races and full disks the cache has no module, or a complete one."""

import shutil
import signal
import tarfile
import threading
import time
from random import Random

import pytest

from kerasnlp_lab.hub.handles import parse_handle
from kerasnlp_lab.hub.sources import sources_of
from tests.hub import processes
from tests.hub.installed import (
    KAGGLE_PREPROCESS,
    PREPROCESS,
    RELEASE,
    SMALLEST,
    TFHUB,
    content,
    leftovers,
    place_of,
    zipped,
)
from tests.hub.origins import slow, status, whole
from tests.processes import server


@pytest.fixture(scope="module")
def module(tiny_modules, tmp_path_factory):
    """The tiny preprocessing module, with extra bytes so that it can be interrupted."""
    folder = tmp_path_factory.mktemp("large") / "preprocess"
    shutil.copytree(tiny_modules / "preprocess", folder)
    (folder / "assets" / "padding").write_bytes(Random(0).randbytes(3_000_000))
    return folder


@pytest.fixture(scope="module")
def archive(module):
    path = module.with_name("module.tar.gz")
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        tar.add(module, arcname=".")
    return path.read_bytes()


@pytest.fixture
def cache(hub_environment, origins, archive, tmp_path):
    origins.files[TFHUB["preprocess"]] = archive
    return tmp_path / "tfhub"


@pytest.fixture
def start(hub_environment):
    """Returns a function that starts processes, which end with the test."""
    started = []

    def start_it(target, *arguments):
        process = server().Process(target=target, args=(hub_environment, PREPROCESS, *arguments))
        process.start()
        started.append(process)
        return process

    yield start_it
    for process in started:
        process.kill()
        process.join()


def none_or_whole(cache, module):
    """Returns whether the module is installed. Fails if it is incomplete."""
    folder = cache / place_of(PREPROCESS)
    if not folder.exists():
        return False
    assert content(folder) == content(module)
    return True


def wait_for_a_request(origins):
    """Waits until a new process is downloading."""
    before, until = len(origins.requests), time.monotonic() + 60
    while len(origins.requests) == before and time.monotonic() < until:
        time.sleep(0.005)


def test_killed_before_any_change_of_a_file(cache, module, start):
    """Each process starts with the leftovers of the last, until one finishes."""
    for count in range(1, 200):
        process = start(processes.install_until, count)
        process.join(60)
        there = none_or_whole(cache, module)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        if there:
            shutil.rmtree(cache / place_of(PREPROCESS))
    assert there and count > 25
    assert leftovers(cache) == []


def test_killed_at_random_moments_it_goes_on_in_the_end(cache, module, archive, origins, start):
    path = TFHUB["preprocess"]
    origins.play(path, slow(pieces=40, seconds=1.0))
    random = Random(0)
    for seconds in [random.uniform(0.1, 0.6) for _ in range(6)]:
        process = start(processes.install_until, None)
        wait_for_a_request(origins)
        time.sleep(seconds)
        process.kill()
        process.join()
        if none_or_whole(cache, module):
            shutil.rmtree(cache / place_of(PREPROCESS))
    origins.play(path, whole)
    process = start(processes.install_until, None)
    process.join(60)
    assert process.exitcode == 0
    assert none_or_whole(cache, module) and leftovers(cache) == []
    resumed = [int(asked[6:-1]) for asked in origins.asked(path) if asked]
    assert len(resumed) >= 3, "it never went on where it was killed"
    assert max(resumed) > len(archive) // 2


def test_two_processes_at_once_fetch_it_once(cache, module, origins, start):
    origins.play(TFHUB["preprocess"], slow(pieces=20, seconds=1.0))
    results = server().SimpleQueue()
    both = [start(processes.install_here, results) for _ in range(2)]
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert sorted([results.get(), results.get()]) == [["tfhub.dev"], ["the cache"]]
    assert len(origins.asked(TFHUB["preprocess"])) == 1
    assert none_or_whole(cache, module) and leftovers(cache) == []


def test_one_waits_for_one_that_is_killed_and_takes_over(cache, module, origins, start):
    origins.play(TFHUB["preprocess"], slow(pieces=40, seconds=2.0))
    first = start(processes.install_until, None)
    wait_for_a_request(origins)
    results = server().SimpleQueue()
    second = start(processes.install_here, results)
    time.sleep(0.7)
    assert len(origins.requests) == 1, "the second did not wait"
    assert first.is_alive(), "there was nothing to wait for"
    origins.play(TFHUB["preprocess"], whole)
    first.kill()
    second.join(60)
    assert second.exitcode == 0 and results.get() == ["tfhub.dev"]
    assert len(origins.requests) == 2 and origins.requests[1][1] != ""
    assert none_or_whole(cache, module) and leftovers(cache) == []


def test_two_modules_out_of_one_release_do_not_spoil_its_download(
    cache, origins, small_release, module, tmp_path
):
    """An encoder and its preprocessing share one file, and either may be installed first."""
    (tmp_path / "release").mkdir()
    shutil.copytree(small_release, tmp_path / "release" / "bert")
    shutil.copy(module / "assets" / "padding", tmp_path / "release" / "bert")
    origins.files[RELEASE] = zipped(tmp_path / "release")
    origins.play(RELEASE, slow(pieces=20, seconds=0.5))
    failures = []

    def fetch(name):
        places = {one.name: one for one in sources_of(parse_handle(name), lambda *progress: None)}
        scratch = tmp_path / name.replace("/", "_")
        scratch.mkdir()
        try:
            found = places["the original release"].fetch(scratch)
            assert content(found) == content(tmp_path / "release" / "bert")
        except Exception as error:
            failures.append(f"{name}: {error!r}")

    names = (SMALLEST, "bert_en_uncased_preprocess")
    threads = [threading.Thread(target=fetch, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_full_disk_at_every_stage(cache, module, archive, origins, start):
    """The disks are too small for the archive, for half the module, or for the last file."""
    origins.play(f"/kaggle/{KAGGLE_PREPROCESS}", status(404))
    unpacked = sum(map(len, content(module).values()))
    needed = len(archive) + unpacked
    sizes = [65536, *(needed * tenth // 10 for tenth in range(1, 10)), needed - 4096, 2 * needed]
    results = server().SimpleQueue()
    folder = cache / place_of(PREPROCESS)
    process = start(processes.install_on_disks, folder, sizes, module, results)
    process.join(120)
    assert process.exitcode == 0
    reports = results.get()
    if isinstance(reports, str):
        pytest.skip(f"no disk to fill: {reports}")
    for size, error, there, was_whole, left, whole_later in reports:
        if size < needed:
            assert error.startswith("StorageError: cannot write "), size
            assert error.endswith(
                "No space left on device; free some space, or choose another place"
            )
            assert error.count("cannot write") == 1
        else:
            assert error == "" and there
        assert was_whole or not there
        assert left == []
        assert whole_later
