"""Loads a server with many clients that keep a ledger, swaps versions, and stops it meanwhile.

python -m tests.faults.serve_load EXPORT --seconds 600 --clients 64 --swap 60

Each client checks that every answer is its own: the request's id comes back, and so do the
probabilities that `Predictor` gives for the text. After the last second the server gets SIGTERM
while the clients go on. Each request that the server then says it has answered must have reached
its client. Exits with 1 if anything was lost, doubled, mixed up or refused.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kerasnlp_lab.export import open_predictor
from tests.serving.raw_client import RawClient, Response
from tests.serving.running import Running, start

WORDS = "the a oil stock team game cat dog war vote web code chip goal match ran sat said".split()
BROKEN = [
    b"",
    b"{",
    b"[]",
    b'{"texts": "a"}',
    b'{"texts": [null]}',
    b'{"texts": ["\xff"]}',
    b'{"instances": []}',
    b'{"instances": [["a"]]}',
    b'{"texts": ' + b"[" * 5000,
]
TEXTS = 2000
TOLERANCE = 1e-3  # a batch of other lengths rounds differently


@dataclass
class Ledger:
    """What the clients sent and received.

    Attributes:
        received: The ids whose responses came.
        seconds: The time of each good answer.
        counts: How often each thing happened.
        failures: What must not happen.
        stopping: Whether the server was told to stop.
    """

    received: set[str] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    stopping: bool = False


def make_texts(count: int, seed: int = 0) -> list[str]:
    """Returns different texts of 1 to 200 words, most of them short."""
    draw = random.Random(seed)
    lengths = (min(200, 1 + int(draw.expovariate(1 / 25))) for _ in range(count))
    return [" ".join([*draw.choices(WORDS, k=n), str(row)]) for row, n in enumerate(lengths)]


async def client(
    port: int,
    number: int,
    texts: Sequence[str],
    expected: np.ndarray,
    broken: float,
    ledger: Ledger,
) -> None:
    """Sends one request after the other until the server is gone."""
    draw, connection = random.Random(number), RawClient(port)
    for count in itertools.count():
        name = f"{number}-{count}"
        bad = draw.random() < broken
        simple = draw.random() < 0.5
        rows = [draw.randrange(len(texts)) for _ in range(draw.choice([1, 1, 1, 1, 3, 8]))]
        chosen = [texts[row] for row in rows]
        body = (
            draw.choice(BROKEN)
            if bad
            else json.dumps({"texts" if simple else "instances": chosen}).encode()
        )
        began = time.monotonic()
        try:
            path = "/classify" if simple else "/v1/models/model:predict"
            response = await connection.post(path, body, name)
        except (OSError, asyncio.IncompleteReadError) as error:
            if not ledger.stopping:
                ledger.failures.append(f"{name} was lost: {error!r}")
            ledger.counts["not accepted"] += 1
            return
        if response.headers["x-request-id"] != name or name in ledger.received:
            ledger.failures.append(f"{name} got the answer to {response.headers['x-request-id']}")
        ledger.received.add(name)
        if bad:
            ledger.counts["broken requests"] += 1
            if not 400 <= response.status < 500:
                ledger.failures.append(f"{name}, broken, got {response.status}")
        elif response.status == 429:
            ledger.counts["refused with 429"] += 1
            await asyncio.sleep(float(response.headers["retry-after"]))
        else:
            ledger.counts["requests"] += 1
            ledger.counts["texts"] += len(rows)
            ledger.seconds.append(time.monotonic() - began)
            if wrong := _wrong(response, simple, chosen, expected[rows]):
                ledger.failures.append(f"{name}: {wrong}")


def _wrong(response: Response, simple: bool, texts: list[str], expected: np.ndarray) -> str:
    """Returns what is wrong with a response, or ""."""
    if response.status != 200:
        return f"status {response.status}: {response.body[:200]!r}"
    content = json.loads(response.body)
    if simple:
        found = [list(one["probabilities"].values()) for one in content["answers"]]
        if [one["text"] for one in content["answers"]] != texts:
            return "the texts of others came back"
    else:
        found = [one["probabilities"] for one in content["predictions"]]
    if np.shape(found) != expected.shape:
        return f"{len(found)} answers to {len(texts)} texts"
    distance = np.abs(np.array(found) - expected).max()
    return f"probabilities differ by {distance:.4f}" if distance > TOLERANCE else ""


def memory(pid: int) -> tuple[int, int]:
    """Returns the memory of a process and its children in bytes (PSS), and their number."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0
    for one in (pid, *children):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    return total, len(children)


