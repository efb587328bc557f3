"""The order of the tests: the files that take longest first, each whole on one worker.

Two workers that get the longest files last end far apart, and one of them waits.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

DURATIONS = Path(__file__).with_name("durations.json")
SECONDS_A_TEST = 1  # in a file that was never measured


def group(nodeid: str) -> str:
    """Returns what runs on one worker, to share fixtures: a file, or the tests of one notebook."""
    file, _, test = nodeid.partition("::")
    file = file.removeprefix("tests/")
    return f"{file}:{test[:-1].partition('[')[2]}" if file == "test_notebooks.py" else file


def longest_first(items: list[pytest.Item]) -> None:
    """Sorts tests by the seconds of their groups."""
    known = json.loads(DURATIONS.read_text())
    tests = Counter(group(item.nodeid) for item in items)
    expected = {name: known.get(name, SECONDS_A_TEST * count) for name, count in tests.items()}
    items.sort(key=lambda item: (-expected[group(item.nodeid)], group(item.nodeid)))


class GroupScheduling(LoadScopeScheduling):
    """Hands whole groups to workers; with --no-loadscope-reorder in the order of the tests.

    pytest-xdist's own groups, of its mark, need a nodeid that can be written: not so in pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


class Durations:
    """Writes how long each group took, at the end of a session."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[group(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        rounded = {name: round(self.seconds[name]) for name in sorted(self.seconds)}
        DURATIONS.write_text(json.dumps(rounded, indent=1) + "\n")
