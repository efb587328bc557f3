"""A contestant's side of the benchmark: JSON lines in, JSON lines out, in any Python.

A contestant is an object whose methods are requests. A method that does the work to be
timed returns a function that gives the answer, so that what the answer costs to write
down is not timed. Only the standard library is used here.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any


def serve(contestant: Any, packages: list[str]) -> None:
    """Answers requests until standard input ends.

    Args:
        contestant: Its methods take a request's fields and return an answer, or a
            function that does.
        packages: Those whose versions belong to a result.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    for line in sys.stdin:
        request = json.loads(line)
        method = getattr(contestant, request.pop("request"))
        began = time.perf_counter()
        answer = method(**request)
        seconds = time.perf_counter() - began
        answer = answer() if callable(answer) else answer
        reply = {"seconds": seconds, "versions": _versions(packages), **(answer or {})}
        print(json.dumps(reply), file=answers, flush=True)


def one_by_one(classify: Callable[[str], str], texts: list[str]) -> dict[str, Any]:
    """Returns the class of each text, and the seconds that each took by itself."""
    times, classes = [], []
    for text in texts:
        began = time.perf_counter()
        classes.append(classify(text))
        times.append(time.perf_counter() - began)
    return {"times": times, "labels": classes}


def _versions(packages: list[str]) -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {"python": sys.version.split()[0], **versions}
