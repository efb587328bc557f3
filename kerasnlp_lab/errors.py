"""The exceptions that this package raises for mistakes that a user can fix.

Each message says what was expected, what came, and what to do. The command line
prints it in one line and exits with status 2.

    KerasnlpLabError
    |-- UnknownNameError      no model, dataset or option has that name
    |-- OptionError           an option's value cannot be used
    |-- DataError             texts and labels cannot be read from a file
    |-- DatasetMissingError   a dataset is not on this machine and cannot be fetched
    |-- SequenceTooLongError  a sequence has more tokens than the layer has positions
    |-- HubError              a pre-trained module cannot be fetched or loaded
    |   `-- IntegrityError    a fetched file differs from the published one
    |-- StrategyError         the requested devices are not available
    |   `-- WorkerLostError   another worker is gone
    |-- ForkError             TensorFlow cannot be used in a forked process
    |-- RunError              a run directory or an exported model cannot be used
    |-- TrainingStopped       a signal stopped a training after everything was saved
    `-- StorageError          a file could not be written
"""

from __future__ import annotations

import difflib
import signal
from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "DataError",
    "DatasetMissingError",
    "ForkError",
    "HubError",
    "IntegrityError",
    "KerasnlpLabError",
    "OptionError",
    "RunError",
    "SequenceTooLongError",
    "StorageError",
    "StrategyError",
    "TrainingStopped",
    "UnknownNameError",
    "WorkerLostError",
    "check_option",
    "closest",
    "did_you_mean",
    "first_line",
]


class KerasnlpLabError(Exception):
    """Base class of every error that a user of this package can fix."""


class UnknownNameError(KerasnlpLabError, LookupError):
    """No model, dataset or option has the given name.

    Args:
        kind: The kind of thing that was looked up, in the singular ("model").
        name: The name that was given.
        known: The names that exist.
        hint: More advice, to append to the message.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = ""):
        known = sorted(known)
        parts = [f"no {kind} is called {name!r}{did_you_mean(name, known)}"]
        if len(known) <= 12:
            parts.append(f"known: {', '.join(known) or 'none'}")
        if hint:
            parts.append(hint)
        super().__init__("; ".join(parts))
        self.name = name
        self.known = known


def closest(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that is most like the given one, ignoring case, or None.

    Example:
        >>> closest("Transfomer", ["transformer", "tfidf_linear"])
        'transformer'
    """
    by_lower = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns an ending for an error message that suggests a known name, or "" if none is close."""
    close = closest(name, known)
    return "" if close is None else f"; did you mean {close!r}?"


class OptionError(KerasnlpLabError, ValueError):
    """An option has a value that cannot be used."""


class DataError(KerasnlpLabError, ValueError):
    """Texts and labels cannot be read from a source.

    Args:
        message: What was expected and what came instead.
        path: The file at fault.
        line: The line in the file, counted from 1.
        column: The column's name or number.
    """

    def __init__(
        self,
        message: str,
        path: str | Path | None = None,
        line: int | None = None,
        column: str | int | None = None,
    ):
        where = [] if path is None else [str(path)]
        if line is not None:
            where.append(f"line {line}")
        if column is not None:
            where.append(f"column {column}")
        super().__init__(f"{', '.join(where)}: {message}" if where else message)
        self.message, self.path, self.line, self.column = message, path, line, column


class DatasetMissingError(KerasnlpLabError):
    """A dataset is not prepared on this machine and cannot be downloaded."""


class SequenceTooLongError(KerasnlpLabError, ValueError):
    """A sequence has more tokens than the layer has positions."""

    # In a symbolic call, AutoGraph keeps an exception's type only if it has exactly this __init__.
    __init__ = Exception.__init__


class HubError(KerasnlpLabError):
    """A pre-trained module cannot be fetched, built or loaded."""


class IntegrityError(HubError):
    """A fetched file differs from the published one."""


class StrategyError(KerasnlpLabError):
    """The devices that a strategy needs are not available."""


class WorkerLostError(StrategyError):
    """Another worker of a training is gone. Progress up to the last checkpoint is kept."""


class ForkError(KerasnlpLabError, RuntimeError):
    """A model was used in a process that was forked from one in which TensorFlow had computed."""


class RunError(KerasnlpLabError):
    """A run directory or an exported model is missing, incomplete or unsuitable."""


class TrainingStopped(KerasnlpLabError):
    """A signal stopped a training, which can be resumed.

    Args:
        message: How to resume it.
        caught: The signal.
    """

    def __init__(self, message: str, caught: signal.Signals):
        super().__init__(message)
        self.caught = caught


class StorageError(KerasnlpLabError, OSError):
    """A file could not be written, for example for lack of space or permission."""


def check_option(name: str, value: object, holds: bool, expected: str) -> None:
    """Raises OptionError, always worded alike, unless a condition holds."""
    if not holds:
        raise OptionError(f"{name} must be {expected}, got {value!r}")


def first_line(error: BaseException) -> str:
    """Returns an error's type and the first line of its message, to quote in another error."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
