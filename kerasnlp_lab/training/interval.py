"""`Interval`: decides when to save the next checkpoint."""

from __future__ import annotations

import time

from kerasnlp_lab.errors import OptionError

__all__ = ["Interval"]

SECONDS = {"s": 1, "m": 60, "h": 3600}


class Interval:
    """A time or a number of steps between checkpoints: "60s", "5m", "1h", "200steps", or "off".

    Raises OptionError for other words.

    Example:
        >>> Interval("2steps").due(steps=1), Interval("2steps").due(steps=2)
        (False, True)
    """

    def __init__(self, words: str):
        self.seconds = self.steps = float("inf")
        number = words.rstrip("abcdefghijklmnopqrstuvwxyz ")
        unit = words[len(number) :].strip()
        if number.isdecimal() and int(number) > 0 and unit in SECONDS:
            self.seconds = int(number) * SECONDS[unit]
        elif number.isdecimal() and int(number) > 0 and unit in ("step", "steps"):
            self.steps = int(number)
        elif words != "off":
            raise OptionError(
                f"checkpoint_every must be a time such as 60s, 5m or 1h, a number such as "
                f"200steps, or off; got {words!r}"
            )
        self._last_step, self._last_time = 0, time.monotonic()

    def due(self, steps: int) -> bool:
        """Returns whether a checkpoint is due after this number of steps."""
        if steps - self._last_step >= self.steps:
            return True
        return time.monotonic() - self._last_time >= self.seconds

    def begin(self, steps: int) -> None:
        """Restarts the interval at this number of steps and the current time."""
        self._last_step, self._last_time = steps, time.monotonic()
