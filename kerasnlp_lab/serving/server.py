"""`serve`: runs the server until SIGTERM or Ctrl-C, and answers what it has accepted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from types import FrameType
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.serving.app import State, make_app
from kerasnlp_lab.serving.gate import Gate
from kerasnlp_lab.serving.log import JsonLines, log_event
from kerasnlp_lab.serving.metrics import Metrics
from kerasnlp_lab.serving.models import read_models
from kerasnlp_lab.serving.settings import Settings

__all__ = ["listen", "serve", "with_cors"]

KEEP_ALIVE_SECONDS = 75
BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens.

    Raises:
        OptionError: The address or the port cannot be had.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OptionError(
            f"cannot listen on {host}, port {port}: {reason}; choose another --host or --port"
        ) from error


def serve(
    exports: list[str],
    settings: Settings,
    listening: socket.socket,
    *,
    on_start: Callable[[list[str]], None] = lambda names: None,
) -> int:
    """Serves exports until a signal stops it.

    Args:
        exports: For each a folder, or NAME=FOLDER.
        settings: Limits and sizes.
        listening: The socket, from `listen`.
        on_start: Called with the names of the models when all of them answer.

    Returns:
        The signal that stopped the server.

    Raises:
        OptionError: Two models have the same name.
        RunError: An export is missing or broken.
    """
    metrics = Metrics()
    state = State(read_models(exports, settings, metrics), settings, metrics)
    failed: list[BaseException] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        running = [asyncio.create_task(_run_models())]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(*(model.stop() for model in state.models.values()))
        log_event("stopped", accepted=gate.accepted, answered=gate.answered)

    async def _run_models() -> None:
        try:
            async with asyncio.TaskGroup() as loading:
                for model in state.models.values():
                    loading.create_task(model.load())
        except BaseExceptionGroup as errors:  # one cannot be served: the command ends with why
            failed.extend(errors.exceptions)
            server.should_exit = True
            return
        on_start(list(state.models))
        await asyncio.gather(*(model.watch() for model in state.models.values()))

    app = make_app(state)
    app.router.lifespan_context = lifespan
    gate = Gate(app, state)
    _log_as_json()
    config = uvicorn.Config(
        with_cors(gate, settings.cors or ()),
        http=type("TimedProtocol", (Protocol,), {"head_seconds": settings.body_timeout}),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = Server(config, state)
    server.run([listening])
    if failed:
        raise failed[0]
    return server.caught


def with_cors(app: Any, origins: Sequence[str]) -> Any:
    """Returns an application whose answers pages of some origins may read."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
    )


class Server(uvicorn.Server):
    """A server that first asks its clients to leave, and then stops.

    Args:
        config: Uvicorn's settings.
        state: What is served.

    Attributes:
        caught: The signal that stopped it.
    """

    def __init__(self, config: uvicorn.Config, state: State):
        super().__init__(config)
        self.state, self.caught = state, 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stops accepting after a moment; a second signal, at once."""
        if self.state.draining:
            self.should_exit = True
            self.force_exit = sig == signal.SIGINT
            return
        self.caught, self.state.draining = sig, True
        log_event("stopping", signal=signal.Signals(sig).name)
        loop, drain = asyncio.get_running_loop(), self.state.settings.drain
        loop.call_soon_threadsafe(loop.call_later, drain, setattr, self, "should_exit", True)


class Protocol(H11Protocol):
    """HTTP/1.1 whose request heads must arrive in time, with errors in JSON."""

    head_seconds = 20.0
    _waiting_for_head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begins to wait for the head of a request."""
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """Reads bytes."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the wait."""
        super().connection_lost(exc)
        self._stop_waiting()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP."""
        self._refuse(400, {"error": msg, "what_to_do": "Send a request in HTTP/1.1."})

    def _watch_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._waiting_for_head is None and not self.transport.is_closing():
            self._waiting_for_head = self.loop.call_later(self.head_seconds, self._head_is_late)

    def _stop_waiting(self) -> None:
        if self._waiting_for_head is not None:
            self._waiting_for_head.cancel()
            self._waiting_for_head = None

    def _head_is_late(self) -> None:
        self._waiting_for_head = None
        if self.transport.is_closing() or self.conn.their_state is not h11.IDLE:
            return
        self._refuse(408, {"error": f"no request arrived within {self.head_seconds:g} seconds"})

    def _refuse(self, status: int, content: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        reason = {400: b"Bad Request", 408: b"Request Timeout"}[status]
        events = (
            h11.Response(status_code=status, headers=headers, reason=reason),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        with contextlib.suppress(h11.LocalProtocolError):  # a response is under way already
            for event in events:
                self.transport.write(self.conn.send(event))
        self.transport.close()


def _log_as_json() -> None:
    for name in ("uvicorn", "asyncio", "fastapi"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [JsonLines()], False
        logger.setLevel(logging.WARNING)
