"""A small HTTP client that costs little processor time, for load tests and benchmarks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Response:
    """A whole response."""

    status: int
    headers: dict[str, str]
    body: bytes


class RawClient:
    """A client that keeps its connection, and sends one request at a time.

    Args:
        port: The port on this machine.
    """

    def __init__(self, port: int):
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: bytes, name: str = "") -> Response:
        """Sends a request and returns its response.

        Args:
            path: The path.
            body: The body.
            name: The request's X-Request-ID.

        Raises:
            OSError: No connection could be made.
            asyncio.IncompleteReadError: The connection was closed before the whole response.
        """
        head = (
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n"
            "content-type: application/json\r\n"
            f"x-request-id: {name}\r\n\r\n"
        )
        return await self.exchange(head.encode() + body)

    async def exchange(self, request: bytes) -> Response:
        """Sends bytes and returns the response to them."""

        async def whole() -> AsyncIterator[bytes]:
            yield request

        return await self.stream(whole())

    async def stream(self, parts: AsyncIterator[bytes]) -> Response:
        """Sends the parts of a request and returns the response to it."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        try:
            with contextlib.suppress(ConnectionError):  # a refusal may have come already
                async for part in parts:
                    writer.write(part)
                    await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.split(": ", 1) for line in head[1:] if line)
            headers = {key.lower(): value for key, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        except BaseException:
            self.close()
            raise
        if headers.get("connection") == "close":
            rest = await reader.read()
            assert rest == b"", f"the server sent more than one response: {rest[:200]!r}"
            self.close()
        return Response(int(head[0].split()[1]), headers, body)

    def close(self) -> None:
        """Closes the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
