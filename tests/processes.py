"""Forks processes from one server that has imported TensorFlow, but not used it.

Each is a separate process with its own environment, folder, files, signals and exit status. They
share only the import, which takes 5 s or more.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRELOADED = ("pytest", "tests.preloaded", "tests.hub.processes")


@functools.cache
def server() -> multiprocessing.context.ForkServerContext:
    """Returns the context that starts such processes. The first call starts the server."""
    importlib.util.find_spec("tensorflow")  # skips the test under --without-tensorflow
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    with pytest.MonkeyPatch.context() as monkeypatch:  # the server must also find the tests
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))
        process = context.Process(target=print)
        process.start()
        process.join()
    return context


def start(
    module: str,
    arguments: Sequence[object],
    *,
    out: Path,
    err: Path | None = None,
    stdin: Path = Path(os.devnull),
    environment: Mapping[str, str] | None = None,
) -> BaseProcess:
    """Starts `python -m MODULE ARGUMENT...` in the repository's root.

    Args:
        module: The module to run as a script.
        arguments: Its arguments.
        out: The file for standard output, or a named pipe.
        err: The file for standard error; None for the same file.
        stdin: The file for standard input, or a named pipe.
        environment: All environment variables; None for those of this process.
    """
    words = [str(one) for one in arguments]
    variables = dict(os.environ if environment is None else environment)
    process = server().Process(
        target=_become, args=(module, words, variables, stdin, out, err), daemon=True
    )
    process.start()
    return process


def run(
    module: str,
    arguments: Sequence[object],
    *,
    environment: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m MODULE ARGUMENT...` to its end, like subprocess.run with captured output.

    Raises:
        subprocess.TimeoutExpired: The process took longer and was killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = start(module, arguments, out=out, err=err, environment=environment)
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired([module, *map(str, arguments)], timeout)
        said = [file.read_text() if file.exists() else "" for file in (out, err)]
    return subprocess.CompletedProcess([module, *arguments], process.exitcode, *said)


def _become(
    module: str,
    words: list[str],
    environment: dict[str, str],
    stdin: Path,
    out: Path,
    err: Path | None,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    os.dup2(os.open(stdin, os.O_RDONLY), 0)
    os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(1 if err is None else os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    # Python's usual streams for files. The server's own streams belong to the server's files.
    sys.stdin = open(0, closefd=False)
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.argv = [module, *words]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # multiprocessing skips these
