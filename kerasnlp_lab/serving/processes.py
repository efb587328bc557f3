"""`in_processes`: applies a function to many items in several processes."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, get_context, parent_process
from typing import Any, TypeVar, cast

from kerasnlp_lab.errors import KerasnlpLabError, RunError

__all__ = ["in_processes"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(
    items: Sequence[Item], begin: Callable[[], Callable[[Item], Result]], processes: int
) -> Iterator[Result]:
    """Yields the result of each item, in the order in which they are finished.

    Args:
        items: The items, which can be pickled.
        begin: Called once in each process, such as to open a model; returns the function for the
            items. It can be pickled.
        processes: How many processes; one is this process itself.

    Raises:
        KerasnlpLabError: The error of a process, such as a model that cannot be opened.
        RunError: A process was killed.
    """
    if processes <= 1:
        yield from map(begin(), items) if items else ()
        return
    context, waiting = get_context("spawn"), deque(items)
    workers: dict[Any, Any] = {}
    working: dict[Any, Item] = {}
    try:
        for cores in _shares(min(processes, len(items))):
            here, there = context.Pipe()
            worker = context.Process(target=_work, args=(there, begin, cores), daemon=True)
            worker.start()
            there.close()
            workers[here], working[here] = worker, waiting.popleft()
            here.send(working[here])
        while working:
            for here in cast(list[Any], connection.wait(list(working))):
                yield _received(here, workers[here], working.pop(here))
                if waiting:
                    working[here] = waiting.popleft()
                    here.send(working[here])
    finally:
        for worker in workers.values():
            worker.terminate()
        for worker in workers.values():
            worker.join()


def _received(here: Any, worker: Any, item: Any) -> Any:
    try:
        found = here.recv()
    except EOFError:
        worker.join()
        raise RunError(
            f"the process that worked on {item} ended with status {worker.exitcode}, perhaps "
            "for want of memory; run the same command again to complete the rest"
        ) from None
    if isinstance(found, KerasnlpLabError):
        raise found
    return found


def _shares(processes: int) -> list[set[int] | None]:
    """Returns the cores of each process; None for all of them."""
    if not hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return [None] * processes
    cores = sorted(os.sched_getaffinity(0))
    return [set(cores[place::processes]) or None for place in range(processes)]


def _work(there: Any, begin: Callable[[], Callable[[Any], Any]], cores: set[int] | None) -> None:
    """Works on the items of a pipe until its other end is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    if cores:
        os.sched_setaffinity(0, cores)
    try:
        function = begin()
        while True:
            there.send(function(there.recv()))
    except EOFError:
        return
    except KerasnlpLabError as error:
        there.send(error)


def _end_with_parent() -> None:
    """Ends this process with its parent, also if that is killed."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
    os._exit(1)
