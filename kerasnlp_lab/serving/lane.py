"""`Lane`: one version of a model: its queue and its worker processes, restarted when they die."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

from kerasnlp_lab.errors import RunError
from kerasnlp_lab.serving.batches import Batcher, Item, Reply, Request
from kerasnlp_lab.serving.frames import Ready
from kerasnlp_lab.serving.log import log_event
from kerasnlp_lab.serving.metrics import Metrics
from kerasnlp_lab.serving.settings import Settings
from kerasnlp_lab.serving.worker_process import BatchFailed, WorkerLost, WorkerProcess

__all__ = ["Lane"]

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before a process is started again


class Lane:
    """A version that is loaded.

    Args:
        name: The model's name.
        version: The version.
        folder: The export.
        processes: Processes that have loaded it.
        settings: Limits and sizes.
        metrics: What is counted.

    Attributes:
        about: The description of the export.
    """

    def __init__(
        self,
        name: str,
        version: int,
        folder: Path,
        processes: list[WorkerProcess],
        settings: Settings,
        metrics: Metrics,
    ):
        self.name, self.version, self.folder = name, version, folder
        self.settings, self.metrics = settings, metrics
        self.batcher = Batcher(
            batch_texts=settings.batch_texts,
            batch_tokens=settings.batch_tokens,
            batch_wait=settings.batch_wait,
            max_queue=settings.max_queue,
            most_tokens=processes[0].ready.most_tokens,
        )
        self.processes: list[WorkerProcess | None] = list(processes)
        self.about: Ready = processes[0].ready
        self._rows_a_second = 0.0  # of late
        self._keepers = [asyncio.create_task(self._keep(n)) for n in range(len(processes))]

    @classmethod
    async def open(
        cls, name: str, version: int, folder: Path, settings: Settings, metrics: Metrics
    ) -> Lane:
        """Starts the processes, and returns when all have loaded the export and warmed up.

        Raises:
            RunError: The export is broken.
        """
        starting = [WorkerProcess.start(folder, settings) for _ in range(settings.workers)]
        found = await asyncio.gather(*starting, return_exceptions=True)
        started = [one for one in found if isinstance(one, WorkerProcess)]
        for error in found:
            if isinstance(error, BaseException):
                await asyncio.gather(*(one.stop() for one in started))
                raise error
        return cls(name, version, folder, started, settings, metrics)

    @property
    def ready(self) -> bool:
        """Whether a process can compute."""
        return any(one is not None and not one.lost.done() for one in self.processes)

    def seconds_to_empty(self) -> int:
        """Returns how long the texts that wait will take, about, from 1 to 60 seconds."""
        waiting = len(self.batcher) / self._rows_a_second if self._rows_a_second else 1.0
        return math.ceil(min(max(waiting, 1.0), 60.0))

    async def answer(self, request: Request) -> list[Reply]:
        """Returns the replies to a request's items.

        Raises:
            QueueFull: Too many texts wait.
            TimeoutError: The answer took too long.
            WorkerLost: Three processes died while they computed a text of it.
            BatchFailed: A text of it cannot be computed.
        """
        self.batcher.put(request)
        self.metrics.queue.labels(self.name).set(len(self.batcher))
        try:
            async with asyncio.timeout(self.settings.timeout):
                return await request.future
        finally:
            request.future.cancel()

    async def stop(self) -> None:
        """Answers what waits, and then ends the processes."""
        while not self.batcher.idle:
            await asyncio.sleep(0.02)
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(one.stop() for one in self.processes if one))

    async def _keep(self, place: int) -> None:
        """Lets a process compute, and starts another when it dies."""
        while True:
            process = self.processes[place]
            if process is None:
                process = self.processes[place] = await self._start_again()
            slots = [
                asyncio.create_task(self._compute(process))
                for _ in range(self.settings.parallel_batches)
            ]
            try:
                await asyncio.shield(process.lost)
            finally:
                for slot in slots:
                    slot.cancel()
                await asyncio.gather(*slots, return_exceptions=True)
            self.processes[place] = None
            self.metrics.restarts.labels(self.name).inc()
            log_event(
                "worker lost",
                level="error",
                model=self.name,
                version=self.version,
                status=process.process.returncode,
            )

    async def _start_again(self) -> WorkerProcess:
        pause = FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                process = await WorkerProcess.start(self.folder, self.settings)
            except (RunError, OSError) as error:  # such as too little memory for a process
                told = {"model": self.name, "version": self.version, "reason": str(error)}
                log_event("worker not started", level="error", **told)
            else:
                log_event("worker started", model=self.name, version=self.version)
                return process

    async def _compute(self, process: WorkerProcess) -> None:
        """Computes one batch after the other."""
        while True:
            batch = await self.batcher.take()
            self.metrics.queue.labels(self.name).set(len(self.batcher))
            try:
                await self._compute_batch(process, batch)
            except BatchFailed as error:
                if len(batch) == 1:
                    batch[0].request.fail(error)
                    self.batcher.done()
                else:  # one text may be at fault: each is tried alone
                    self.batcher.put_back(batch, error)
            except (WorkerLost, asyncio.CancelledError):
                self.batcher.put_back(batch, WorkerLost())
                raise
            except Exception as error:  # a mistake of ours, which must not stop the others
                for item in batch:
                    item.request.fail(error)
                self.batcher.done()
            else:
                self.batcher.done()

    async def _compute_batch(self, process: WorkerProcess, batch: list[Item]) -> None:
        rows = [row for item in batch for row in item.rows]
        inputs = process.ready.inputs[batch[0].request.signature]
        columns = tuple(zip(*rows, strict=True)) or ((),) * len(inputs)
        arrays = [item.request.arrays for item in batch]
        asked = process.ask(
            signature=batch[0].request.signature,
            columns=columns,
            answers=not all(arrays),
            arrays=any(arrays),
        )
        try:
            reply = await asyncio.wait_for(asked, self.settings.timeout)
        except TimeoutError:  # it hangs, and its requests have timed out
            process.kill()
            raise WorkerLost from None
        self.metrics.batch_texts.labels(self.name).observe(len(rows))
        self.metrics.batch_seconds.labels(self.name).observe(reply.seconds)
        for label, count in reply.labels.items():
            self.metrics.labels.labels(self.name, str(self.version), label).inc(count)
        rate = len(rows) / max(reply.seconds, 1e-3)
        self._rows_a_second += 0.1 * (rate - self._rows_a_second)
        start = 0
        for item in batch:
            own = slice(start, start + len(item.rows))
            start = own.stop
            parts = reply.arrays.items() if item.request.arrays else ()
            part = Reply(reply.answers[own], {name: one[own] for name, one in parts})
            item.request.answer(item.place, part)
