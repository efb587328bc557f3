"""in_threads keeps the order, takes items only when needed, and raises errors in order."""

import time

import pytest

from kerasnlp_lab.text.threads import in_threads


def test_results_come_in_the_order_of_the_items():
    def slow_first(item):
        time.sleep(0.03 if item % 4 == 1 else 0)
        return item * item

    assert list(in_threads(slow_first, iter(range(40)))) == [item * item for item in range(40)]
    assert list(in_threads(slow_first, [])) == []
    assert list(in_threads(slow_first, [3])) == [9]


def test_items_are_taken_only_as_needed(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    taken = []

    def items():
        for item in range(1000):
            taken.append(item)
            yield item

    results = in_threads(lambda item: item, items())
    for done in range(20):
        next(results)
        assert len(taken) <= done + 4  # the current one, and one more than there are threads
    results.close()
    assert len(taken) < 30


def test_an_error_is_raised_in_its_turn():
    def broken(item):
        if item == 5:
            raise ValueError("five")
        return item

    results = in_threads(broken, range(100))
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="five"):
        next(results)
