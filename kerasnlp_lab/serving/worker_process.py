"""`WorkerProcess`: the server's end of a worker process: start, ask, notice its death, stop."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import pickle
import sys
from pathlib import Path
from typing import Any

from kerasnlp_lab.errors import RunError
from kerasnlp_lab.serving.frames import LENGTH, Answered, Ask, Failed, Ready, packed
from kerasnlp_lab.serving.settings import Settings

__all__ = ["BatchFailed", "WorkerLost", "WorkerProcess"]

START_SECONDS = 600  # a large export on a slow disk
STOP_SECONDS = 10


class WorkerLost(Exception):
    """The worker process ended before it answered."""


class BatchFailed(Exception):
    """The worker could not compute a batch."""


class WorkerProcess:
    """A process that has loaded one version of an export.

    Args:
        process: The process.
        ready: Its description of the export.

    Attributes:
        lost: Done when the process has ended.
    """

    def __init__(self, process: asyncio.subprocess.Process, ready: Ready):
        self.process, self.ready = process, ready
        self.lost: asyncio.Task[None] = asyncio.create_task(self._read())
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Answered]] = {}

    @classmethod
    async def start(cls, folder: Path, settings: Settings) -> WorkerProcess:
        """Starts a process, and returns when it has loaded the export and warmed up.

        Raises:
            RunError: The export is broken, or the process died.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "kerasnlp_lab.serving.worker"),
            *(str(folder), str(settings.parallel_batches), str(settings.threads)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**20,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            start_new_session=True,  # Ctrl-C in a terminal goes to the server alone
        )
        try:
            first = await asyncio.wait_for(_read_frame(process), START_SECONDS)
        except asyncio.IncompleteReadError:
            status = await process.wait()
            raise RunError(
                f"the process that loaded {folder} died with status {status}; if its memory ran "
                "out, serve fewer models or give it more"
            ) from None
        except BaseException as error:
            process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise RunError(f"{folder} did not load in {START_SECONDS} seconds") from None
            raise
        if isinstance(first, Failed):
            await process.wait()
            raise RunError(first.message)
        return cls(process, first)

    async def ask(self, *, signature: str, columns: Any, answers: bool, arrays: bool) -> Answered:
        """Returns the answers to a batch; see `Ask`.

        Raises:
            BatchFailed: The batch cannot be computed.
            WorkerLost: The process has ended.
        """
        if self.lost.done():
            raise WorkerLost
        number = next(self._numbers)
        self._asked[number] = reply = asyncio.get_running_loop().create_future()
        stdin = self.process.stdin
        assert stdin
        with contextlib.suppress(ConnectionError):  # then `lost` says so
            stdin.write(packed(Ask(number, signature, columns, answers, arrays)))
            await stdin.drain()
        try:
            return await reply
        finally:
            self._asked.pop(number, None)

    async def stop(self) -> None:
        """Ends the process, after the batches that it was asked for."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            await asyncio.wait_for(asyncio.shield(self.lost), STOP_SECONDS)
        except TimeoutError:
            self.kill()
            await self.lost

    def kill(self) -> None:
        """Kills the process."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def _read(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                message = await _read_frame(self.process)
                reply = self._asked.get(message.number)
                if reply is None or reply.done():
                    continue
                if isinstance(message, Failed):
                    reply.set_exception(BatchFailed(message.message))
                else:
                    reply.set_result(message)
        await self.process.wait()
        for reply in self._asked.values():
            if not reply.done():
                reply.set_exception(WorkerLost())


async def _read_frame(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    return pickle.loads(await process.stdout.readexactly(length))
