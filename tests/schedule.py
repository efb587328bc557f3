"""The order of the tests: the files that take longest first, each whole on one worker.

Two workers that get the longest files last end far apart, and one of them waits.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

DURATIONS = Path(__file__).with_name("durations.json")
SECONDS_A_TEST = 1  # in a file that was never measured


def group(item: pytest.Item) -> str:
    """Returns what runs on one worker, to share fixtures: a file, or the tests of one notebook."""
    file = item.path.relative_to(Path(__file__).parent).as_posix()
    path = getattr(item, "callspec", None) and item.callspec.params.get("path")
    return f"{file}:{path.stem}" if file == "test_notebooks.py" and path else file


def longest_first(items: list[pytest.Item]) -> None:
    """Sorts tests by the seconds of their groups, and tells pytest-xdist of the groups."""
    known = json.loads(DURATIONS.read_text())
    groups = {item: group(item) for item in items}
    expected: dict[str, float] = defaultdict(float)
    for name in groups.values():
        expected[name] += SECONDS_A_TEST
    expected |= {name: known[name] for name in expected if name in known}
    for item, name in groups.items():
        item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=lambda item: (-expected[groups[item]], groups[item]))


class Durations:
    """Writes how long each group took, at the end of a session with pytest-xdist's groups."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.rpartition("@")[2]
        self.seconds[name] += report.duration

    def pytest_sessionfinish(self) -> None:
        rounded = {name: round(self.seconds[name]) for name in sorted(self.seconds)}
        DURATIONS.write_text(json.dumps(rounded, indent=1) + "\n")
