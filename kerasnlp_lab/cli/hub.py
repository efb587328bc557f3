"""`kerasnlp-lab hub`: BERTs on TF Hub, listed, installed, verified and built."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from kerasnlp_lab.cli.groups import make_group
from kerasnlp_lab.cli.interrupts import note_what_is_kept
from kerasnlp_lab.cli.json_output import Json, print_json, printing_to_stderr_if
from kerasnlp_lab.cli.options import import_tensorflow
from kerasnlp_lab.paths import our_command

__all__ = ["app"]

app = make_group()


@app.command("list")
def list_encoders(as_json: Json = False) -> None:
    """List the BERT family on TF Hub, each with its preprocessing module."""
    from kerasnlp_lab.hub.catalogue import encoders

    if as_json:
        rows = [{"handle": one.handle, **dataclasses.asdict(one)} for one in encoders()]
        print_json(rows)
        return
    import rich.box
    import rich.console
    import rich.table

    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for name in ("encoder", "preprocessing"):
        table.add_column(name, no_wrap=True)
    for name in ("layers", "hidden", "heads", "parameters"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("casing", "languages", "kind"):
        table.add_column(name, no_wrap=True)
    for one in encoders():
        version = "" if one.version is None else f"/{one.version}"
        preprocess = one.preprocess.partition("/")[2] or "its own"
        sizes = (one.layers, one.hidden_size, one.heads)
        parameters = "unknown" if one.parameters is None else f"{one.parameters:,}"
        described = (one.casing, one.languages, one.architecture)
        table.add_row(one.name + version, preprocess, *map(str, sizes), parameters, *described)
    console = rich.console.Console(width=max(170, rich.console.Console().width), highlight=False)
    console.print(table)
    print("Any of these is a model: kerasnlp-lab train --model ENCODER ...")


@app.command("install")
def install(
    handle: Annotated[
        str, typer.Argument(help="A name of 'hub list', or an address on tfhub.dev or Kaggle.")
    ],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A module's .tar.gz, a BERT's .zip, or a folder of either."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Install a module and its preprocessing in TF Hub's cache (TFHUB_CACHE_DIR).

    Without --from, it is looked for in this order: the cache, tfhub.dev, Kaggle Models, the
    original release, Hugging Face.
    """
    import_tensorflow()
    from kerasnlp_lab.cli.progress import transfer_progress
    from kerasnlp_lab.hub import install as install_module

    with (
        printing_to_stderr_if(as_json),
        note_what_is_kept(_kept_downloads),
        transfer_progress() as report,
    ):
        installed = install_module(handle, source, report=report)
    for one in installed:
        for attempt in one.tried:
            print(f"  {attempt}", file=sys.stderr)
        if not as_json:
            print(f"{one.handle}\n  from {one.source}, in {one.folder}")
    if as_json:
        print_json([dataclasses.asdict(one) for one in installed])
    if not os.environ.get("TFHUB_CACHE_DIR") and installed[0].handle.startswith("https://"):
        print(
            "  the cache is temporary: set TFHUB_CACHE_DIR to a permanent folder", file=sys.stderr
        )


def _kept_downloads() -> str:
    """Returns a note on the downloads that were interrupted and can be resumed."""
    from kerasnlp_lab.hub.sources import begun_downloads

    parts = begun_downloads()
    if not parts:
        return ""
    size = sum(part.stat().st_size for part in parts) / 1e6
    return f"{size:.1f} MB are kept in {parts[0].parent}; the same command resumes the download"


@app.command("verify")
def verify(as_json: Json = False) -> None:
    """Check every cached module byte by byte and call it. Exits with 1 if one is broken."""
    import_tensorflow()
    from kerasnlp_lab.hub.verify import SENTENCE, verify_modules

    with printing_to_stderr_if(as_json):
        results = verify_modules()
    if as_json:
        rows = [dataclasses.asdict(one) for one in results]
        print_json(rows)
    else:
        for one in results:
            state = "ok" if one.works else "FAILS" if one.whole else "BROKEN"
            print(f"{state:7}{one.handle}\n       {one.answer or one.problem}")
            if not one.whole:
                print(f"       in {one.folder}; install it again, or remove the folder")
        count = (
            f"{len(results)} modules, each called with {SENTENCE!r}"
            if results
            else "no module is cached"
        )
        print(count)
    if not all(one.works for one in results):
        raise typer.Exit(1)


@app.command("build")
def build(
    checkpoint: Annotated[
        Path,
        typer.Option(
            "--from", help="A Hugging Face folder, an original BERT release, or a run directory."
        ),
    ],
    target: Annotated[Path, typer.Option("--to", help="A new folder.")],
    cased: Annotated[
        bool | None,
        typer.Option("--cased/--uncased", help="Keep capitals or not (default: as published)."),
    ] = None,
    strip_accents: Annotated[
        bool | None,
        typer.Option(
            "--strip-accents/--keep-accents",
            help="Strip accents or not (default: as published, or else if uncased).",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Build a preprocessing module and an encoder with TF Hub's interface from a BERT."""
    import_tensorflow()
    from kerasnlp_lab.export.hub_modules import build_modules

    do_lower_case = None if cased is None else not cased
    with printing_to_stderr_if(as_json):
        build_modules(checkpoint, target, do_lower_case=do_lower_case, strip_accents=strip_accents)
    modules = {part: target / part for part in ("preprocess", "encoder")}
    if as_json:
        print_json(modules)
        return
    print(*modules.values(), sep="\n")
    print(f"use it as a model: {our_command('train', '--model', target)} ...")
