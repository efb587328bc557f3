"""`Interval`: how often a training is saved."""

from __future__ import annotations

import time

from kerasnlp_lab.errors import OptionError

__all__ = ["Interval"]

SECONDS = {"s": 1, "m": 60, "h": 3600}


class Interval:
    """A time, or a number of steps, after which it is due again.

    Args:
        words: "60s", "5m", "1h", "200steps", or "off".

    Raises:
        OptionError: It is none of these.

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
        """Tells whether it is time, after so many steps."""
        if steps - self._last_step >= self.steps:
            return True
        return time.monotonic() - self._last_time >= self.seconds

    def begin(self, steps: int) -> None:
        """Counts anew from here."""
        self._last_step, self._last_time = steps, time.monotonic()
