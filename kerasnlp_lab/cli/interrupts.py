"""Ctrl-C: ends a command without a traceback, and says what is kept.

A training notes it and saves first: see `kerasnlp_lab.training.stop_signals`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = [
    "INTERRUPTED",
    "exit_on_interrupt",
    "die_on_interrupt",
    "note_what_is_kept",
    "raise_on_first_interrupt",
    "interrupted_message",
]

RAISED_AGAIN = 0.05  # seconds after it was lost
INTERRUPTED = 130  # the exit status, as of any program that SIGINT ended


def interrupted_message(error: BaseException | None = None) -> str:
    """Returns what a command says last after Ctrl-C.

    Args:
        error: What it ended the command with; its notes, of `note_what_is_kept`, tell what is kept.
    """
    kept = getattr(error, "__notes__", None) or ["nothing was written"]
    return f"stopped by Ctrl-C; {'; '.join(kept)}"


@contextmanager
def note_what_is_kept(what: Callable[[], str], *, training: bool = False) -> Iterator[None]:
    """Says, where Ctrl-C ends its block, what is kept of it.

    Args:
        what: Called then; "" for nothing.
        training: Also where a training within it was stopped, which says by itself how to
            go on with it.
    """
    from kerasnlp_lab.errors import TrainingStopped

    try:
        yield
    except BaseException as error:
        if (training or not isinstance(error, TrainingStopped)) and (kept := what()):
            error.add_note(kept)
        raise


@contextmanager
def raise_on_first_interrupt() -> Iterator[Callable[[], bool]]:
    """In its block, the first Ctrl-C raises KeyboardInterrupt; a second ends the process at once.

    Yields:
        What tells whether Ctrl-C came: some libraries turn KeyboardInterrupt into errors
        of their own.
    """
    caught = False
    main = threading.main_thread().ident
    again = threading.Timer(RAISED_AGAIN, signal.pthread_kill, [main, signal.SIGINT])
    unraisable = sys.unraisablehook

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal caught
        if caught:
            _end("stopped at once by a second Ctrl-C")
        caught = True
        raise KeyboardInterrupt

    def raise_again(lost: sys.UnraisableHookArgs) -> None:
        """Python drops what is raised in a callback of the garbage collector."""
        nonlocal caught
        if lost.exc_type is not KeyboardInterrupt:
            unraisable(lost)
        elif caught and not again.is_alive():
            caught = False
            again.start()

    with _handled_by(handle):
        sys.unraisablehook = raise_again
        try:
            yield lambda: caught
        finally:
            sys.unraisablehook = unraisable
            again.cancel()


@contextmanager
def exit_on_interrupt() -> Iterator[None]:
    """In its block, Ctrl-C ends the process at once: for imports, before anything is done.

    Many C extensions do not pass KeyboardInterrupt on when it comes while they are imported.
    """
    with _handled_by(lambda number, frame: _end(interrupted_message())):
        yield


@contextmanager
def die_on_interrupt() -> Iterator[None]:
    """In its block, Ctrl-C kills the process: for waits within C++, where Python calls no handler.

    The shell's status is 130 as well.
    """
    with _handled_by(signal.SIG_DFL):
        yield


@contextmanager
def _handled_by(
    handler: Callable[[int, FrameType | None], None] | signal.Handlers,
) -> Iterator[None]:
    """Handles SIGINT in its block, unless that is ignored, as nohup and a shell's & have it."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(words: str) -> None:
    # Not by print, in which the signal may have come.
    with contextlib.suppress(OSError):  # the terminal may be gone
        after_control_c = "\n" if os.isatty(2) else ""  # which the terminal shows as ^C
        os.write(2, f"{after_control_c}kerasnlp-lab: {words}\n".encode())
    os._exit(INTERRUPTED)
