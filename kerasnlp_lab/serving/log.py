"""`log_event`: structured logs, one line of JSON for each event, without texts."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

__all__ = ["JsonLines", "log_event"]


def log_event(event: str, *, level: str = "info", **fields: Any) -> None:
    """Writes an event to standard error. Fields that are None are left out."""
    stamp = time.time()
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp)) + f".{int(stamp % 1 * 1000):03}Z"
    given = {name: value for name, value in fields.items() if value is not None}
    line = json.dumps({"time": when, "level": level, "event": event, **given}, default=str)
    print(line, file=sys.stderr, flush=True)


class JsonLines(logging.Handler):
    """Writes the messages of libraries as such lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one message."""
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else None
        level = record.levelname.lower()
        log_event(record.getMessage(), level=level, logger=record.name, traceback=trace)
