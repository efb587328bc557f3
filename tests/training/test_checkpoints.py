"""Checkpoints are verified when read; broken ones are skipped and old ones removed."""

import numpy as np
import pytest

from kerasnlp_lab.errors import OptionError, RunError, StorageError
from kerasnlp_lab.training.checkpoints import Checkpoints, arrays_sha256
from kerasnlp_lab.training.interval import Interval
from tests.limits import file_size_limit


def arrays(number):
    return {"weight": np.full((3, 2), number, np.float32), "step": np.int64(number)}


def saved(folder, numbers=(1, 2, 3), best=None):
    checkpoints = Checkpoints(folder / "checkpoints")
    for number in numbers:
        if number == best:
            checkpoints.save_best(f"best-{number}.safetensors", arrays(number))
        file = f"best-{best}.safetensors" if best and number >= best else ""
        checkpoints.save(number, arrays(number), {"number": number, "best_file": file})
    return checkpoints


def names(checkpoints):
    return sorted(file.name for file in checkpoints.folder.iterdir())


def test_the_newest_is_read_back(tmp_path):
    found, state, broken = saved(tmp_path).newest()
    np.testing.assert_array_equal(found["weight"], arrays(3)["weight"])
    assert found["weight"].dtype == np.float32 and found["step"].dtype == np.int64
    assert (int(found["step"][0]), state["number"], broken) == (3, 3, [])


def test_an_empty_folder_has_none(tmp_path):
    assert Checkpoints(tmp_path / "checkpoints").newest() is None


def test_the_newest_two_and_the_best_that_they_name_are_kept(tmp_path):
    steps = [f"step-{number:012d}.safetensors" for number in range(10)]
    checkpoints = saved(tmp_path, range(1, 8), best=2)
    assert names(checkpoints) == ["best-2.safetensors", steps[6], steps[7]]
    checkpoints.save_best("best-8.safetensors", arrays(8))
    # After a kill here, training would resume from step 7, which names the earlier best weights.
    assert names(checkpoints) == ["best-2.safetensors", "best-8.safetensors", steps[6], steps[7]]
    for number in (8, 9):
        state = {"number": number, "best_file": "best-8.safetensors"}
        checkpoints.save(number, arrays(number), state)
    assert names(checkpoints) == ["best-8.safetensors", steps[8], steps[9]]


@pytest.mark.parametrize("damage", ["cut", "altered", "empty", "gone best"])
def test_a_broken_one_is_reported_and_the_one_before_is_used(tmp_path, damage):
    checkpoints = saved(tmp_path, (1, 2, 3), best=3)
    newest = checkpoints.folder / f"step-{3:012d}.safetensors"
    content = newest.read_bytes()
    if damage == "cut":
        newest.write_bytes(content[:-1])
    elif damage == "altered":
        newest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "empty":
        newest.write_bytes(b"")
    else:
        (checkpoints.folder / "best-3.safetensors").unlink()
    _, state, broken = checkpoints.newest()
    assert state["number"] == 2
    assert len(broken) == 1 and str(checkpoints.folder) in broken[0]


def test_a_full_disk_leaves_the_one_before(tmp_path):
    checkpoints = saved(tmp_path)
    before = names(checkpoints)
    with pytest.raises(StorageError, match="cannot write .*ulimit -f"), file_size_limit(100):
        checkpoints.save(4, arrays(4), {"number": 4, "best_file": ""})
    assert names(checkpoints) == before
    assert checkpoints.newest()[1]["number"] == 3


def test_an_altered_state_is_detected(tmp_path):
    checkpoints = saved(tmp_path)
    newest = checkpoints.folder / f"step-{3:012d}.safetensors"
    content = newest.read_bytes()
    assert content.count(b'number\\": 3') == 1
    newest.write_bytes(content.replace(b'number\\": 3', b'number\\": 4'))
    _, state, broken = checkpoints.newest()
    assert state["number"] == 2 and "altered" in broken[0]


def test_it_is_an_error_if_all_are_broken(tmp_path):
    checkpoints = saved(tmp_path)
    for file in checkpoints.folder.iterdir():
        file.write_bytes(b"no")
    with pytest.raises(RunError, match="no checkpoint can be used.*train again"):
        checkpoints.newest()


def test_a_half_written_file_of_a_killed_process_is_removed(tmp_path):
    checkpoints = saved(tmp_path)
    (checkpoints.folder / ".step-000000000004.safetensors.123.part").write_bytes(b"half")
    assert len(names(Checkpoints(checkpoints.folder))) == 2


def test_a_process_that_does_not_write_reads_and_keeps_its_own_best(tmp_path):
    chief = saved(tmp_path, (1, 2), best=1)
    worker = Checkpoints(chief.folder, writes=False)
    before = names(chief)
    assert worker.newest()[1]["number"] == 2
    np.testing.assert_array_equal(worker.best("best-1.safetensors")["weight"], arrays(1)["weight"])
    worker.save_best("best-5.safetensors", arrays(5))
    worker.save(5, arrays(5), {"best_file": "best-5.safetensors"})
    worker.remove()
    assert names(chief) == before
    np.testing.assert_array_equal(worker.best("best-5.safetensors")["weight"], arrays(5)["weight"])


def test_the_hash_covers_names_types_shapes_and_bits():
    one = {"a": np.zeros(4, np.float32)}
    others = [
        {"b": np.zeros(4, np.float32)},
        {"a": np.zeros(4, np.int32)},
        {"a": np.zeros((2, 2), np.float32)},
        {"a": np.array([0, 0, 0, -0.0], np.float32)},
    ]
    hashes = {arrays_sha256(arrays) for arrays in [one, *others]}
    assert len(hashes) == 5


@pytest.mark.parametrize("words", ["", "5", "0s", "-1m", "m", "5 days", "1.5h", "steps"])
def test_a_malformed_interval_says_what_is_expected(words):
    with pytest.raises(OptionError, match="60s, 5m or 1h"):
        Interval(words)


def test_intervals():
    assert not Interval("1h").due(10**9)
    assert not Interval("off").due(10**9)
    every = Interval("5steps")
    assert [every.due(steps) for steps in (4, 5, 9)] == [False, True, True]
    every.begin(9)
    assert [every.due(steps) for steps in (13, 14)] == [False, True]
    assert (Interval("2m").seconds, Interval("3h").seconds) == (120, 10800)
