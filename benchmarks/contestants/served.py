"""An export behind an HTTP server, asked by clients of one text each, or in process."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import protocol

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.serving.raw_client import RawClient  # noqa: E402

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
PACKAGES = ["tensorflow", "tensorflow-text", "fastapi", "uvicorn"]


class Served:
    """Predicts."""

    def prepare(self, threads: int, folder: str, server: str, clients: int) -> None:
        """Starts the server, "ours" or "plain", or opens the export for "in process"."""
        self.clients, self.predictor = clients, None
        if server == "in process":
            from kerasnlp_lab.export import open_predictor

            self.predictor = open_predictor(folder)
            return
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        words = [str(HERE / "plain_server.py"), folder, str(self.port)]
        if server == "ours":
            words = ["-m", "kerasnlp_lab", "serve", f"model={folder}", "--port", str(self.port)]
        self.server = subprocess.Popen(
            [sys.executable, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,  # contestants are killed
        )
        self._wait()

    def _wait(self) -> None:
        while True:
            time.sleep(0.5)
            try:
                self._answers(["ready?"])
                return
            except (OSError, KeyError, asyncio.IncompleteReadError):
                if self.server.poll() is not None:
                    sys.exit(f"the server ended with status {self.server.returncode}")

    def predict(self, texts: list[str]) -> dict[str, Any]:
        """Finds the classes of texts."""
        if self.predictor is not None:
            found = self.predictor.predict(texts, chunk=self.clients)
            return {"labels": [one.label for one in found], "client_seconds": 0.0}
        began = os.times()
        found = self._answers(texts)
        ended = os.times()
        spent = ended.user - began.user + ended.system - began.system
        return {"labels": [one["label"] for one in found], "client_seconds": spent}

    def _answers(self, texts: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [{}] * len(texts)

        async def client(work: Iterator[tuple[int, str]]) -> None:
            connection = RawClient(self.port)
            for place, text in work:
                body = json.dumps({"texts": [text]}).encode()
                response = await connection.post("/classify", body)
                found[place] = json.loads(response.body)["answers"][0]
            connection.close()

        async def all_of_them() -> None:
            work = iter(enumerate(texts))  # the clients share it
            await asyncio.gather(*(client(work) for _ in range(min(self.clients, len(texts)))))

        asyncio.run(all_of_them())
        return found


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    protocol.serve(Served(), PACKAGES)
