"""Ctrl-C: ends a command without a traceback, and reports what is kept.

When Ctrl-C interrupts a command, the code that wrote files attaches a note to the exception;
the command line prints the notes. A training saves its state first: see
`kerasnlp_lab.training.stop_signals`.
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

RAISE_AGAIN_AFTER = 0.05  # seconds after Python dropped the exception
INTERRUPTED = 130  # the exit status of any program that SIGINT ended


def interrupted_message(error: BaseException | None = None) -> str:
    """Returns the last line of a command that Ctrl-C ended.

    Args:
        error: The exception that ended it, with the notes of `note_what_is_kept`.
    """
    kept = getattr(error, "__notes__", None) or ["nothing was written"]
    return f"stopped by Ctrl-C; {'; '.join(kept)}"


@contextmanager
def note_what_is_kept(describe: Callable[[], str], *, training: bool = False) -> Iterator[None]:
    """Attaches a note on what is kept to the exception that ends its block.

    Args:
        describe: Called then for the note; it returns "" if nothing is kept.
        training: Whether to add the note also to `TrainingStopped`, which already says how to
            resume the training.
    """
    from kerasnlp_lab.errors import TrainingStopped

    try:
        yield
    except BaseException as error:
        if (training or not isinstance(error, TrainingStopped)) and (kept := describe()):
            error.add_note(kept)
        raise


@contextmanager
def raise_on_first_interrupt() -> Iterator[Callable[[], bool]]:
    """In its block, the first Ctrl-C raises KeyboardInterrupt; a second ends the process at once.

    Yields:
        A function that returns whether Ctrl-C came: some libraries turn KeyboardInterrupt
        into errors of their own.
    """
    caught = False
    main = threading.main_thread().ident
    again = threading.Timer(RAISE_AGAIN_AFTER, signal.pthread_kill, [main, signal.SIGINT])
    unraisable = sys.unraisablehook

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal caught
        if caught:
            _end("stopped at once by a second Ctrl-C")
        caught = True
        raise KeyboardInterrupt

    def raise_again(lost: sys.UnraisableHookArgs) -> None:
        """Raises again what Python drops in a callback of the garbage collector."""
        nonlocal caught
        if lost.exc_type is not KeyboardInterrupt:
            unraisable(lost)
        elif caught and not again.is_alive():
            caught = False
            again.start()

    with _interrupt_handler(handle):
        sys.unraisablehook = raise_again
        try:
            yield lambda: caught
        finally:
            sys.unraisablehook = unraisable
            again.cancel()


@contextmanager
def exit_on_interrupt() -> Iterator[None]:
    """In its block, Ctrl-C ends the process at once, with a message: for imports.

    Many C extensions swallow a KeyboardInterrupt that comes while they are imported.
    """
    with _interrupt_handler(lambda number, frame: _end(interrupted_message())):
        yield


@contextmanager
def die_on_interrupt() -> Iterator[None]:
    """In its block, Ctrl-C kills the process without a message: for waits within C++.

    Python calls no handler there. The shell's status is 130 as well.
    """
    with _interrupt_handler(signal.SIG_DFL):
        yield


@contextmanager
def _interrupt_handler(
    handler: Callable[[int, FrameType | None], None] | signal.Handlers,
) -> Iterator[None]:
    """Handles SIGINT in its block, unless it is ignored, as under nohup and a shell's &."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(message: str) -> None:
    # Not by print: the signal may have come within a print.
    with contextlib.suppress(OSError):  # the terminal may be gone
        after_control_c = "\n" if os.isatty(2) else ""  # which the terminal shows as ^C
        os.write(2, f"{after_control_c}kerasnlp-lab: {message}\n".encode(errors="backslashreplace"))
    os._exit(INTERRUPTED)
