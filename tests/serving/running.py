"""A real server in a process of its own, for tests, faults and benchmarks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    """A server that runs.

    Args:
        process: Its process.
        address: Where it listens, such as http://127.0.0.1:40001.
        log: The file with its standard error.
    """

    process: subprocess.Popen[str]
    address: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def events(self, event: str | None = None) -> list[dict[str, Any]]:
        """Returns the lines of its log, or those of one event."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if event in (None, line["event"])]

    def stop(self, timeout: float = 60) -> int:
        """Sends SIGTERM and returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)


def start(exports: Sequence[object], log: Path, *options: str, **environment: str) -> Running:
    """Starts a server on a free port, and returns when its models answer."""
    words = ["-m", "kerasnlp_lab", "serve", *map(str, exports), "--port", "0", "--json", *options]
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout
    line = process.stdout.readline()
    assert line, f"the server ended with {process.wait()}: {log.read_text()[-3000:]}"
    return Running(process, json.loads(line)["address"], log)


@contextmanager
def running(exports: Sequence[object], log: Path, *options: str) -> Iterator[Running]:
    """Runs a server in its block."""
    server = start(exports, log, *options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
