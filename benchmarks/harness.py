"""Contestants side by side: one process each, one at work at a time, ratios a round.

Each round gives every contestant the beginning of the same new slice of texts, in an
order that alternates. How much of it a contestant gets follows from its speed in the
warm-up, so that all compute for the same order of magnitude of time. A contestant that
waits is stopped (SIGSTOP): it cannot take time from the one at work.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from contestant import Contestant, Reply


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
