"""A contestant: a process that answers requests in JSON lines; see contestants/protocol.py."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
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
