"""`kerasnlp-lab vocab`: vocabularies of word pieces, learned from texts."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from kerasnlp_lab.cli.groups import make_group
from kerasnlp_lab.cli.json_output import Json, print_json, printing_to_stderr_if
from kerasnlp_lab.cli.options import Cased, import_tensorflow
from kerasnlp_lab.cli.rows import ENTITIES, RowsOptions, rows_options
from kerasnlp_lab.errors import OptionError, check_option

__all__ = ["app"]

app = make_group()


@app.command("learn")
@rows_options(without=(*ENTITIES, "target_column"))
def learn(
    *,
    to: Annotated[Path, typer.Option("--to", help="A new folder.")],
    size: Annotated[
        int, typer.Option(help="The most pieces, special tokens included; 10 or more.")
    ] = 20000,
    texts: Annotated[
        Path | None, typer.Option(help="A file with a text on each line, instead of a table.")
    ] = None,
    rows: RowsOptions,
    cased: Cased = False,
    strip_accents: Annotated[
        bool,
        typer.Option(
            "--strip-accents/--keep-accents",
            help="Strip accents. In Thai, Hindi and Japanese these are parts of letters.",
        ),
    ] = False,
    min_count: Annotated[
        int, typer.Option(help="How often a piece must occur, single characters included.")
    ] = 2,
    as_json: Json = False,
) -> None:
    """Learn a BERT's word pieces from texts: from a table's training rows, or a file of lines.

    Writes vocab.txt and tokenizer_config.json. The same texts always give the same pieces.
    """
    check_option("--size", size, size >= 10, "10 or more")
    check_option("--min-count", min_count, min_count >= 1, "1 or more")
    if texts is not None:
        rows.check_lines()
    elif rows.data is None and rows.dataset is None:
        raise OptionError("say --texts FILE, --data FILE, or --dataset NAME (see 'data list')")
    import_tensorflow()
    import rich.console

    from kerasnlp_lab.bert.vocabulary import learn_vocabulary, write_vocabulary
    from kerasnlp_lab.paths import check_new

    check_new(to, "name another --to")
    start = time.perf_counter()
    casing = {"do_lower_case": not cased, "strip_accents": strip_accents}
    console = rich.console.Console(stderr=True)
    with printing_to_stderr_if(as_json), console.status("learning word pieces"):
        found = rows.load().train.texts if texts is None else _lines(texts, rows.encoding)
        pieces = learn_vocabulary(found, size, min_count=min_count, **casing)
    write_vocabulary(to, pieces, **casing)
    seconds = round(time.perf_counter() - start, 1)
    if as_json:
        print_json({"folder": to, "pieces": len(pieces), "seconds": seconds, **casing})
        return
    fewer = f", fewer than {size}: the texts have no more" if len(pieces) < size else ""
    print(f"{len(pieces)} pieces in {to}{fewer} ({seconds} s)")


def _lines(path: Path, encoding: str | None) -> Iterable[str | bytes]:
    from kerasnlp_lab.data.unlabelled import RejectedRow, read_lines

    rows, note = read_lines(path, encoding)
    if note:
        print(f"{path}: {note}", file=sys.stderr)

    def lines() -> Iterator[str | bytes]:
        for row in rows:
            assert not isinstance(row, RejectedRow)  # every line is a text
            yield row.text

    return lines()
