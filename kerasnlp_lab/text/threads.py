"""`in_threads`: applies a function to many items on all cores and keeps their order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["cores", "in_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yields the function's result for each item, in order, using one thread per core.

    Python runs one thread at a time, so this helps if TensorFlow or NumPy does the work.
    Items are taken only as needed: at most one more than there are threads is waiting.

    Args:
        function: Computes the result of one item.
        items: The items; they are taken in the calling thread.

    Raises:
        Exception: Any error of the function, at the item's place in the order.
    """
    threads = cores()
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def cores() -> int:
    """Returns how many cores this process may use, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
