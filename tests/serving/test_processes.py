"""`in_processes`: results, errors and deaths of processes; without TensorFlow."""

import os
import signal
import time

import pytest

from kerasnlp_lab.errors import RunError
from kerasnlp_lab.serving.processes import in_processes


def squares():
    return lambda item: (item * item, os.getpid())


def slow_to_die():
    def work(item):
        if item == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)
        return item

    return work


def cannot_begin():
    raise RunError("no such model")


@pytest.mark.parametrize("processes", [1, 2, 20])
def test_every_item_once(processes):
    found = list(in_processes(range(7), squares, processes))
    assert sorted(value for value, _ in found) == [0, 1, 4, 9, 16, 25, 36]
    assert (os.getpid() in {process for _, process in found}) == (processes == 1)


def test_nothing_to_do_opens_nothing():
    assert list(in_processes([], cannot_begin, 1)) == []
    assert list(in_processes([], cannot_begin, 4)) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_of_a_process_is_raised_here(processes):
    with pytest.raises(RunError, match="no such model"):
        list(in_processes([1, 2], cannot_begin, processes))


def test_a_process_that_is_killed_is_reported_with_its_item():
    with pytest.raises(RunError, match="worked on 3 ended with status -9.*run the same command"):
        list(in_processes([1, 2, 3, 4], slow_to_die, 2))
