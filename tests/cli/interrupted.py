"""Runs the command line and sends it Ctrl-C at a chosen place.

    python -m tests.cli.interrupted PLACE ARGUMENT...

A place is part of the path of a file that is opened, created or renamed, or part of the name of
a module that is imported.
"""

import signal
import sys

from tests.cli.command import run

EVENTS = ("import", "open", "os.mkdir", "os.rename")
_places = []  # an audit hook cannot be removed


def _watch(event, arguments):
    if _places and event in EVENTS and _places[0] in str(arguments[0]):
        _places.clear()
        signal.raise_signal(signal.SIGINT)


def run_interrupted(place, *arguments):
    """Runs the command line within this process, like `run`."""
    if not hasattr(run_interrupted, "watching"):
        run_interrupted.watching = True
        sys.addaudithook(_watch)
    _places[:] = [place]
    try:
        return run(*arguments)
    finally:
        assert not _places, f"it did not come to {place}"


if __name__ == "__main__":
    _places.append(sys.argv.pop(1))
    sys.addaudithook(_watch)
    from kerasnlp_lab.__main__ import main

    main()