async def watch_memory(pid: int, samples: list[tuple[float, int]]) -> None:
    """Measures once a second, while there is one worker process."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(1)
        bytes_, children = memory(pid)
        if children == 1:
            samples.append((time.monotonic() - began, bytes_))


def add_version(export: Path, folder: Path, number: int) -> None:
    """Adds a version with the files of an export, and removes all but the last two."""
    shutil.copytree(export, folder / f".{number}", copy_function=os.link)
    (folder / f".{number}").rename(folder / str(number))
    shutil.rmtree(folder / str(number - 2), ignore_errors=True)


async def swap_versions(server: Running, export: Path, folder: Path, every: float) -> None:
    """Adds a version again and again, each after the one before answers."""
    connection = RawClient(server.port)
    for number in itertools.count(2):
        await asyncio.sleep(every)
        await asyncio.to_thread(add_version, export, folder, number)
        while True:
            found = await connection.exchange(b"GET /models HTTP/1.1\r\nhost: localhost\r\n\r\n")
            if json.loads(found.body)["models"][0]["version"] == number:
                break
            await asyncio.sleep(0.2)


async def _load(
    server: Running, export: Path, folder: Path, options: argparse.Namespace
) -> tuple[Ledger, list[tuple[float, int]], int]:
    texts = make_texts(TEXTS)
    answers = open_predictor(export).predict(texts)
    expected = np.array([list(one.probabilities.values()) for one in answers])
    ledger = Ledger()
    samples: list[tuple[float, int]] = []
    clients = [
        asyncio.create_task(client(server.port, n, texts, expected, options.broken, ledger))
        for n in range(options.clients)
    ]
    others = [
        asyncio.create_task(watch_memory(server.process.pid, samples)),
        asyncio.create_task(swap_versions(server, export, folder, options.swap)),
    ]
    await asyncio.sleep(options.seconds)
    while len(server.events("serving")) <= options.least_swaps:
        await asyncio.sleep(1)
    for other in others:
        other.cancel()
    ledger.stopping = True
    status = await asyncio.to_thread(server.stop)
    await asyncio.gather(*clients)
    return ledger, samples, status


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Runs the load and returns the report; "failures" is empty if all went well."""
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        add_version(options.export, folder / "model", 1)
        server = start([folder / "model"], folder / "log", *options.serve)
        began, before = time.monotonic(), os.times()
        try:
            ledger, samples, status = asyncio.run(
                _load(server, options.export, folder / "model", options)
            )
        finally:
            server.process.kill()
        after, seconds = os.times(), time.monotonic() - began
        failures = [*ledger.failures]
        if status != 0:
            failures.append(f"the server ended with status {status}")
        answered = {one["id"] for one in server.events("request") if one.get("status")}
        lost = answered - ledger.received - {"-"}  # which asked for the version
        failures += [f"{name} was answered, but nothing arrived" for name in sorted(lost)]
        [stopped] = server.events("stopped") or [{}]
        if stopped.get("accepted") != stopped.get("answered"):
            failures.append(f"accepted and answered: {stopped}")
        swaps = len(server.events("serving")) - 1
        for event in server.events():
            if event["level"] == "error":
                failures.append(f"logged: {event}")
    report: dict[str, Any] = {
        **ledger.counts,
        "seconds": round(seconds),
        "texts_per_second": round(ledger.counts["texts"] / seconds, 1),
        "p50_ms": round(1000 * float(np.percentile(ledger.seconds, 50)), 1),
        "p99_ms": round(1000 * float(np.percentile(ledger.seconds, 99)), 1),
        "swaps": swaps,
        "client_cpu_share": round((after.user - before.user + after.system) / seconds, 2),
        "failures": failures[:20],
        "failure_count": len(failures),
    }
    early, late = (_memory_around(samples, share) for share in (0.2, 1.0))
    if early and late:
        report |= {"memory_mb": [early >> 20, late >> 20], "memory_ratio": round(late / early, 3)}
    return report


def _memory_around(samples: list[tuple[float, int]], share: float) -> int:
    """Returns the median memory in the tenth of the time before a share of it; 0 if unknown."""
    if not samples:
        return 0
    end = samples[-1][0]
    near = [size for at, size in samples if (share - 0.1) * end <= at <= share * end]
    return int(statistics.median(near)) if near else 0


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command's options."""
    found = argparse.ArgumentParser(description=__doc__)
    found.add_argument("export", type=Path, help="An export for classification.")
    found.add_argument("--seconds", type=float, default=600)
    found.add_argument("--clients", type=int, default=64)
    found.add_argument("--swap", type=float, default=60, help="Seconds from version to version.")
    found.add_argument("--least-swaps", type=int, default=0, help="Go on until there were as many.")
    found.add_argument("--broken", type=float, default=0.01, help="Share of broken requests.")
    found.add_argument("--folder", type=Path, help="For versions; on the export's file system.")
    found.add_argument("serve", nargs="*", help="After --: options of serve.")
    return found


if __name__ == "__main__":
    found = run(parser().parse_args())
    print(json.dumps(found, indent=2))
    sys.exit(1 if found["failures"] else 0)
