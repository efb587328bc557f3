"""`--json`: the result of a command for programs. docs/json.md lists the keys.

Standard output has one document, or one a line for a stream of answers. Everything else that a
command prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["Json", "json_line", "print_json", "printing_to_stderr_if", "writes_unicode"]

Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]


@contextmanager
def printing_to_stderr_if(as_json: bool) -> Iterator[None]:
    """In its block, prints to standard error if JSON is asked for."""
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        yield


def print_json(content: Any) -> None:
    """Prints one document."""
    print(_dumps(content, indent=2))


def json_line(content: Any) -> str:
    """Returns one document as a line."""
    return _dumps(content)


def writes_unicode() -> bool:
    """Returns whether standard output's encoding has every character."""
    return (sys.stdout.encoding or "utf-8").lower().startswith("utf")


def _dumps(content: Any, indent: int | None = None) -> str:
    ascii_only = not writes_unicode()
    return json.dumps(_plain(content), indent=indent, ensure_ascii=ascii_only, allow_nan=False)


def _plain(content: Any) -> Any:
    """Returns content as JSON can hold it: paths as strings, and null for NaN and infinity."""
    if isinstance(content, Mapping):
        return {str(name): _plain(value) for name, value in content.items()}
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [_plain(value) for value in content]
    if isinstance(content, Path):
        return str(content)
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
