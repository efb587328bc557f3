"""`StopSignals`: holds back SIGTERM and Ctrl-C until the training is saved."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["StopSignals"]

CAUGHT = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """A context manager that notes the first SIGTERM or SIGINT in `caught` instead of stopping.

    A SIGINT after it stops at once. A SIGTERM after it is ignored, because timeout, SLURM and
    others send it twice. Does nothing outside the main thread, where Python delivers no signals.
    """

    def __init__(self) -> None:
        self.caught: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            self._before = {one: signal.signal(one, self._note) for one in CAUGHT}
        return self

    def __exit__(self, *error: object) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.caught is not None:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        self.caught = signal.Signals(number)
        # Not with print, because the signal may have interrupted a print.
        with contextlib.suppress(OSError):  # the terminal may be gone
            os.write(2, b"\nsaving, then stopping; press Ctrl-C again to stop at once\n")
