import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.benchmarks.conftest import BENCHMARKS

CONTESTANT = """
import os, sys, threading, time
sys.path.insert(0, {contestants!r})
import protocol

class Sleeper:
    def prepare(self, threads, pace):
        self.pace = pace
        self.seen = []
        threading.Thread(target=self.spin, daemon=True).start()

    def spin(self):
        while True:
            time.sleep(0.001)

    def work(self, texts):
        print("a library that talks")
        time.sleep(self.pace * len(texts))
        self.seen.append(texts)
        return lambda: (time.sleep(0.5), {{"labels": [len(text) for text in texts]}})[1]

    def processors(self):
        return {{"processors": sorted(os.sched_getaffinity(0)), "pid": os.getpid()}}

    def all_seen(self):
        return {{"seen": self.seen}}

    def fail(self):
        raise ValueError("this contestant fails")

protocol.serve(Sleeper(), ["pytest"])
"""


@pytest.fixture
def harness(benchmark_module):
    return benchmark_module("harness")


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "sleeper.py"
    path.write_text(CONTESTANT.format(contestants=str(BENCHMARKS / "contestants")))
    return str(path.with_suffix(""))


@pytest.fixture
def contestants(benchmark_module, script):
    with benchmark_module("contestant").Contestants(1) as started:
        started.start("ours", script, sys.executable, pace=0.001)
        started.start("peer", script, sys.executable, pace=0.004)
        yield started


def work(one, texts):
    return one.ask("work", texts=list(texts))


def test_the_work_is_timed_and_what_the_answer_costs_is_not(contestants):
    reply = work(contestants[0], ["a", "bb"])
    assert 0.002 <= reply["seconds"] < 0.4
    assert reply["labels"] == [1, 2]
    assert reply["versions"]["pytest"] == pytest.__version__


def test_a_contestant_has_its_processors_and_sleeps_while_it_waits(contestants):
    answer = contestants[0].ask("processors")
    assert len(answer["processors"]) == 1
    state = Path(f"/proc/{answer['pid']}/stat")
    deadline = time.monotonic() + 5
    while state.read_text().rsplit(")", 1)[1].split()[0] != "T" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert state.read_text().rsplit(")", 1)[1].split()[0] == "T"


def test_rounds_take_new_texts_and_the_slower_takes_fewer(harness, contestants):
    texts = [f"text {number}" for number in range(2000)]
    results = harness.compare(contestants, harness.Slices(texts, 200), work, rounds=3, least=20)
    assert results.counts["ours"] == 200
    assert 20 <= results.counts["peer"] <= 120
    assert all(len(rates) == 3 for rates in results.rates.values())
    assert all(1.5 < ratio < 8 for ratio in results.ratios()["peer"])
    seen = [one.ask("all_seen")["seen"] for one in contestants]
    for lists in seen:
        flat = sum(lists, [])
        assert len(flat) == len(set(flat))
    for own, other in zip(*seen, strict=True):
        assert other == own[: len(other)]


def test_texts_run_out_with_a_word_on_what_to_do(harness):
    slices = harness.Slices(["a", "b", "c"], 2)
    assert slices.next(2) == ["a", "b"]
    with pytest.raises(SystemExit, match="only 3 different texts.*--data-dir"):
        slices.next(2)


def test_a_contestant_that_fails_ends_the_run(contestants):
    with pytest.raises(SystemExit, match="ours ended while it was asked to fail"):
        contestants[0].ask("fail")


def test_leaving_ends_stopped_processes(benchmark_module, script):
    with benchmark_module("contestant").Contestants(1) as started:
        started.start("ours", script, sys.executable, pace=0.001)
        pid = started[0].ask("processors")["pid"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)
