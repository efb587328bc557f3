"""Contestants side by side: one process each, one at work at a time, ratios a round.

Each round gives every contestant the beginning of the same new slice of texts, in an
order that alternates. How much of it a contestant gets follows from its speed in the
warm-up, so that all compute for the same order of magnitude of time. A contestant that
waits is stopped (SIGSTOP): it cannot take time from the one at work.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONTESTANTS = Path(__file__).parent / "contestants"
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
Reply = dict[str, Any]


class Contestant:
    """A process that answers requests.

    Args:
        name: Its name in results.
        script: Its file in contestants/.
        python: The Python of its environment.
        threads: On how many processors it may run; its libraries take as many threads.
        settings: What its ``prepare`` is given.
    """

    def __init__(
        self, name: str, script: str, python: str | Path, *, threads: int = 2, **settings: Any
    ):
        self.name = name
        processors = sorted(os.sched_getaffinity(0))[:threads]
        number = str(len(processors))
        self._process = subprocess.Popen(
            [str(python), str(CONTESTANTS / f"{script}.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={
                "TF_CPP_MIN_LOG_LEVEL": "3",
                **os.environ,
                "OMP_NUM_THREADS": number,
                "RAYON_NUM_THREADS": number,
            },
            preexec_fn=lambda: _begin(processors),
        )
        try:
            self.versions = self.ask("prepare", threads=len(processors), **settings)["versions"]
        except BaseException:
            self.close()
            raise

    def ask(self, request: str, **fields: Any) -> Reply:
        """Sends a request and waits for the reply, whose ``seconds`` is what the work took."""
        self._process.send_signal(signal.SIGCONT)
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            print(json.dumps({"request": request, **fields}), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            sys.exit(f"{self.name} ended while it was asked to {request}: its own message is above")
        self._process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()


class Contestants(list[Contestant]):
    """Contestants with the same number of threads; leaving the block ends their processes."""

    def __init__(self, threads: int):
        super().__init__()
        self._threads = threads

    def start(self, name: str, script: str, python: str | Path, **settings: Any) -> Contestant:
        """Adds one; see `Contestant`."""
        print(f"starting {name}", flush=True)
        self.append(Contestant(name, script, python, threads=self._threads, **settings))
        return self[-1]

    def __enter__(self) -> Contestants:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self:
            one.close()


def _begin(processors: list[int]) -> None:
    """Binds a new process to processors, and its life to ours: a stopped one would stay."""
    os.sched_setaffinity(0, processors)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass
class Results:
    """What a comparison came to.

    Args:
        rates: Units of work a second, one a round, by contestant; the names of ours begin
            with "ours".
        replies: The contestants' replies, one a round, by contestant.
        counts: How many texts a round each was given.
    """

    rates: dict[str, list[float]] = field(default_factory=dict)
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, rate: float, reply: Reply) -> None:
        """Adds one round of one contestant."""
        self.rates.setdefault(name, []).append(rate)
        self.replies.setdefault(name, []).append(reply)

    def ratios(self, ours: str = "ours") -> dict[str, list[float]]:
        """Returns how many times as fast as each peer one of ours was, one a round."""
        return {
            name: [own / other for own, other in zip(self.rates[ours], rates, strict=True)]
            for name, rates in self.rates.items()
            if not name.startswith("ours")
        }


def compare(
    contestants: Sequence[Contestant],
    slices: Slices,
    ask: Callable[[Contestant, Sequence[Any]], Reply],
    *,
    rounds: int,
    least: int,
    multiple: int = 1,
) -> Results:
    """Warms all contestants up, finds how much each is to be given, and takes the rounds.

    Args:
        contestants: Ours among them.
        slices: New work.
        ask: Has one contestant do some work.
        rounds: How many.
        least: The fewest texts to give, to warm up and in a round.
        multiple: What the number of texts is a multiple of.
    """
    results = Results()
    warm_up, timed = slices.next(least), slices.next(least)
    speeds = {}
    for one in contestants:
        ask(one, warm_up)
        speeds[one.name] = len(timed) / ask(one, timed)["seconds"]
    share = {name: speed / max(speeds.values()) for name, speed in speeds.items()}
    wanted = {name: max(least, slices.size * part) for name, part in share.items()}
    counts = {name: math.ceil(count / multiple) * multiple for name, count in wanted.items()}
    results.counts = {name: min(count, slices.size) for name, count in counts.items()}
    for number in range(rounds):
        work = slices.next(slices.size)
        for one in list(contestants)[:: 1 if number % 2 == 0 else -1]:
            count = results.counts[one.name]
            reply = ask(one, work[:count])
            results.add(one.name, count / reply["seconds"], reply)
        rates = ", ".join(f"{name} {rate[-1]:.5g}" for name, rate in results.rates.items())
        print(f"round {number + 1}: {rates}", flush=True)
    return results


class Slices:
    """Work in pieces, none of it twice.

    Args:
        work: All there is.
        size: Of a round's slice.
    """

    def __init__(self, work: Sequence[Any], size: int):
        self.work, self.size, self._used = work, size, 0

    def next(self, count: int) -> Sequence[Any]:
        """Returns the next pieces, which are not given out again."""
        begin, self._used = self._used, self._used + count
        if self._used > len(self.work):
            sys.exit(
                f"only {len(self.work)} different texts are there: ask for fewer --rounds or "
                "--texts, or give --data-dir a folder with more"
            )
        return self.work[begin : self._used]


def spread(values: Sequence[float]) -> str:
    """Returns median, least and greatest of some ratios, to print."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
