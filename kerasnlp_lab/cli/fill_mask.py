"""`kerasnlp-lab fill-mask`: the likeliest words for each [MASK] in texts."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.json_output import Json, json_line, writes_unicode
from kerasnlp_lab.cli.options import import_tensorflow
from kerasnlp_lab.errors import DataError, OptionError, check_option

if TYPE_CHECKING:
    from kerasnlp_lab.bert.fill_mask import FilledMask, FilledText
    from kerasnlp_lab.data.unlabelled import UnlabelledRow

__all__ = ["fill_mask"]

BAR = 20
AROUND = 36  # characters of a text before and after a mask


def fill_mask(
    model: Annotated[
        Path,
        typer.Argument(help="A run of 'pretrain', or a folder with a BERT and its output layer."),
    ],
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="Texts with [MASK] (default: those in --file or on standard input)."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file with a text on each line; - is standard input.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="The file's encoding: utf-8, utf-16, cp1252 and so on.")
    ] = None,
    top: Annotated[int, typer.Option(help="How many guesses for each [MASK].")] = 5,
    as_json: Json = False,
) -> None:
    """Fill each [MASK] in texts with the likeliest word pieces.

    A piece that begins with ## continues the word before it. A text that is longer than the
    model's positions is read around each [MASK].
    """
    if texts and file:
        raise OptionError("give texts or --file, not both")
    if encoding and not file:
        raise OptionError("--encoding is for a file: give it as --file")
    check_option("--top", top, top >= 1, "1 or more")
    rows = _rows(texts, file, encoding)
    import_tensorflow()
    from kerasnlp_lab.bert.fill_mask import fill_masks, read_pretrained

    checkpoint = read_pretrained(model)
    failed: list[DataError] = []
    asked, waiting = itertools.tee(_good_rows(rows, file, failed))
    # A person who types wants an answer to each line.
    typed = not texts and str(file or "-") == "-" and sys.stdin.isatty()
    answers = fill_masks(
        checkpoint, (row.text for row in asked), top=top, batch_size=1 if typed else 32
    )
    answered = False
    for one, row in zip(answers, waiting, strict=False):
        answered = True
        where = {"line": row.line} if file else {}
        if as_json:
            print(json_line(where | _document(one)), flush=True)
        else:
            _print_text(one, **where)
    if failed:
        raise failed[0]
    if not answered:
        raise DataError("there are no texts to fill: give some, with [MASK] in each", file)


def _rows(
    texts: list[str] | None, file: Path | None, encoding: str | None
) -> Iterable[UnlabelledRow]:
    from kerasnlp_lab.data.unlabelled import UnlabelledRow, read_lines

    if texts:
        return map(UnlabelledRow, texts)
    rows, note = read_lines(file, encoding)
    if note:
        print(note, file=sys.stderr)
    return rows  # type: ignore[return-value]  # every line is a text


def _good_rows(
    rows: Iterable[UnlabelledRow], file: Path | None, failed: list[DataError]
) -> Iterator[UnlabelledRow]:
    """Yields rows up to the first without a [MASK], whose error is kept until they are answered."""
    from kerasnlp_lab.bert.fill_mask import EXAMPLE, has_mask

    try:
        for row in rows:
            if not has_mask(row.text):
                text = (
                    row.text.decode("utf-8", "replace") if isinstance(row.text, bytes) else row.text
                )
                quoted = "" if row.line else ", in quotation marks"
                raise DataError(
                    f"the text {text[:60]!r} has no [MASK]: {EXAMPLE}{quoted}",
                    file if row.line else None,
                    row.line or None,
                )
            yield row
    except DataError as error:
        failed.append(error)


def _document(filled: FilledText) -> dict[str, Any]:
    masks = [
        {
            "start": mask.start,
            "end": mask.end,
            "guesses": [guess._asdict() for guess in mask.guesses],
        }
        for mask in filled.masks
    ]
    return {"text": filled.text, "pieces": filled.pieces, "read": filled.read, "masks": masks}


def _print_text(filled: FilledText, line: int = 0) -> None:
    """Prints a table for each [MASK]: the text around it, then a line a guess."""
    if filled.read < filled.pieces:
        print(
            f"this text has {filled.pieces:,} pieces and the model reads {filled.read:,} at once: "
            "those around each [MASK]",
            file=sys.stderr,
        )
    for mask in filled.masks:
        print(f"{f'{line:>6}  ' if line else ''}{_around(filled.text, mask)}")
        _print_guesses(mask)


def _around(text: str, mask: FilledMask) -> str:
    """Returns a mask with the text around it, in one line."""
    from kerasnlp_lab.display import printable

    before = re.sub(r"\s+", " ", text[: mask.start]).lstrip()
    after = re.sub(r"\s+", " ", text[mask.end :]).rstrip()
    before = before if len(before) <= AROUND else "…" + before[-AROUND:]
    after = after if len(after) <= AROUND else after[:AROUND] + "…"
    return printable(f"{before}[MASK]{after}")


def _print_guesses(mask: FilledMask) -> None:
    from rich.cells import cell_len

    from kerasnlp_lab.display import printable

    block = "█" if writes_unicode() else "#"
    shown = [printable(guess.piece) for guess in mask.guesses]
    width = max(map(cell_len, shown))
    for piece, guess in zip(shown, mask.guesses, strict=True):
        space = " " * (width - cell_len(piece))
        bar = block * round(BAR * guess.probability)
        print(f"  {piece}{space}  {guess.probability:.4f}  {bar}".rstrip(), flush=True)
