"""`kerasnlp-lab predict`: answers to texts, from a run or an export."""

from __future__ import annotations

import itertools
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.interrupts import note_what_is_kept
from kerasnlp_lab.cli.json_output import Json, json_line
from kerasnlp_lab.cli.options import Precision, import_tensorflow
from kerasnlp_lab.cli.predict_files import predict_files
from kerasnlp_lab.cli.rows import TABLE_FORMAT, RowsOptions, rows_options
from kerasnlp_lab.errors import DataError, OptionError, check_option

if TYPE_CHECKING:
    from kerasnlp_lab.data.tables import RejectedRow
    from kerasnlp_lab.data.unlabelled import UnlabelledRow
    from kerasnlp_lab.serving.rows import Reading
    from kerasnlp_lab.tasks import Entity
    from kerasnlp_lab.tasks.task import Answer

__all__ = ["predict"]


class OutputFormat(StrEnum):
    """How predictions are written."""

    table = "table"
    jsonl = "jsonl"


@rows_options("text_column", "second_text_column", "bad_rows", *TABLE_FORMAT)
def predict(
    *,
    model: Annotated[Path, typer.Argument(help="An exported model, or a run directory.")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts (default: those in --file or on standard input). For a model of pairs, the "
            "first and the second text of each pair in turns."
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="A table, if its ending or --text-column says so; or else one text a line, or a "
            "pair with a tab between. - is standard input. With --output also a folder, or "
            "several files by 'PATTERN*'.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="A folder for answers and rejected rows of each file."),
    ] = None,
    processes: Annotated[
        int, typer.Option(help="With --output: how many processes share the files.")
    ] = 1,
    beam: Annotated[
        str | None,
        typer.Option(help="With --output: answer on Apache Beam, with these options of Beam's."),
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="Each line of --file is a text, also of a table.")
    ] = False,
    keep_columns: Annotated[
        bool, typer.Option("--keep-columns", help="With --json: the table's columns, too.")
    ] = False,
    rows: RowsOptions,
    html: Annotated[
        Path | None,
        typer.Option(help="Entities: also write a page of the texts with their entities marked."),
    ] = None,
    format: Annotated[
        OutputFormat, typer.Option(help="The output format; jsonl is the same as --json.")
    ] = OutputFormat.table,
    precision: Precision = None,
    as_json: Json = False,
) -> None:
    """Answer texts: arguments, a column of a table, or lines.

    Without --text-column, a table's texts are in the column that the model was trained on, or
    in one with a telling name. An empty line counts as a text. In lines, bytes that are not
    UTF-8 are read as U+FFFD. A model of pairs takes arguments two by two, a table's columns that it
    was trained on, or lines with a tab between the two texts. Answers come in order, while the
    input is still being read.
    """
    as_json = as_json or format is OutputFormat.jsonl
    if texts and file:
        raise OptionError("give texts or --file, not both")
    if keep_columns and not (as_json or output is not None):
        raise OptionError("--keep-columns is for JSON: add --json")
    for flag in ("--text-column", "--second-text-column"):
        if getattr(rows, flag[2:].replace("-", "_")) and (lines or not file):
            raise OptionError(f"{flag} is for a table: give it as --file, without --lines")
    check_option("--bad-rows", rows.bad_rows, rows.bad_rows in ("stop", "skip"), "stop or skip")
    from kerasnlp_lab.serving.bulk import BulkJob
    from kerasnlp_lab.serving.rows import Reading

    reading = Reading(
        tuple(rows.text_column or ()), rows.second_text_column or "", lines, rows.table_format()
    )
    if output is not None:
        if not output or not file or file == "-" or html:
            raise OptionError("--output FOLDER is for the files of --file PATH, without --html")
        job = BulkJob(model, Path(output), reading, keep_columns, precision)
        predict_files(job, file, output, processes=processes, beam=beam, as_json=as_json)
        return
    if beam is not None or processes != 1:
        raise OptionError("--beam and --processes are for many files: add --output FOLDER")
    source, note = _open(model, texts, Path(file) if file else None, reading)
    import_tensorflow()
    from kerasnlp_lab.evaluation.report import render_page
    from kerasnlp_lab.export import open_predictor
    from kerasnlp_lab.machine import precision_note
    from kerasnlp_lab.paths import check_new, write_whole

    if html:
        check_new(html, "name another --html")
    predictor = open_predictor(model, precision=precision)
    if html and predictor.task.name != "entities":
        raise OptionError(f"--html is for entities, not {predictor.task.name}; leave it out")
    if predictor.precision is not None:
        print(precision_note(predictor.precision), file=sys.stderr)
    if note:
        print(note, file=sys.stderr)
    # A person who types wants an answer to each line; a pipe is answered 32 lines at a time.
    piped = not texts and str(file or "-") == "-"
    chunk = None if not piped else 1 if sys.stdin.isatty() else 32
    failed: list[DataError] = []
    count = Counter(answered=0, skipped=0)
    asked, waiting = itertools.tee(_good_rows(source, rows.bad_rows == "skip", count, failed))
    kept: list[Any] = []
    predictions = predictor.predict((row.text for row in asked), chunk=chunk)
    with note_what_is_kept(lambda: f"texts answered: {count['answered']}"):
        for one, row in zip(predictions, waiting, strict=False):
            where: dict[str, Any] = {"file": row.file} if row.file else {}
            where |= {"line": row.line} if file else {}
            cells = {"columns": row.cells} if keep_columns else {}
            line = json_line(where | one.as_json() | cells) if as_json else _line(one, **where)
            # Counted before it is written: a reader of the line may press Ctrl-C at once.
            count["answered"] += 1
            print(line, flush=True)
            if html:
                kept.append(one)
    if html:
        package, names = "kerasnlp_lab.explanation", predictor.label_names
        page = render_page(package, "entities.html.j2", answers=kept, label_names=names)
        write_whole(html, page)
    told = f"texts answered: {count['answered']}; rows skipped: {count['skipped']}"
    if count["replaced"]:
        told += (
            f"; lines with bytes that are not UTF-8, read as U+FFFD: {count['replaced']}, the "
            f"first in line {count['first replaced']}"
        )
    if failed:
        raise DataError(f"{failed[0]}; {told}")
    if file:
        print(told, file=sys.stderr)


