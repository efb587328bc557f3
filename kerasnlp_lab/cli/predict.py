"""`kerasnlp-lab predict`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kerasnlp_lab.cli.options import Precision, quiet_tensorflow
from kerasnlp_lab.errors import DataError, OptionError

if TYPE_CHECKING:
    from kerasnlp_lab.export import Prediction

__all__ = ["predict"]


class OutputFormat(StrEnum):
    """How predictions are written."""

    table = "table"
    jsonl = "jsonl"


def predict(
    model: Annotated[Path, typer.Argument(help="An exported model, or a run directory.")],
    texts: Annotated[
        list[str] | None, typer.Argument(help="Texts; none reads --file or standard input.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A file with a text a line.")] = None,
    format: Annotated[OutputFormat, typer.Option(help="How to write them.")] = OutputFormat.table,
    precision: Precision = None,
) -> None:
    """Classify texts: arguments, a file's lines, or standard input's.

    An empty line is a text too, and is answered. Bytes that are not UTF-8 are read
    as U+FFFD. Answers come in order while the input is being read.
    """
    if texts and file:
        raise OptionError("give texts or --file, not both")
    if file and not file.is_file():
        raise DataError("no such file; expected one with a text a line", file)
    quiet_tensorflow()
    from kerasnlp_lab.export import open_predictor
    from kerasnlp_lab.machine import precision_note

    predictor = open_predictor(model, precision=precision)
    if predictor.precision is not None:
        print(precision_note(predictor.precision), file=sys.stderr)
    # Somebody who types wants an answer a line; a pipe's lines are answered 32 at a time.
    chunk = None if texts or file else 1 if sys.stdin.isatty() else 32
    predictions = predictor.predict(texts or _lines(file), chunk=chunk)
    try:
        if format is OutputFormat.table:
            _write_table(predictions, max(map(len, predictor.label_names)))
        else:
            _write_jsonl(predictions)
    except BrokenPipeError:  # the reader of our output has had enough; typer would exit with 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lines(file: Path | None) -> Iterator[bytes]:
    with file.open("rb") if file else sys.stdin.buffer as stream:
        for line in stream:
            yield line.rstrip(b"\r\n")


def _write_table(predictions: Iterable[Prediction], label_width: int) -> None:
    for one in predictions:
        text = " ".join(one.text.split())
        shown = text if len(text) <= 100 else text[:99] + "…"
        print(f"{one.label:{label_width}}  {one.probabilities[one.label]:.3f}  {shown}", flush=True)


def _write_jsonl(predictions: Iterable[Prediction]) -> None:
    for one in predictions:
        print(json.dumps(vars(one), ensure_ascii=False), flush=True)
