"""`kerasnlp-lab predict`: answers to texts, from a run or an export."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kerasnlp_lab.cli.interrupts import note_what_is_kept
from kerasnlp_lab.cli.json_output import Json, json_line
from kerasnlp_lab.cli.options import Precision, import_tensorflow
from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.paths import did_you_mean_path

if TYPE_CHECKING:
    from kerasnlp_lab.tasks.task import Answer

__all__ = ["predict"]


class OutputFormat(StrEnum):
    """How predictions are written."""

    table = "table"
    jsonl = "jsonl"


def predict(
    model: Annotated[Path, typer.Argument(help="An exported model, or a run directory.")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="Texts (default: those in --file or on standard input)."),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A file with one text a line.")] = None,
    format: Annotated[
        OutputFormat, typer.Option(help="The output format; jsonl is the same as --json.")
    ] = OutputFormat.table,
    precision: Precision = None,
    as_json: Json = False,
) -> None:
    """Classify texts: arguments, a file's lines, or standard input's.

    An empty line counts as a text. Bytes that are not UTF-8 are read as U+FFFD. Answers come
    in order, while the input is still being read.
    """
    if texts and file:
        raise OptionError("give texts or --file, not both")
    if file and not file.is_file():
        close = did_you_mean_path(file)
        raise DataError(f"no such file{close}; expected one with a text on each line", file)
    import_tensorflow()
    from kerasnlp_lab.export import open_predictor
    from kerasnlp_lab.machine import precision_note

    predictor = open_predictor(model, precision=precision)
    if predictor.precision is not None:
        print(precision_note(predictor.precision), file=sys.stderr)
    # A person who types wants an answer to each line; a pipe is answered 32 lines at a time.
    chunk = None if texts or file else 1 if sys.stdin.isatty() else 32
    predictions = predictor.predict(texts or _lines(file), chunk=chunk)
    as_json = as_json or format is OutputFormat.jsonl
    answered = 0
    with note_what_is_kept(lambda: f"texts answered: {answered}"):
        for one in predictions:
            line = json_line(one.as_json()) if as_json else _row(one)
            # Counted before it is written: a reader of the line may press Ctrl-C at once.
            answered += 1
            print(line, flush=True)


def _lines(file: Path | None) -> Iterator[bytes]:
    with file.open("rb") if file else sys.stdin.buffer as stream:
        for line in stream:
            yield line.rstrip(b"\r\n")


def _row(one: Answer) -> str:
    text = " ".join(one.text.split())
    shown = text if len(text) <= 100 else text[:99] + "…"
    return f"{one.as_line()}  {shown}"
