"""Colours and progress appear on a terminal, and nowhere else."""

import contextlib
import os
import pty
import re
import subprocess
import sys
import threading
from unittest import mock

import pytest

from kerasnlp_lab.cli.main import main
from tests.cli.command import run

COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7])[0-9;]*m")
NEWS = ("--dataset", "news_sample")
QUICK = ("--epochs", "1", "--min-steps-per-epoch", "1", "--batch-size", "200")
QUICK = (*QUICK, "--option", "embed_dim=8", "--option", "ff_dim=8")


def environment(**more):
    """Returns this process's environment without variables that force colours on or off."""
    forced = ("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE")
    kept = {name: value for name, value in os.environ.items() if name not in forced}
    return {**kept, "TERM": "xterm-256color", "COLUMNS": "100", **more}


def on_a_terminal(*arguments, **more):
    """Returns the output of a command on a new terminal."""
    here, there = pty.openpty()
    command = [sys.executable, "-m", "kerasnlp_lab", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdin=there, stdout=there, stderr=there, env=environment(**more)
    )
    os.close(there)
    shown = b""
    while True:
        try:
            shown += os.read(here, 1 << 16)
        except OSError:  # the command has ended
            break
    os.close(here)
    assert process.wait() == 0, shown
    return shown.decode()


def shown_by_this_process(*arguments, **more):
    """Returns the output of a command on a new terminal, without a process for it."""
    here, there = pty.openpty()
    shown = []

    def read():
        with contextlib.suppress(OSError):  # the command has ended
            while True:
                shown.append(os.read(here, 1 << 16))

    reader = threading.Thread(target=read)
    reader.start()
    with (
        open(there, "w") as terminal,
        mock.patch.object(sys, "argv", ["kerasnlp-lab", *map(str, arguments)]),
        mock.patch.dict(os.environ, environment(**more), clear=True),
        contextlib.redirect_stdout(terminal),
        contextlib.redirect_stderr(terminal),
        contextlib.suppress(SystemExit),
    ):
        main()
    reader.join()
    os.close(here)
    return b"".join(shown).decode()


def piped(*arguments):
    command = [sys.executable, "-m", "kerasnlp_lab", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(COLUMNS="100"))


def test_a_process_of_its_own():
    shown = on_a_terminal("--help")
    assert "\x1b[1" in shown  # bold
    assert COLOUR.search(shown)
    assert not COLOUR.search(on_a_terminal("--help", NO_COLOR="1"))
    result = piped("--help")
    assert result.returncode == 0
    assert "\x1b" not in result.stdout + result.stderr


@pytest.mark.parametrize("arguments", [["hub", "--help"], ["hub", "list"]], ids=" ".join)
def test_help_and_lists(arguments):
    shown = shown_by_this_process(*arguments)
    assert "\x1b[1" in shown  # bold
    if "--help" in arguments:
        assert COLOUR.search(shown)
    assert not COLOUR.search(shown_by_this_process(*arguments, NO_COLOR="1"))
    result = run(*arguments)
    assert result.code == 0
    assert "\x1b" not in result.out + result.err


def test_train_draws_a_bar_on_a_terminal(tmp_path):
    """tests/cli/test_journey.py trains without a terminal, and has none."""
    words = ("--model", "transformer", *NEWS, *QUICK, "--output", tmp_path / "run")
    shown = shown_by_this_process("train", *words)
    assert (tmp_path / "run" / "metrics.json").exists(), shown
    assert COLOUR.search(shown) and "━" in shown


def test_commands_that_are_not_on_a_terminal(finished_run, exported):
    lines = [
        ("evaluate", finished_run, *NEWS),
        ("predict", exported, "a text"),
        ("zoo", "list"),
        ("zoo", "show", "transformer"),
        ("data", "list"),
        ("hub", "list"),
    ]
    for line in lines:
        result = run(*line)
        assert result.code == 0, result.err
        assert result.out and "\x1b" not in result.out + result.err, line
