"""The order of the tests: the longest groups first, each group on one worker.

If the longest groups came last, the workers would finish far apart, and one would wait.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

DURATIONS = Path(__file__).with_name("durations.json")
SECONDS_A_TEST = 1  # for files without a measurement


# The tests of each of these folders share fixtures that take long, so one worker has them all.
WHOLE_FOLDERS = ("explanation", "export", "serving")


def group(nodeid: str) -> str:
    """Returns a test's group on one worker: a file, a folder, or the tests of one notebook."""
    file, _, test = nodeid.partition("::")
    file = file.removeprefix("tests/")
    folder = file.partition("/")[0]
    if folder in WHOLE_FOLDERS:
        return folder
    return f"{file}:{test[:-1].partition('[')[2]}" if file == "test_notebooks.py" else file


def longest_first(items: list[pytest.Item]) -> None:
    """Sorts tests by the time of their groups, longest first."""
    known = json.loads(DURATIONS.read_text())
    tests = Counter(group(item.nodeid) for item in items)
    expected = {name: known.get(name, SECONDS_A_TEST * count) for name, count in tests.items()}
    items.sort(key=lambda item: (-expected[group(item.nodeid)], group(item.nodeid)))


class GroupScheduling(LoadScopeScheduling):
    """Gives whole groups to workers. With --no-loadscope-reorder it keeps the order of the tests.

    pytest-xdist's own mark for groups needs a writable nodeid, which pytest 9.2 does not have.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


class Durations:
    """Writes the time of each group at the end of a session."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[group(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        known = json.loads(DURATIONS.read_text())  # also of the groups that did not run
        known |= {name: round(seconds) for name, seconds in self.seconds.items()}
        DURATIONS.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")
