"""`Gate`: checks the token and the body of every request, and logs and counts it."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
import traceback
from typing import Any

from kerasnlp_lab.serving.app import State
from kerasnlp_lab.serving.errors import RequestError
from kerasnlp_lab.serving.log import log_event

__all__ = ["Gate"]

OPEN = ("/", "/healthz", "/readyz", "/docs", "/openapi.json")  # no text and no answer is there
MOST_HELD = 32  # bodies of the largest size that are in memory at a time


class Disconnected(Exception):
    """The client closed the connection before its request had arrived."""


class Gate:
    """An ASGI application around another.

    Args:
        app: The application.
        state: What the server serves, with the limits.

    Attributes:
        accepted: How many requests have arrived whole.
        answered: How many of them have their whole response.
    """

    def __init__(self, app: Any, state: State):
        self.app, self.state, self.settings = app, state, state.settings
        self.accepted = self.answered = 0
        self._held = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request."""
        if scope["type"] != "http":  # the start and the end of the server, no WebSockets
            await self.app(scope, receive, send)
            return
        status, began, arrived = 0, time.monotonic(), False
        scope.setdefault("state", {})["log"] = {}

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", []))
                headers.append((b"x-request-id", _request_id(scope)))
                if self.state.draining or not arrived:
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        held = 0
        try:
            self._check_token(scope)
            body = await self._body(scope, receive)
            held = len(body)
            self._held += held
            arrived = True
            self.accepted += 1
            began = time.monotonic()
            await self.app(scope, _replay(body), sending)
        except Disconnected:
            return
        except RequestError as error:
            await _send_json(sending, error)
        except Exception:  # a mistake of ours: it is logged, and the client gets no traceback
            log_event("error", level="error", traceback=traceback.format_exc(-8))
            if not status:
                await _send_json(sending, RequestError(500, "internal error; the log has more"))
        finally:
            self._held -= held
            self.answered += bool(arrived and status)
            seconds = time.monotonic() - began
            self._count(scope, status, seconds)

    def _check_token(self, scope: Any) -> None:
        token = self.settings.token
        if not token or scope["path"] in OPEN:
            return
        given = _header(scope, b"authorization")
        scheme, _, value = given.partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(value.strip(), token.encode()):
            advice = "Send the header Authorization: Bearer TOKEN."
            headers = {"WWW-Authenticate": "Bearer"}
            raise RequestError(401, "expected the right bearer token", advice, headers)

    async def _body(self, scope: Any, receive: Any) -> bytes:
        """Returns the body, while its size and its time are within the limits."""
        most = self.settings.max_body
        too_large = RequestError(
            413, f"expected a body of at most {most} bytes", "Send several requests."
        )
        encoding = _header(scope, b"content-encoding").lower()
        if encoding not in (b"", b"identity"):
            reason = f"the body is encoded by {encoding.decode('latin-1')[:40]!r}"
            raise RequestError(415, reason, "Send it as it is.")
        length = _header(scope, b"content-length")
        parts: list[bytes] = []
        size = 0
        large = length.isdigit() and int(length) > most
        if large and _header(scope, b"expect"):
            raise too_large  # the client waits for a word before it sends the body
        if self._held > MOST_HELD * most:
            reason = "too many bytes of other requests are in memory"
            raise RequestError(429, reason, "Try again.", {"Retry-After": "1"})
        try:
            async with asyncio.timeout(self.settings.body_timeout):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Disconnected
                    part = message.get("body", b"")
                    size += len(part)
                    # The rest of a large body is read and dropped: many clients read no response
                    # before they have sent everything.
                    large = large or size > most
                    if large:
                        parts.clear()
                    else:
                        parts.append(part)
                    more = message.get("more_body", False)
        except TimeoutError:
            if not large:
                seconds = self.settings.body_timeout
                reason = f"the body did not arrive within {seconds:g} seconds"
                raise RequestError(408, reason, "Send it faster, or in parts.") from None
        if large:
            raise too_large
        return b"".join(parts)

    def _count(self, scope: Any, status: int, seconds: float) -> None:
        endpoint = _endpoint(scope["path"])
        metrics = self.state.metrics
        metrics.requests.labels(endpoint, str(status or "disconnected")).inc()
        metrics.latency.labels(endpoint).observe(seconds)
        if endpoint != "probe":
            log_event(
                "request",
                id=_request_id(scope).decode("latin-1"),
                method=scope["method"],
                path=scope["path"][:200],
                status=status or None,
                milliseconds=round(1000 * seconds, 1),
                **scope["state"]["log"],
            )


def _replay(body: bytes) -> Any:
    """Returns a `receive` that gives a body that was read already."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()  # nobody needs to know whether the client is still there

    return receive


def _header(scope: Any, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def _request_id(scope: Any) -> bytes:
    """Returns the client's X-Request-ID if it is short and plain, or "-"."""
    given = _header(scope, b"x-request-id")
    return (
        given if 0 < len(given) <= 64 and given.isascii() and given.decode().isprintable() else b"-"
    )


def _endpoint(path: str) -> str:
    if path in ("/healthz", "/readyz", "/metrics"):
        return "probe"
    if path.startswith("/v1/"):
        return "predict" if path.endswith(":predict") else "status"
    return {"/classify": "classify", "/": "page", "/models": "models"}.get(path, "other")


async def _send_json(send: Any, error: RequestError) -> None:
    body = json.dumps(error.as_json()).encode()
    headers = {
        **error.headers,
        "content-type": "application/json",
        "content-length": str(len(body)),
    }
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
