"""The command line, with Ctrl-C when it comes to a place.

    python -m tests.cli.interrupted PLACE ARGUMENT...

A place is a part of a file's path that is opened, made or renamed, or of a module's name that
is imported.
"""

import signal
import sys

from tests.cli.command import run

EVENTS = ("import", "open", "os.mkdir", "os.rename")
_places = []  # an audit hook cannot be taken away again


def _watch(event, arguments):
    if _places and event in EVENTS and _places[0] in str(arguments[0]):
        _places.clear()
        signal.raise_signal(signal.SIGINT)


def run_interrupted(place, *arguments):
    """Runs the command line within this process, as `run` does."""
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