def _open(
    model: Path, texts: list[str] | None, file: Path | None, reading: Reading
) -> tuple[Iterable[UnlabelledRow | RejectedRow], str]:
    """Returns the rows to answer, and a note on what was found."""
    from kerasnlp_lab.data.unlabelled import UnlabelledRow
    from kerasnlp_lab.serving.rows import read_facts, rows_to_answer

    facts = read_facts(model)
    if texts:
        return map(UnlabelledRow, _two_by_two(texts, facts.pair) if facts.pair else texts), ""
    return rows_to_answer(file, model, facts, reading)


def _two_by_two(texts: Sequence[str], pair: tuple[str, str]) -> list[str]:
    """Returns pairs, one for each two of the arguments."""
    from kerasnlp_lab.data.pairs import iter_pairs

    if len(texts) % 2:
        raise OptionError(
            f"the model answers pairs of {' and '.join(pair)}: give texts two by two, got "
            f"{len(texts)}"
        )
    return list(iter_pairs(list(zip(texts[::2], texts[1::2], strict=True)), pair))


def _good_rows(
    rows: Iterable[UnlabelledRow | RejectedRow],
    skip: bool,
    count: Counter[str],
    failed: list[DataError],
) -> Iterator[UnlabelledRow]:
    """Yields rows up to the first error, which is kept until they are answered."""
    from kerasnlp_lab.data.labelled_rows import advice_on
    from kerasnlp_lab.data.unlabelled import UnlabelledRow

    try:
        for row in rows:
            if isinstance(row, UnlabelledRow):
                if not row.is_utf_8:
                    count["replaced"] += 1
                    count["first replaced"] = count["first replaced"] or row.line
                yield row
            elif skip:
                count["skipped"] += 1
                print(f"skipped: {row.path}, line {row.line}: {row.reason}", file=sys.stderr)
            else:
                raise DataError(f"{row.reason}; {advice_on(row.reason)}", row.path, row.line)
    except DataError as error:
        failed.append(error)


def _line(one: Answer, line: int = 0, file: str = "") -> str:
    where = f"{file}:{line}" if file else f"{line:>6}"
    where = f"{where}  " if line else ""
    if isinstance(entities := getattr(one, "entities", None), tuple) and sys.stdout.isatty():
        return where + _marked(one.text, entities)
    second = getattr(one, "second_text", None)
    text = " ".join((one.text if second is None else f"{one.text} | {second}").split())
    shown = text if len(text) <= 100 else text[:99] + "…"
    return f"{where}{one.as_line()}  {shown}"


def _marked(text: str, entities: Sequence[Entity]) -> str:
    """Returns a text for the terminal with its entities in colours, a label after each."""
    parts, place = [], 0
    for one in entities:
        color = 1 + zlib.crc32(one.label.encode()) % 6
        parts += [text[place : one.start], f"\x1b[1;3{color}m{one.text}\x1b[0m ({one.label})"]
        place = one.end
    return " ".join("".join([*parts, text[place:]]).split())
