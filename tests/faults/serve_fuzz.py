"""Sends malformed requests to a server: each gets a 4xx with a reason, and memory stays flat.

python -m tests.faults.serve_fuzz EXPORT --count 500

Exits with 1 if a request got another status, no reason or a traceback, if the server logged an
error, if its memory grew, or if it does not answer a good request afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.serving.raw_client import RawClient, Response
from tests.serving.running import Running, running

GROWTH = 48 * 2**20  # a body of the largest size, its text, and what it was parsed into
LARGE = 100 * 2**20
VALUES: list[Any] = [None, True, 0, -1.5, "a", [], {}, [[]], [["a"]], {"b64": 1}, [1], [None]]
GOOD = {
    "/classify": b'{"model": "model", "texts": ["a text", "another"]}',
    "/v1/models/model:predict": b'{"signature_name": "serving_default", "instances": ["a", "b"]}',
}


@dataclass(frozen=True)
class Case:
    """A malformed request.

    Args:
        kind: What is wrong with it.
        request: Its bytes.
        more: How often one more MiB follows.
        pause: Whether the client then sends nothing more, though it announced more.
    """

    kind: str
    request: bytes
    more: int = 0
    pause: bool = False


def _request(path: str, body: bytes, method: str = "POST", headers: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def _broken_json(draw: random.Random) -> Case:
    """Returns a good request after some bytes were changed, cut or doubled."""
    path, good = draw.choice(list(GOOD.items()))
    while True:
        body = bytearray(good)
        for _ in range(draw.randint(1, 4)):
            place = draw.randrange(len(body))
            kind = draw.randrange(4)
            if kind == 0:
                body[place] = draw.randrange(256)
            elif kind == 1:
                del body[place : place + draw.randint(1, 9)]
            elif kind == 2:
                body[place:place] = draw.randbytes(draw.randint(1, 9))
            else:
                del body[place:]
            body = body or bytearray(b"{")
        try:
            json.loads(bytes(body).decode())
        except ValueError:
            return Case("broken JSON", _request(path, bytes(body)))


def _wrong_types(draw: random.Random) -> Case:
    if draw.random() < 0.5:
        bad = draw.choice([one for one in VALUES if one != []])
        return Case("wrong types", _request("/classify", json.dumps({"texts": bad}).encode()))
    key = draw.choice(["instances", "inputs"])
    bad = draw.choice([one for one in VALUES if (key, one) != ("inputs", [])])
    body = json.dumps({key: bad}).encode()
    return Case("wrong types", _request("/v1/models/model:predict", body))


def _odd_json(draw: random.Random) -> Case:
    parts = [
        b'{"texts": ["\xff\xfe"]}',
        b'{"texts": ["\\ud83d"]}',
        b'{"texts": ' + b"[" * draw.randint(1000, 100_000),
        b'{"texts": ' + b"9" * draw.randint(5000, 9000) + b"}",
        b'{"texts": NaN}',
        b'{"texts": ["a"], "texts": 1}',
        b'{"texts": ["' + b"x" * 200_000 + b'"]}',
        json.dumps({"texts": ["a"] * 5000}).encode(),
        '{"texts": ["a"]}'.encode("utf-16"),
        b"texts=a",
        b"\x1f\x8b\x08\x00",
        b"\0" * 100,
    ]
    return Case("odd JSON", _request("/classify", draw.choice(parts)))


def _wrong_path(draw: random.Random) -> Case:
    path = draw.choice(
        [
            "/v1/models/nobody:predict",
            "/v1/models/model/versions/77:predict",
            "/v1/models/model/versions/99999999999999999999:predict",
            "/v1/models/model/labels/x:predict",
            "/v1/models/model:classify",
            "/v1/models/model%00:predict",
            "/v1/models/%ff%fe:predict",
            "/v1/models/../../etc/passwd:predict",
            "/v1/models/:predict",
            "/v1/models//:predict",
            "/v1/models/model:predict:predict",
            "/v2/models/model/infer",
            "/classify/",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/" + "x" * draw.randint(100, 5000),
            "//classify",
            "/metrics",
        ]
    )
    return Case("wrong path", _request(path, GOOD["/v1/models/model:predict"]))


def _wrong_method(draw: random.Random) -> Case:
    method = draw.choice(["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW", "TRACE"])
    return Case("wrong method", _request("/classify", b"", method))


def _no_http(draw: random.Random) -> Case:
    request = draw.choice(
        [
            draw.randbytes(40) + b"\r\n\r\n",
            b"POST /classify HTTP/9.9\r\n\r\n",
            b"POST /classify HTTP/1.1\r\n\r\n",
            b"POST /classify HTTP/1.1\r\nhost: a\r\ncontent-length: many\r\n\r\n",
            b"POST /classify HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
            b"POST /classify HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            b"POST /classify HTTP/1.1\r\nhost: a\r\nno header\r\n\r\n",
            b"POST /classify HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
            b"POST /cl\xffssify HTTP/1.1\r\nhost: a\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n",
        ]
    )
    return Case("no HTTP", request)


COMMON: list[Callable[[random.Random], Case]] = [
    *(_broken_json, _wrong_types, _odd_json, _wrong_path, _wrong_method, _no_http)
]
HEAD = "POST /classify HTTP/1.1\r\nhost: localhost\r\n"
RARE = [
    Case("large body", f"{HEAD}content-length: {LARGE}\r\n\r\n".encode(), LARGE >> 20),
    Case(
        "large body in chunks",
        f"{HEAD}transfer-encoding: chunked\r\n\r\n{LARGE:x}\r\n".encode(),
        LARGE >> 20,
    ),
    Case(
        "large body announced",
        f"{HEAD}expect: 100-continue\r\ncontent-length: {LARGE}\r\n\r\n".encode(),
    ),
    Case("slow body", f"{HEAD}content-length: 100\r\n\r\n{{".encode(), pause=True),
    Case("slow head", HEAD.encode(), pause=True),
    Case("silence", b"", pause=True),
]


def cases(count: int, seed: int = 0) -> list[Case]:
    """Returns malformed requests; the rare kinds come twice in 500."""
    draw = random.Random(seed)
    rare = RARE * max(1, count // 250)
    return [*(draw.choice(COMMON)(draw) for _ in range(count - len(rare))), *rare]


async def send(port: int, case: Case) -> Response:
    """Sends a request on a connection of its own."""
    client = RawClient(port)
    try:
        return await asyncio.wait_for(client.stream(_parts(case)), 60)
    finally:
        client.close()


async def _parts(case: Case) -> AsyncIterator[bytes]:
    yield case.request
    for _ in range(case.more):
        yield b"x" * 2**20
    if "chunks" in case.kind:
        yield b"\r\n0\r\n\r\n"


def wrong(case: Case, response: Response) -> str:
    """Returns what is wrong with the response to a malformed request, or ""."""
    try:
        reason = json.loads(response.body)["error"] if case.kind != "wrong method" else "-"
    except (ValueError, KeyError, TypeError):
        reason = ""
    if 400 <= response.status < 500 and reason and b"Traceback" not in response.body:
        return ""
    return f"{case.kind}: {case.request[:200]!r} got {response.status}, {response.body[:200]!r}"


async def fuzz(server: Running, count: int, at_once: int = 8) -> list[str]:
    """Sends malformed requests, and returns what went wrong."""
    failures: list[str] = []
    waiting = asyncio.Semaphore(at_once)

    async def one(case: Case) -> None:
        async with waiting:
            try:
                failure = wrong(case, await send(server.port, case))
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                failure = f"{case.kind}: {case.request[:200]!r} got no response: {error!r}"
        if failure:
            failures.append(failure)

    logged, before = len(_errors(server)), memory_of(server.process.pid)
    await asyncio.gather(*map(one, cases(count)))
    if (growth := memory_of(server.process.pid) - before) > GROWTH:
        failures.append(f"the server's memory grew by {growth >> 20} MiB")
    good = await RawClient(server.port).post("/classify", GOOD["/classify"])
    if good.status != 200:
        failures.append(f"a good request then got {good.status}, {good.body[:200]!r}")
    return failures + _errors(server)[logged:]


def _errors(server: Running) -> list[str]:
    return [str(event) for event in server.events() if event["level"] == "error"]


def memory_of(pid: int) -> int:
    """Returns the memory of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def main() -> int:
    """Runs the command and returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("--count", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with running([f"model={options.export}"], Path(folder, "log")) as server:
            failures = asyncio.run(fuzz(server, options.count))
    print(json.dumps({"requests": options.count, "failures": failures}, indent=2))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
