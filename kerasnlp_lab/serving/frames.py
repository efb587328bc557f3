"""The protocol between the server and its worker processes: pickled messages with their length.

Both ends are processes of this package on one machine, joined by pipes, so pickle is safe here.
"""

from __future__ import annotations

import pickle
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import IO, Any

__all__ = ["LENGTH", "Answered", "Ask", "Failed", "Ready", "packed", "read_frame"]

LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Ready:
    """The worker has loaded its export and warmed up.

    Args:
        task: The name of the task.
        model: The name of the model.
        label_names: The classes.
        pair: The names of the two texts, for a model of pairs.
        inputs: The names of each signature's inputs.
        padded: The outputs of serving_default whose second axis is as long as a batch needs.
        signatures: The signature definitions as JSON, as TensorFlow Serving shows them.
        most_tokens: The most tokens that the model reads of a text; 0 if it reads all.
    """

    task: str
    model: str
    label_names: tuple[str, ...]
    pair: tuple[str, str] | None
    inputs: dict[str, tuple[str, ...]]
    padded: tuple[str, ...]
    signatures: dict[str, Any]
    most_tokens: int


@dataclass(frozen=True)
class Ask:
    """A batch of texts to answer.

    Args:
        number: Names the batch in the reply.
        signature: The signature to call.
        columns: The texts of each input.
        answers: Whether to return each text's answer as JSON.
        arrays: Whether to return the signature's outputs.
    """

    number: int
    signature: str
    columns: tuple[tuple[bytes, ...], ...]
    answers: bool
    arrays: bool


@dataclass(frozen=True)
class Answered:
    """The answers to a batch.

    Args:
        number: The batch's number.
        answers: Each text's answer as JSON; empty if they were not asked for.
        arrays: The outputs by name, as NumPy arrays; empty if they were not asked for.
        labels: How often each label was given.
        seconds: The time of the computation.
    """

    number: int
    answers: list[str]
    arrays: dict[str, Any]
    labels: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


@dataclass(frozen=True)
class Failed:
    """A batch could not be computed, or, with number -1, the export could not be opened.

    Args:
        number: The batch's number.
        message: Why.
    """

    number: int
    message: str


def packed(message: Any) -> bytes:
    """Returns a message as a frame."""
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(content)) + content


def read_frame(source: IO[bytes]) -> Any:
    """Returns the next message; None at the end of the pipe."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    content = source.read(length)
    return pickle.loads(content) if len(content) == length else None
